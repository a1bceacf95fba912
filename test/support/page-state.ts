import {
  type PageAlert,
  type PageEdge,
  type PageEntry,
  type PageGroup,
  type PageHeader,
  type PageNode,
  type PageReceiver,
  type PageRoute,
  type PageRule,
  type PageState,
  type PageTarget,
  partNames,
} from '../../scripts/ui/page-state.ts';

/** The time of the states below. */
export const pageAt = Date.UTC(2026, 0, 31, 12);

const byId = <T extends { readonly id: string }>(items: readonly T[]): Readonly<Record<string, T>> =>
  Object.fromEntries(items.map((item) => [item.id, item]));

const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Every part as read a second before. */
export const readParts = Object.fromEntries(
  partNames.map((name) => [name, { readAt: pageAt - 1_000 }]),
) as PageHeader['parts'];

export const pageHeader: PageHeader = {
  stack: 'shop',
  at: pageAt,
  revision: '3f2a9c0d1e4b',
  engine: { isReachable: true, since: pageAt - 60_000 },
  mayChange: false,
  file: 'stack.yml',
  problems: [],
  drift: [],
  parts: readParts,
};

const node = (id: PageNode['id'], title: string, rest: Partial<PageNode> = {}): PageNode => {
  return { id, title, state: 'ok', word: 'ready', figures: [], problems: [], ...rest };
};

const edge = (from: PageEdge['from'], to: PageEdge['to'], unit: string, rate: number): PageEdge => {
  return { id: `${from}>${to}`, from, to, unit, rate };
};

/** A stack with one of each: a group whose last push was refused, a target that is down, an alert that fires, a refused edit. */
export function smallPageState(): PageState {
  const groups: readonly PageGroup[] = [
    {
      ...{ id: 'g1', job: 'backup', labels: { instance: 'db-1' }, pushedAt: pageAt - 60_000 },
      ...{ series: 12, metrics: 4, bytes: 1_400, state: 'ok' },
    },
    {
      ...{ id: 'g2', job: 'snmp', labels: { instance: '10.40.80.1' }, pushedAt: pageAt - 3_600_000 },
      ...{ failedAt: pageAt - 5_000, series: 480, metrics: 31, bytes: 61_000, state: 'wrong' },
    },
  ];
  const targets: readonly PageTarget[] = [
    {
      ...{ id: 't1', job: 'prometheus', instance: 'localhost:9090', url: 'http://localhost:9090/metrics' },
      ...{ state: 'ok', health: 'up' },
    },
    {
      ...{ id: 't2', job: 'node', instance: 'web-1:9100', url: 'http://web-1:9100/metrics', state: 'wrong' },
      ...{ health: 'down', error: 'dial tcp 10.0.0.7:9100: connect: connection refused' },
    },
  ];
  const rules: readonly PageRule[] = [
    {
      ...{ id: 'r1', group: 'disk', file: 'rules/disk.yml', name: 'DiskFull', kind: 'alert', state: 'notice' },
      ...{ activity: 'firing', health: 'ok', active: 1 },
    },
    {
      ...{ id: 'r2', group: 'sums', file: 'rules/sums.yml', name: 'job:requests:rate5m', kind: 'record' },
      ...{ state: 'wrong', activity: 'recording', health: 'err', active: 0 },
      error: 'vector contains metrics with the same labelset after applying rule labels',
    },
  ];
  const alerts: readonly PageAlert[] = [
    {
      id: 'a1',
      name: 'DiskFull',
      labels: { alertname: 'DiskFull', instance: 'web-1:9100', severity: 'page' },
      annotations: { summary: 'The disk of web-1 is 97 % full' },
      activity: 'firing',
      since: pageAt - 720_000,
      routes: ['0.0'],
      receivers: ['page'],
      mutedBy: [{ kind: 'silence', text: 'silenced by ann@ops: moving disks', id: 's1' }],
    },
  ];
  const timing = { groupBy: ['alertname'], groupWait: '30s', groupInterval: '5m', repeatInterval: '4h' };
  const routes: readonly PageRoute[] = [
    { id: '0', matchers: [], receiver: 'sink', continues: false, alerts: 0, ...timing },
    {
      ...{ id: '0.0', parent: '0', matchers: ['severity="page"'], receiver: 'page', continues: false },
      ...{ alerts: 1, mutedBy: 'muted by weekend', ...timing },
    },
  ];
  const receivers: readonly PageReceiver[] = [
    {
      ...{ id: 'n1', name: 'sink', integrations: ['webhook'], state: 'ok', word: 'delivered', delivered: 3, failed: 0 },
      notifications: [
        {
          ...{ at: pageAt - 700_000, outcome: 'delivered', integration: 'webhook[0]', text: 'first notification' },
          alerts: ['DiskFull'],
        },
      ],
    },
    {
      ...{
        id: 'n2',
        name: 'page',
        integrations: ['pagerduty'],
        state: 'wrong',
        word: 'failing',
        delivered: 0,
        failed: 4,
        unknown: 'Alertmanager 0.25.0 does not record alerts',
      },
      notifications: [
        {
          at: pageAt - 9_000,
          outcome: 'failed',
          integration: 'pagerduty[0]',
          text: 'status 403',
          alerts: ['DiskFull'],
        },
      ],
    },
  ];
  const entries: readonly PageEntry[] = [
    {
      ...{ id: 'h1', at: pageAt - 86_400_000, kind: 'revision', revision: '77aa00bb11cc', place: 'restorable' },
      ...{ who: 'ann@ops', command: 'up', changed: ['prometheus/prometheus.yml'], mistakes: [] },
    },
    {
      ...{ id: 'h2', at: pageAt - 60_000, kind: 'revision', revision: '3f2a9c0d1e4b', place: 'current' },
      ...{ who: 'ann@ops', command: 'watch', changed: ['rules/disk.yml'], mistakes: [] },
    },
    {
      ...{ id: 'e1', at: pageAt - 30_000, kind: 'invalid', who: 'ann@ops', command: 'watch', changed: [] },
      mistakes: [
        {
          severity: 'error',
          message: 'unknown key "exprr" in a rule',
          hint: 'did you mean "expr"?',
          place: 'rules/disk.yml:14:7',
          excerpt: ['  14 │       exprr: disk_used > 0.9', '     │       ~~~~~'],
        },
      ],
    },
  ];
  return {
    header: pageHeader,
    nodes: byId([
      node('sources', 'Sources', { state: 'wrong', word: '1 refused', count: 2, wrong: 1 }),
      node('pushgateway', 'Pushgateway', { url: 'http://127.0.0.1:9091', uptime: 'Up 3 minutes' }),
      node('targets', 'Targets', { state: 'wrong', word: '1 down', count: 2, wrong: 1 }),
      node('prometheus', 'Prometheus', { figures: [{ label: 'series', text: '12,034', state: 'ok' }] }),
      node('rules', 'Rules', { state: 'wrong', word: '1 fails', count: 2, wrong: 1 }),
      node('alertmanager', 'Alertmanager'),
      node('receivers', 'Receivers', { state: 'wrong', word: '1 failing', count: 2, wrong: 1 }),
      node('grafana', 'Grafana', {
        state: 'wrong',
        word: 'not running',
        problems: [{ state: 'wrong', message: 'its container is exited', tryThis: 'promstack start grafana' }],
      }),
    ]),
    edges: byId([
      edge('sources', 'pushgateway', 'pushes/s', 2.4),
      edge('pushgateway', 'prometheus', 'samples/s', 32),
      edge('targets', 'prometheus', 'samples/s', 410),
      edge('prometheus', 'rules', 'evaluations/s', 1.2),
      edge('rules', 'alertmanager', 'alerts/s', 0.1),
      edge('alertmanager', 'receivers', 'notifications/min', 0.2),
    ]),
    groups: byId(groups),
    targets: byId(targets),
    rules: byId(rules),
    alerts: byId(alerts),
    routes: byId(routes),
    receivers: byId(receivers),
    silences: byId([
      {
        ...{ id: 's1', state: 'active', matchers: ['alertname="DiskFull"'], startsAt: pageAt - 60_000 },
        ...{ endsAt: pageAt + 3_600_000, by: 'ann@ops', comment: 'moving disks' },
      },
    ]),
    entries: byId(entries),
    verify: {},
  };
}

/** The same stack with very many parts. */
export function largePageState({ groups = 10_000, targets = 2_000, rules = 2_000 } = {}): PageState {
  const small = smallPageState();
  return {
    ...small,
    groups: byId(
      times(groups, (index): PageGroup => {
        const isRefused = index % 500 === 7;
        const age = 1_000 * (index % 7_200);
        return {
          id: `g${index}`,
          job: ['backup', 'snmp', 'batch', 'ci'][index % 4] ?? '',
          labels: { instance: `host-${index}.example.org:9100`, rack: `r${index % 40}` },
          pushedAt: pageAt - age,
          failedAt: isRefused ? pageAt : undefined,
          ...{ series: 1 + (index % 300), metrics: 1 + (index % 30), bytes: 120 * (1 + (index % 300)) },
          state: isRefused ? 'wrong' : 'ok',
        };
      }),
    ),
    targets: byId(
      times(targets, (index): PageTarget => {
        const isDown = index % 100 === 3;
        const instance = `host-${index}.example.org:9100`;
        return {
          ...{ id: `t${index}`, job: ['node', 'nginx', 'postgres', 'redis'][index % 4] ?? '', instance },
          ...{ url: `http://${instance}/metrics`, state: isDown ? 'wrong' : 'ok', health: isDown ? 'down' : 'up' },
          error: isDown ? 'context deadline exceeded' : undefined,
        };
      }),
    ),
    rules: byId(
      times(rules, (index): PageRule => {
        const isFiring = index % 50 === 2;
        return {
          ...{ id: `r${index}`, group: `group-${index % 60}`, file: `rules/${index % 60}.yml`, name: `Rule${index}` },
          ...{ kind: 'alert', state: isFiring ? 'notice' : 'ok', activity: isFiring ? 'firing' : 'inactive' },
          ...{ health: 'ok', active: isFiring ? 1 : 0 },
        };
      }),
    ),
  };
}
