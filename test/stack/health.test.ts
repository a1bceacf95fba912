import { describe, expect, test } from 'vitest';
import { stackSchema } from '../../stack/config.ts';
import type { Reading } from '../../stack/model.ts';
import { services } from '../../stack/services.ts';
import { sampleLabel, samplesOf, sumOf } from '../../stack/values/metrics-page.ts';
import { ago } from '../../stack/values/units.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const config = stackSchema.parse({ discovery: {} });

/** The reading of a service's indicator from a response. */
function read(
  service: string,
  label: string,
  body: unknown,
  startedAt?: ReadonlyMap<string, number>,
  queried?: unknown,
  of = config,
): Reading | undefined {
  const indicator = services
    .find(({ name }) => name === service)
    ?.healthIndicators?.(of)
    .find((indicator) => indicator.label === label);
  if (indicator === undefined) throw new Error(`${service} has no indicator ${label}`);
  const answer = (content: unknown) => {
    return { status: 200, body: typeof content === 'string' ? content : JSON.stringify(content) };
  };
  return indicator.read(answer(body), now, startedAt, queried === undefined ? undefined : answer(queried));
}

const target = (health: string, lastError = '') => ({
  scrapePool: 'node',
  scrapeUrl: 'http://db:9100/metrics',
  health,
  lastError,
});

test('a target of the stack that was last scraped before it was ready must not count as down', () => {
  const grafana = { ...target('down', 'connection refused'), scrapeUrl: 'http://grafana:3000/metrics' };
  const reading = (secondsAfter: number) => {
    const lastScrape = new Date(now + secondsAfter * 1_000).toISOString();
    const body = { data: { activeTargets: [{ ...grafana, lastScrape }] } };
    return read('prometheus', 'targets', body, new Map([['grafana', now]]))?.text;
  };
  expect([-60, -1, 2, 16, 40].map(reading)).toEqual(Array(5).fill('0 up, 1 last scraped before it was ready'));
  expect(reading(61)).toBe('0 up, 1 down');
  expect(read('prometheus', 'targets', { data: { activeTargets: [grafana] } })?.text).toBe('0 up, 1 down');
});

test.each([
  'connect: connection refused',
  'dial tcp: lookup grafana on 127.0.0.11:53: no such host',
  'EOF',
  'context deadline exceeded',
])('a target of the stack that is down must have advice that names its service: %s', (error) => {
  const grafana = { ...target('down', error), scrapeUrl: 'http://grafana:3000/metrics' };
  const activeTargets = [{ ...grafana, lastScrape: new Date(now).toISOString() }, target('down', error)];
  const startedAt = new Map([['grafana', now - 3_600_000]]);
  const problems = read('prometheus', 'targets', { data: { activeTargets } }, startedAt)?.problems;
  expect(problems?.[0]?.tryThis).toContain('promstack logs grafana');
  expect(problems?.[1]?.tryThis).not.toContain('promstack logs');
});

test('a Prometheus that has just started must have no targets and no jobs yet', () => {
  const starting = { data: { activeTargets: [], droppedTargets: [], droppedTargetCounts: null } };
  expect(read('prometheus', 'targets', starting)).toMatchObject({ text: 'none yet', tone: 'notice' });
  const page = [
    'prometheus_build_info{version="3.5.3"} 1',
    'prometheus_sd_discovered_targets{config="node",name="scrape"} 0',
  ];
  for (const lines of [page, page.slice(0, 1)]) {
    const reading = read('prometheus', 'jobs', `${lines.join('\n')}\n`);
    expect(reading).toMatchObject({ text: 'none yet', tone: 'notice', values: { withTargets: 0, withoutTargets: [] } });
  }
  expect(read('prometheus', 'jobs', 'up 1\n')).toBeUndefined();
});

test('targets must be counted, and those that are down listed with their errors and one hint', () => {
  expect(
    read('prometheus', 'targets', { data: { activeTargets: [target('up'), target('up'), target('unknown')] } }),
  ).toEqual({
    text: '2 up, 1 not scraped yet',
    values: { up: 2, down: 0, waiting: 1, downUrls: [] },
    tone: 'notice',
    problems: [{ message: '1 target has not been scraped yet', tryThis: 'promstack status again in a minute' }],
  });
  const down = read('prometheus', 'targets', {
    data: { activeTargets: [target('up'), ...Array.from({ length: 7 }, () => target('down', 'connection refused'))] },
  });
  expect(down).toMatchObject({ text: '1 up, 7 down', tone: 'wrong', values: { down: 7 } });
  expect(down?.problems).toHaveLength(6);
  expect(down?.problems?.[0]).toEqual({
    message: 'the target http://db:9100/metrics of job node is down: connection refused',
  });
  expect(down?.problems?.[4]).toMatchObject({ tryThis: expect.stringContaining('host.docker.internal') });
  expect(down?.problems?.[5]).toEqual({ message: '2 more targets are down' });
});

test.each([
  [
    'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
    'fallback_scrape_protocol',
  ],
  [
    'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
    'PrometheusText0.0.4',
  ],
  ['server returned HTTP status 401 Unauthorized', 'basic_auth'],
  ['server returned HTTP status 403 Forbidden', 'authorization'],
  ['server returned HTTP status 404 Not Found', 'metrics_path'],
  ['server returned HTTP status 503 Service Unavailable', 'log of the target'],
  ['Get "http://db:9100/metrics": dial tcp: lookup db on 127.0.0.11:53: no such host', '`networks` in stack.yml'],
  ['Get "http://db:9100/metrics": dial tcp: lookup db on 127.0.0.11:53: server misbehaving', '`networks` in stack.yml'],
  ['Get "https://db/metrics": http: server gave HTTP response to HTTPS client', 'scheme: http"'],
  ['server returned HTTP status 400 Bad Request', 'scheme: https'],
  [
    'Get "https://db/metrics": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'tls_config',
  ],
  ['Get "http://db:9100/metrics": context deadline exceeded', 'scrape_timeout'],
  ['Get "http://db:9100/metrics": dial tcp 10.0.0.1:9100: connect: connection refused', 'host.docker.internal'],
])('a target that is down must have advice about its error: %s', (error, advice) => {
  const down = read('prometheus', 'targets', { data: { activeTargets: [target('down', error)] } });
  expect(down?.problems?.[0]?.tryThis).toContain(advice);
});

test.each([
  ['server returned HTTP status 401 Unauthorized', 'promstack up applies the users and certificates of access'],
  ['Get "https://x": tls: failed to verify certificate: x509: certificate has expired', 'certificates of access'],
  ['dial tcp 10.0.0.1:9100: connect: connection refused', 'promstack logs node'],
])('an exporter of the stack that is down must have advice for the stack: %s', (error, advice) => {
  const of = { ...target('down', error), scrapeUrl: 'https://node-exporter:9100/metrics' };
  const startedAt = new Map([['node', now - 3_600_000]]);
  const down = read('prometheus', 'targets', { data: { activeTargets: [of] } }, startedAt);
  expect(down?.problems?.[0]?.tryThis).toContain(advice);
});

test('firing alerts must be named, and are not a problem of the stack', () => {
  const alert = (state: string, alertname: string) => ({ state, labels: { alertname } });
  expect(read('prometheus', 'alerts', { data: { alerts: [] } })).toMatchObject({ text: 'none firing', tone: 'right' });
  expect(
    read('prometheus', 'alerts', {
      data: { alerts: [alert('firing', 'B'), alert('firing', 'A'), alert('firing', 'A'), alert('pending', 'C')] },
    }),
  ).toEqual({
    text: '3 firing (A, B), 1 pending',
    values: { firing: 3, pending: 1, firingNames: ['A', 'B'] },
    tone: 'notice',
  });
});

test('a failed reload must be a problem of every server with a reload', () => {
  const info = (reloadConfigSuccess: boolean) => ({
    data: { reloadConfigSuccess, lastConfigTime: '2026-01-31T11:57:00Z' },
  });
  expect(read('prometheus', 'last reload', info(true))).toEqual({
    text: '3 min ago',
    values: { succeeded: true, lastSuccessAt: new Date(now - 180_000).toISOString() },
    tone: 'right',
  });
  const page = (successful: number) =>
    `alertmanager_config_last_reload_successful ${successful}\nalertmanager_config_last_reload_success_timestamp_seconds ${(now - 180_000) / 1000}\n`;
  expect(read('alertmanager', 'last reload', page(1))).toMatchObject({ text: '3 min ago', tone: 'right' });
  for (const refused of [
    read('prometheus', 'last reload', info(false)),
    read('alertmanager', 'last reload', page(0)),
  ]) {
    expect(refused).toMatchObject({ text: 'failed; the running config was loaded 3 min ago', tone: 'wrong' });
    expect(refused?.problems?.[0]?.tryThis).toBe('promstack up');
  }
});

test.each([
  ['rules that are evaluated', ['ok', 'ok'], '2 evaluated', 'right', []],
  [
    'rules that are not evaluated yet',
    ['ok', 'unknown'],
    '1 evaluated, 1 not evaluated yet',
    'notice',
    ['1 rule has not been evaluated yet'],
  ],
  [
    'rules that fail',
    ['ok', 'err', 'unknown'],
    '1 evaluated, 1 failing, 1 not evaluated yet',
    'wrong',
    ['the rule r1 of group g fails: exceeded limit of 1 with 2 alerts'],
  ],
] as const)(
  '%s must be counted, and each that fails named with its group and error',
  (_, healths, text, tone, messages) => {
    const rules = healths.map((health, at) => ({
      name: `r${at}`,
      health,
      lastError: health === 'err' ? 'exceeded limit of 1 with 2 alerts' : undefined,
    }));
    const reading = read('prometheus', 'rules', { data: { groups: [{ name: 'g', rules }] } });
    expect(reading).toMatchObject({ text, tone });
    expect(reading?.problems?.map(({ message }) => message)).toEqual(messages);
  },
);

test('an agent must say whether anything but its last reload shows which revision it runs', () => {
  const agent = stackSchema.parse({ prometheus: { mode: 'agent' } });
  const prometheus = services.find(({ name }) => name === 'prometheus');
  const labels = (stack: typeof config) => prometheus?.healthIndicators?.(stack).map(({ label }) => label);
  expect(labels(config)).not.toContain('revision');
  const indicator = prometheus?.healthIndicators?.(agent).find(({ label }) => label === 'revision');
  const shown = (yaml: string) => indicator?.read({ status: 200, body: JSON.stringify({ data: { yaml } }) }, now);
  expect(shown('scrape_config_files:\n- /etc/promstack/current/promstack-revision-3f2a.yml\n')).toEqual({
    text: 'in its config',
    values: { isShown: true },
    tone: 'right',
  });
  expect(shown('scrape_config_files:\n- /etc/promstack/current/jobs/*.yml\n')).toMatchObject({
    text: expect.stringContaining('only its last reload shows what it runs'),
    values: { isShown: false },
    tone: 'notice',
  });
});

test('a job without targets must be a notice with the cause', () => {
  const page = [
    'prometheus_target_scrape_pool_targets{scrape_job="node"} 2',
    'prometheus_target_scrape_pool_targets{scrape_job="files"} 0',
    'prometheus_target_scrape_pool_targets{scrape_job="dropped"} 0',
    // Of containers by their labels, which have an indicator of their own.
    'prometheus_target_scrape_pool_targets{scrape_job="discovered"} 0',
    'prometheus_sd_discovered_targets{config="node",name="scrape"} 2',
    'prometheus_sd_discovered_targets{config="files",name="scrape"} 0',
    'prometheus_sd_discovered_targets{config="dropped",name="scrape"} 3',
    'prometheus_sd_discovered_targets{config="files",name="notify"} 1',
    '',
  ].join('\n');
  expect(read('prometheus', 'jobs', page)).toMatchObject({
    text: '1 with targets, 2 without',
    values: { withTargets: 1, withoutTargets: ['dropped', 'files'] },
    tone: 'notice',
    problems: [
      { message: 'the job dropped has no targets: its relabel_configs drop all 3 that were discovered' },
      { message: 'the job files has no targets: nothing was discovered' },
    ],
  });
});

test('the samples of VictoriaMetrics must be counted without the entries of its index', () => {
  const page = [
    'vm_app_version{short_version="v1.145.0"} 1',
    'vm_rows{type="storage/inmemory"} 40',
    'vm_rows{type="storage/small"} 2',
    'vm_rows{type="indexdb/inmemory"} 1000',
    'vm_data_size_bytes{type="storage/small"} 2048',
    'vm_data_size_bytes{type="indexdb/file"} 1024',
    'vm_free_disk_space_bytes{path="/victoria-metrics-data"} 3221225472',
  ].join('\n');
  expect(read('victoriametrics', 'storage', page)?.text).toBe('42 samples in 3KB, 3GB free');
});

test('the job of discovered targets may be empty in a stack that is known by its name alone', () => {
  const page = 'prometheus_target_scrape_pool_targets{scrape_job="discovered"} 0\nprometheus_build_info 1\n';
  const ofName = (keys: object) =>
    read('prometheus', 'jobs', page, undefined, undefined, stackSchema.parse({ name: 'shop', ...keys }));
  expect(ofName({})?.problems).toBeUndefined();
  const own = { scrape_configs: [{ job_name: 'discovered', file_sd_configs: [{ files: ['a.json'] }] }] };
  expect(ofName({ prometheus: own })?.problems).toHaveLength(1);
  expect(ofName({ prometheus: own, discovery: {} })?.problems).toBeUndefined();
});

test.each([
  [
    'of Prometheus 3',
    'time=2026-11-28T13:46:15.067Z level=WARN source=alerting.go:417 msg="Expanding alert template failed" component="rule manager" alert="Bad one" err="error executing template __alert_Bad one: template: __alert_Bad one:1:115: executing \\"__alert_Bad one\\" at <reReplaceAll \\"(\\">: error calling reReplaceAll: missing closing )" data="{}"',
  ],
  [
    'of Prometheus 2',
    'ts=2024-01-01T00:00:00.000Z caller=alerting.go:381 level=warn component="rule manager" msg="Expanding alert template failed" alert="Bad one" err="error executing template __alert_Bad one: template: __alert_Bad one:1:115: executing \\"__alert_Bad one\\" at <reReplaceAll \\"(\\">: error calling reReplaceAll: missing closing )" data="{}"',
  ],
  [
    'in JSON',
    JSON.stringify({
      level: 'WARN',
      msg: 'Expanding alert template failed',
      alert: 'Bad one',
      err: 'error executing template __alert_Bad one: template: __alert_Bad one:1:115: executing "__alert_Bad one" at <reReplaceAll "(">: error calling reReplaceAll: missing closing )',
    }),
  ],
])('a template that fails must be read from the log %s, once for each alert', (_, line) => {
  const prometheus = services.find(({ name }) => name === 'prometheus');
  expect(prometheus?.logProblems?.(['level=INFO msg="Server is ready"', line, line])).toEqual([
    {
      message:
        'a template of the alert Bad one fails: at <reReplaceAll "(">: error calling reReplaceAll: missing closing )',
      tryThis: 'fix its labels and annotations in its rule file, then promstack reload',
    },
  ]);
});

test('notifications must count as sent once a receiver took them, and every attempt that failed must count', () => {
  const page = (failedAttempts: number, givenUp: number) =>
    [
      '# TYPE alertmanager_notifications_total counter',
      'alertmanager_notifications_total{integration="webhook"} 10',
      'alertmanager_notifications_total{integration="email"} 2',
      `alertmanager_notifications_failed_total{integration="email",reason="other"} ${givenUp}`,
      'alertmanager_notifications_failed_total{integration="webhook",reason="other"} 0',
      'alertmanager_notification_requests_total{integration="webhook"} 10',
      `alertmanager_notification_requests_total{integration="email"} ${2 - givenUp + failedAttempts}`,
      'alertmanager_notification_requests_failed_total{integration="webhook"} 0',
      `alertmanager_notification_requests_failed_total{integration="email"} ${failedAttempts}`,
      '',
    ].join('\n');
  expect(read('alertmanager', 'notifications', page(0, 0))).toMatchObject({
    text: '12 sent, none failed',
    tone: 'right',
  });
  expect(read('alertmanager', 'notifications', page(5, 1))).toMatchObject({
    text: '11 sent, 5 attempts failed, 1 given up since it started (email)',
    tone: 'notice',
    problems: [
      {
        message: 'notifications via email failed: 5 attempts failed, 1 given up since it started',
        tryThis: 'promstack logs alertmanager',
      },
    ],
  });
  const retried = [
    'alertmanager_notifications_total{integration="slack"} 1',
    'alertmanager_notifications_failed_total{integration="slack",reason="other"} 0',
    'alertmanager_notification_requests_total{integration="slack"} 3',
    'alertmanager_notification_requests_failed_total{integration="slack"} 3',
    '',
  ].join('\n');
  expect(read('alertmanager', 'notifications', retried)).toMatchObject({
    text: '0 sent, 3 attempts failed, none given up since it started (slack)',
    tone: 'notice',
    values: { sent: 0, failed: 0, failedAttempts: 3, failedBy: ['slack'], recentlyFailedBy: ['slack'] },
  });
});

describe('notifications that failed', () => {
  const page = [
    'alertmanager_notification_requests_total{integration="email"} 20',
    'alertmanager_notification_requests_failed_total{integration="email",receiver_name="a"} 5',
    'alertmanager_notification_requests_failed_total{integration="email",receiver_name="b"} 2',
    'alertmanager_notification_requests_failed_total{integration="slack"} 1',
    'alertmanager_notifications_failed_total{integration="email",reason="other"} 2',
    '',
  ].join('\n');
  const earlier = (attempts: number, slack: number, givenUp: number) => {
    const series = (kind: string, integration: string, value: number) => {
      return { metric: { kind, integration }, value: [1.5, String(value)] };
    };
    const requests = 'alertmanager_notification_requests_failed_total';
    const counts = [series(requests, 'email', attempts), series(requests, 'slack', slack)];
    const final = series('alertmanager_notifications_failed_total', 'email', givenUp);
    return { status: 'success', data: { resultType: 'vector', result: [...counts, final] } };
  };
  const readAfter = (queried: unknown) => read('alertmanager', 'notifications', page, undefined, queried);

  test('must not count as a problem once they are 15 minutes old', () => {
    const reading = readAfter(earlier(7, 1, 2));
    expect(reading).toMatchObject({
      text: '12 sent, none failed in the last 15 minutes; before that: 8 attempts failed, 2 given up (email, slack)',
      tone: 'right',
      values: { failedAttempts: 8, failed: 2, failedBy: ['email', 'slack'], recentlyFailedBy: [] },
    });
    expect(reading?.problems).toBeUndefined();
  });

  test.each([
    ['some of them', earlier(4, 1, 1), '3 attempts failed, 1 given up in the last 15 minutes (email)'],
    ['those after a restart', earlier(90, 1, 30), '7 attempts failed, 2 given up in the last 15 minutes (email)'],
    [
      'those of an Alertmanager without earlier counters',
      { status: 'success', data: { result: [] } },
      '8 attempts failed, 2 given up in the last 15 minutes (email, slack)',
    ],
    ['all where Prometheus has no answer', 'x', '8 attempts failed, 2 given up since it started (email, slack)'],
  ])('must be counted when they are newer: %s', (_, queried, text) => {
    expect(readAfter(queried)).toMatchObject({ text: `12 sent, ${text}`, tone: 'notice' });
  });
});

test('alerts in Alertmanager must be counted as active or suppressed', () => {
  const alert = (state: string) => ({ status: { state } });
  expect(read('alertmanager', 'alerts', [alert('active'), alert('suppressed'), alert('active')])).toMatchObject({
    text: '2 active, 1 silenced or inhibited',
    values: { active: 2, suppressed: 1 },
  });
});

test('a failed push must count until the next successful push to the group', () => {
  const at = (secondsAgo: number) => String(now / 1000 - secondsAgo);
  const page = [
    `push_time_seconds{instance="db",job="backup"} ${at(120)}`,
    `push_failure_time_seconds{instance="db",job="backup"} ${at(60)}`,
    `push_time_seconds{instance="",job="cron"} ${at(12)}`,
    `push_failure_time_seconds{instance="",job="cron"} ${at(30)}`,
    '',
  ].join('\n');
  expect(read('pushgateway', 'groups', page)).toMatchObject({ text: '2 groups, last push 12 s ago', tone: 'right' });
  expect(read('pushgateway', 'groups', '')).toMatchObject({ text: 'nothing pushed yet' });
  expect(read('pushgateway', 'refused pushes', page)).toMatchObject({
    text: 'the last push of 1 group',
    tone: 'notice',
    problems: [{ message: 'it refused the last push of job backup on db, 1 min ago' }],
  });
});

test('a Grafana without its database must be a problem', () => {
  expect(read('grafana', 'database', { database: 'ok', version: '12.4.0' })).toMatchObject({
    text: 'ok (Grafana 12.4.0)',
    tone: 'right',
  });
  expect(read('grafana', 'database', { database: 'failing' })).toMatchObject({ text: 'failing', tone: 'wrong' });
});

test.each(
  services.flatMap((service) =>
    (service.healthIndicators?.(config) ?? []).map((indicator) => [service, indicator] as const),
  ),
)('a response with an unknown format must be ignored', (service, indicator) => {
  expect(indicator.request.port).toBe(service.port);
  for (const body of ['', 'null', '[]', '{"data":1}', '<html>']) {
    const reading = indicator.read({ status: 200, body }, now);
    expect(reading === undefined || reading.tone === 'right').toBe(true);
  }
});

test('samples must be read with their labels', () => {
  const page = 'a_total{x="1",y="a \\"b\\" \\\\ c"} 2\na_total 3\na_total_more 5\n# a_total 7\n';
  expect(samplesOf(page, 'a_total').map((sample) => sample.value)).toEqual([2, 3]);
  expect(sumOf(page, 'a_total')).toBe(5);
  const [first] = samplesOf(page, 'a_total');
  expect(first && sampleLabel(first, 'y')).toBe('a "b" \\ c');
  expect(first && sampleLabel(first, 'z')).toBeUndefined();
});

test.each([
  [0, '0 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_600_000, '1 h ago'],
  [47 * 3_600_000, '47 h ago'],
  [48 * 3_600_000, '2 d ago'],
  [-5_000, '0 s ago'],
])('%i milliseconds must be %s', (ms, text) => {
  expect(ago(now - ms, now)).toBe(text);
});
