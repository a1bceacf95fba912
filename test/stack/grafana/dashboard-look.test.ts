import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shippedDashboards } from '../../../scripts/dev/dashboards/index.ts';
import { panelsOf } from '../../support/dashboard-queries.ts';
import { textWidth } from '../../support/inter.ts';
import { ruleFiles, shippedAlerts } from '../../support/shipped.ts';

// What can be seen of the dashboards without a Grafana: at 1366 pixels, with the menu open beside them.

/** Of 1366 pixels 300 are the menu, and 16 are free on either side. */
const gridWidth = 1366 - 300 - 2 * 16;
const gap = 8;

function panelWidth({ gridPos }: Panel): number {
  const columns = gridPos?.w ?? 0;
  return ((gridWidth - 23 * gap) / 24) * columns + gap * (columns - 1);
}

/** The height below the panel's header, inside its padding. */
function contentHeight({ gridPos }: Panel): number {
  const rows = gridPos?.h ?? 0;
  return rows * 30 + (rows - 1) * gap - 2 - 40 - 2 * 8;
}

/** The groups of the shipped rules. */
const groups = Object.values(ruleFiles).flatMap((text) =>
  (parse(text) as { groups: { name: string }[] }).groups.map(({ name }) => name),
);

/** Values of the labels in legends: those of a stack with a job and a receiver of the user's, the longest first. */
const labelValues: Readonly<Record<string, readonly string[]>> = {
  job: ['alertmanager', 'node-exporter', 'prometheus', 'pushgateway', 'grafana'],
  // Slow ones only.
  group: [...groups].sort((a, b) => b.length - a.length).slice(0, 2),
  code: ['200', '202', '400', '500'],
  integration: ['pagerduty', 'telegram', 'webhook', 'email', 'slack'],
  reason: ['contextDeadlineExceeded'],
  state: ['unprocessed', 'suppressed', 'active', 'expired', 'pending'],
  status: ['resolved', 'firing'],
  alertstate: ['pending', 'firing'],
  alertname: ['RaidDegraded'],
  datname: ['postgres', 'shop'],
  cmd: ['hgetall', 'get', 'set'],
  db: ['db0', 'db1'],
  command: ['select', 'insert', 'update', 'delete'],
  phase: ['processing', 'transfer', 'connect', 'resolve', 'tls'],
  mode: ['accessshare', 'iowait', 'system', 'user'],
  device: ['nvme0n1', 'nvme1n1', 'sda'],
  method: ['delete', 'post', 'put'],
  handler: ['delete', 'wipe'],
  path: ['/cart', '/pay'],
  slice: ['prepare_time', 'result_sort', 'inner_eval', 'queue_time'],
  instance: ['pushgateway:9091'],
  groupname: ['prometheus', 'containerd-shim', 'systemd-journal', 'postgres', 'node'],
  ifIndex: ['10101', '10102', '10103'],
  module: ['if_mib', 'ucd_la_table'],
  proxy: ['stats', 'web', 'shop-backend'],
};

const longestAlert = shippedAlerts.map(({ alert }) => alert).reduce((a, b) => (b.length > a.length ? b : a));

/** The longest label of each timeline: Grafana gives them 40 % of it. */
const timelineLabels: Readonly<Record<string, string>> = {
  '{{job}} {{instance}}': 'alertmanager alertmanager:9093',
  '{{instance}} {{array}}': 'storage-1 md0',
  '{{alertname}}': longestAlert,
};

function legendNames({ type, targets = [], fieldConfig }: Panel): readonly string[] {
  if (type !== 'timeseries') return [];
  // What fails is rarely more than two at a time.
  const most = fieldConfig?.defaults.custom?.drawStyle === 'bars' ? 2 : Number.POSITIVE_INFINITY;
  return targets.flatMap((target) => {
    const { legendFormat = '' } = target as { legendFormat?: string };
    return [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].reduce<readonly string[]>(
      (names, [placeholder, label = '']) => {
        const values = labelValues[label];
        if (values === undefined) throw new Error(`no values of the label ${label} for legends`);
        // Of two labels one varies.
        const some = names.length === 1 && names[0] === legendFormat ? values.slice(0, most) : values.slice(0, 1);
        return names.flatMap((name) => some.map((value) => name.replace(placeholder, value)));
      },
      [legendFormat],
    );
  });
}

/** The height of a legend at the bottom: its items wrap. */
function legendHeight(names: readonly string[], width: number): number {
  let lines = 1;
  let used = 0;
  for (const name of names) {
    const item = 14 + 8 + textWidth(name, 12, 'regular') + 10;
    expect(item, `"${name}" in a legend`).toBeLessThanOrEqual(width);
    if (used > 0 && used + 25 + item > width) {
      lines += 1;
      used = item;
    } else used += used > 0 ? 25 + item : item;
  }
  return lines * 18 + (lines - 1) * 15 + 2 * 4;
}

/** The longest usual value of each column. */
const cells: Readonly<Record<string, string>> = {
  Alert: longestAlert,
  Severity: 'critical',
  Job: 'node-exporter',
  Instance: 'host.docker.internal:9100',
  For: '59.9 mins',
  'Mount point': '/var/lib/postgresql',
  Space: '100.0%',
  Inodes: '100.0%',
  'Last push': '59.9 mins',
  'Last rejected': '59.9 mins',
};

const alertNames = new Set([...shippedAlerts.map(({ alert }) => alert), 'RaidDegraded']);
const dashboards = new Map(shippedDashboards().map(({ dashboard }) => [dashboard.uid, dashboard]));

/** Whether Grafana has what a relative address names. */
function targetExists(url: string): boolean {
  const [, alert] = /^\/alerting\/Prometheus\/(.+)\/find$/.exec(url) ?? [];
  if (alert !== undefined) return alertNames.has(alert);
  const [, uid = '', panel] = /^\/d\/([\w-]+)\?(?:viewPanel=panel-(\d+)&)?\$\{__url_time_range\}$/.exec(url) ?? [];
  const dashboard = dashboards.get(uid);
  if (dashboard === undefined) return false;
  return panel === undefined || panelsOf(dashboard).some(({ id }) => id === Number(panel));
}

describe.each(shippedDashboards())('$name', ({ dashboard }) => {
  const panels = panelsOf(dashboard);

  // Most dashboards have no panel that some of these are about.
  beforeEach(() => expect(panels).not.toEqual([]));

  test('no title may be cut', () => {
    for (const panel of panels) {
      const title = textWidth(panel.title ?? '', 14, 'medium');
      const items = 32 + (panel.links === undefined ? 0 : 32);
      // Border, padding, the icons with their gap, and the menu, which is there while it is hidden.
      const room = panelWidth(panel) - 2 - 12 - (8 + items) - (8 + 32);
      expect(title, panel.title).toBeLessThanOrEqual(room);
    }
  });

  test('no legend may be cut', () => {
    for (const panel of panels) {
      if (panel.type !== 'timeseries') continue;
      expect(panel.options.legend, panel.title).toMatchObject({ displayMode: 'list', placement: 'bottom', calcs: [] });
      const height = legendHeight(legendNames(panel), panelWidth(panel) - 2 - 2 * 8 - 2 * 4);
      // Grafana gives it 35 % and scrolls the rest.
      expect(height, `the legend of ${panel.title}`).toBeLessThanOrEqual(0.35 * contentHeight(panel));
    }
  });

  test('no label of a state timeline may be cut', () => {
    for (const { type, title, targets = [], gridPos } of panels) {
      if (type !== 'state-timeline') continue;
      for (const target of targets) {
        const { legendFormat = '' } = target as { legendFormat?: string };
        const label = Object.entries(timelineLabels).find(([legend]) => legend === legendFormat)?.[1];
        expect(label, `a label such as ${legendFormat}`).toBeDefined();
        const room = 0.4 * (panelWidth({ gridPos } as Panel) - 2 - 2 * 8);
        expect(textWidth(label ?? '', 12, 'regular'), title).toBeLessThanOrEqual(room);
      }
    }
  });

  test('no column of a table may be cut, and an empty cell must not say that there are no rows', () => {
    for (const panel of panels) {
      if (panel.type !== 'table') continue;
      const columns = (panel.fieldConfig?.overrides ?? []).map(({ matcher, properties }) => ({
        title: String(matcher.options),
        width: properties.find(({ id }) => id === 'custom.width')?.value as number | undefined,
        empty: properties.find(({ id }) => id === 'noValue')?.value,
      }));
      const fixed = columns.reduce((sum, { width }) => sum + (width ?? 0), 0);
      const share = (panelWidth(panel) - 2 - 2 * 8 - fixed) / columns.filter(({ width }) => width === undefined).length;
      for (const { title, width, empty } of columns) {
        const header = textWidth(title, 14, 'medium') + 20;
        const content = Math.max(header, textWidth(cells[title] ?? '', 14, 'regular'));
        expect(cells[title], `a value of the column ${title}`).toBeDefined();
        expect(content + 2 * 6, `${panel.title}: ${title}`).toBeLessThanOrEqual(width ?? share);
        expect(empty, title).toMatch(/^(–|never)$/);
      }
    }
  });

  test('every panel at the top must lead somewhere, and every link must have a target', () => {
    const rows = (dashboard.panels ?? []).map((panel, at) => (panel.type === 'row' ? at : -1)).filter((at) => at >= 0);
    const top = (dashboard.panels ?? []).slice(0, rows[1]).filter((panel): panel is Panel => panel.type !== 'row');
    expect(top.length).toBeGreaterThanOrEqual(4);
    for (const panel of top) {
      if (panel.type === 'table') continue;
      expect(panel.links?.length, panel.title).toBeGreaterThanOrEqual(1);
      expect(panel.fieldConfig?.defaults.links, panel.title).toEqual(panel.links);
    }
    for (const { title, links = [] } of panels) {
      for (const { url = '' } of links) expect(targetExists(url), `${title}: ${url}`).toBe(true);
    }
  });

  test('every stat must say what it means that there is no series', () => {
    for (const { type, title, fieldConfig } of panels) {
      if (type !== 'stat') continue;
      const { noValue, mappings = [] } = fieldConfig?.defaults ?? {};
      expect(noValue, title).not.toBe('No data');
      // Otherwise it would have the colour of the lowest threshold: green.
      const result = { text: noValue, color: '#6e7076' };
      expect(mappings.at(-1), title).toEqual({ type: 'special', options: { match: 'null+nan', result } });
    }
  });

  test('every panel must have a unit', () => {
    for (const { title, fieldConfig } of panels) expect(fieldConfig?.defaults.unit, title).not.toMatch(/^(none)?$/);
  });

  test('no axis may end at 100 where all values are 0', () => {
    for (const { type, title, fieldConfig } of panels) {
      if (type !== 'timeseries') continue;
      const { unit = '', custom } = fieldConfig?.defaults ?? {};
      // Times and sizes are never all 0.
      if (!/^(s|bytes|cps)$/.test(unit)) expect(custom?.axisSoftMax, title).toBeLessThanOrEqual(1);
    }
  });

  test('every bar must be full at a value that means something', () => {
    for (const { type, title, fieldConfig } of panels) {
      if (type !== 'bargauge') continue;
      const { min, max, thresholds } = fieldConfig?.defaults ?? {};
      expect([min, max], title).toEqual([0, thresholds?.steps.at(-1)?.value]);
    }
  });

  test('state timelines must have words and no pager, and what fires must not be green', () => {
    for (const panel of panels) {
      const { type, title, options, fieldConfig } = panel;
      if (type === 'state-timeline') {
        expect(options.perPage, title).toBe(0);
        expect(fieldConfig?.defaults.color?.mode, title).toBe('fixed');
        // Two words, and none for missing values.
        expect(
          fieldConfig?.defaults.mappings?.map(({ type }) => type),
          title,
        ).toEqual(['value', 'value', 'special']);
      }
      if (!legendNames(panel).some((name) => name.includes('firing'))) continue;
      const firing = fieldConfig?.overrides.find(({ matcher }) => String(matcher.options).includes('firing'));
      expect(firing?.properties, title).toContainEqual({ id: 'color', value: { mode: 'fixed', fixedColor: 'red' } });
    }
  });

  test('what fails must not be green', () => {
    for (const { type, title = '', targets = [], fieldConfig } of panels) {
      if (type !== 'timeseries') continue;
      const { mode, fixedColor } = fieldConfig?.defaults.color ?? {};
      // The palette begins with green.
      if (mode === 'shades' && fixedColor === 'red') continue;
      const coloured = fieldConfig?.overrides.map(({ matcher }) => String(matcher.options)) ?? [];
      for (const target of targets) {
        const { legendFormat = '' } = target as { legendFormat?: string };
        if (!/fail|error|dropped|skipped|reject/i.test(legendFormat.includes('{') ? title : legendFormat)) continue;
        expect(coloured, `${title}: ${legendFormat}`).toContainEqual(
          expect.stringMatching(legendFormat.includes('{') ? /^\/\.\*\/$/ : new RegExp(`^(/\\.\\*/|${legendFormat})$`)),
        );
      }
    }
  });

  test('a stacked series of zeros must not be drawn over the others', () => {
    for (const { title, fieldConfig } of panels) {
      const { stacking, lineWidth } = fieldConfig?.defaults.custom ?? {};
      if (stacking?.mode === 'normal') expect(lineWidth, title).toBe(0);
    }
  });

  test('numbers must not be drawn over', () => {
    for (const { type, title, options } of panels) {
      if (type === 'stat') expect(options.graphMode, title).toBe('none');
    }
  });

  test('a young stack must fill more than a sliver, and a change must be a single mark', () => {
    expect(dashboard.time?.from).toBe(dashboard.uid === 'promstack-demo' ? 'now-10m' : 'now-30m');
    const revisions = dashboard.annotations.list?.find(({ name }) => name === 'Revisions');
    expect((revisions?.target as { expr?: string } | undefined)?.expr).toMatch(/unless .* offset \$__interval$/);
  });
});

test('times since a push must leave out groups that were never accepted', () => {
  for (const { name, text } of shippedDashboards()) {
    expect(text.replaceAll(/time\(\) - (max\()?\(?push_time_seconds(\{[^}]*\})? > 0/g, ''), name).not.toMatch(
      /time\(\) - \(?(max\()?push_time_seconds/,
    );
  }
});
