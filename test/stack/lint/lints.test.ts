import { describe, expect, it } from 'vitest';
import { lintRendering } from '../../../scripts/check/lint.ts';
import { type Folder, printed, renderingOf } from '../../support/own-tests.ts';

async function lint(folder: Folder): Promise<readonly string[]> {
  return printed(lintRendering(await renderingOf(folder)));
}

/** The warnings about rules in rules/a.yml of an otherwise empty stack, without a Pushgateway, which could have any job. */
const lintRules = (rules: string, stack = 'pushgateway: {enabled: false}\n'): Promise<readonly string[]> =>
  lint({ stack, rules: { 'rules/a.yml': fileOf(rules) } });

const fileOf = (rules: string): string => `groups:\n  - name: a\n    rules:\n${rules.replaceAll(/^(?=.)/gm, '      ')}`;

describe('unreached-receiver', () => {
  const stackOf = (routes: string): Folder => ({
    stack: `alertmanager:
  receivers:
    - name: a
    - name: b
  route:
    receiver: a
    routes: ${routes}
`,
  });

  it('must warn about a receiver that no route uses', async () => {
    expect(await lint(stackOf('[]'))).toEqual([
      'warning unreached-receiver stack.yml:4:13+1 the receiver "b" is never notified: no route uses it (use it in a route, or remove it; "# promstack: ignore unreached-receiver" silences this)',
    ]);
  });

  it('must warn about a receiver after a route that matches everything', async () => {
    const warnings = await lint(stackOf('[{receiver: a}, {receiver: b, matchers: [x="1"]}]'));
    expect(warnings).toEqual([
      'warning unreached-receiver stack.yml:4:13+1 the receiver "b" is never notified: routes before its own match all of its alerts (move its route up, or add "continue: true" to the route before it; "# promstack: ignore unreached-receiver" silences this)',
    ]);
    expect(await lint(stackOf('[{receiver: b}]'))).toEqual([
      expect.stringContaining('receiver "a" is never notified: routes before its own'),
    ]);
  });

  it.each([
    '[{receiver: a, matchers: [alertname=~".+"]}, {receiver: b, matchers: [x="1"]}]',
    '[{receiver: a, matchers: [x=~".*", alertname!=""]}, {receiver: b, matchers: [x="1"]}]',
    '[{receiver: a, matchers: [x="1"]}, {receiver: b, matchers: [x="1", y="2"]}]',
    '[{receiver: a, matchers: [x=~"1|2|3"]}, {receiver: b, matchers: [x=~"1|3"]}]',
    '[{receiver: a, matchers: [x!=""]}, {receiver: b, matchers: [x=~".+", y="2"]}]',
    '[{receiver: a, matchers: [x="1"]}, {receiver: a, matchers: [y="2"], routes: [{receiver: b, matchers: [x="1"]}]}]',
    '[{receiver: b, matchers: [x="1"], routes: [{receiver: a, matchers: [x!="2"]}]}]',
  ])('must warn when other routes match all of its alerts: %s', async (routes) => {
    expect(await lint(stackOf(routes))).toEqual([
      expect.stringContaining('"b" is never notified: routes before its own match all'),
    ]);
  });

  it.each([
    '[{receiver: a, matchers: [x=~".+"]}, {receiver: b, matchers: [y="1"]}]',
    '[{receiver: a, matchers: [x="1", y="2"]}, {receiver: b, matchers: [x="1"]}]',
    '[{receiver: a, matchers: [x="1"], continue: true}, {receiver: b, matchers: [x="1", y="2"]}]',
    '[{receiver: a, matchers: [x=~"1|2"]}, {receiver: b, matchers: [x=~"1|2.*"]}]',
    '[{receiver: a, matchers: [x!="1"]}, {receiver: b, matchers: [x=~".+"]}]',
    '[{receiver: b, matchers: [x="1"]}]',
    '[{receiver: a, continue: true}, {receiver: b, matchers: [x="1"]}]',
    '[{matchers: [x="1"], routes: [{receiver: b, matchers: [y="1"]}]}]',
  ])('must not warn about one that is notified by some route: %s', async (routes) => {
    expect(await lint(stackOf(routes))).toEqual([]);
  });
});

describe('default-receiver-only', () => {
  const stack = `pushgateway: {enabled: false}
alertmanager:
  receivers: [{name: a}, {name: b}]
  route:
    receiver: a
    routes:
      - {receiver: b, matchers: [severity="critical"]}
      - {receiver: b, matchers: [team="db"]}
`;

  it.each(['critcal', 'Critical', 'criticals'])('must warn about the misspelt value %s', async (value) => {
    expect(await lintRules(`- alert: A\n  expr: sum(up) < 1\n  labels: {severity: ${value}}\n`, stack)).toEqual([
      `warning default-receiver-only rules/a.yml:6:28+${value.length} the alert A has severity="${value}", which no route asks for, so it notifies only the default receiver "a" (did you mean severity="critical"?; "# promstack: ignore default-receiver-only" silences this)`,
    ]);
  });

  it.each(['sum(up) < 1', 'up == 0'])('must warn about an alert on %s without the label of routes', async (expr) => {
    const byTeam = stack.replace(/.*team="db".*\n/, '');
    expect(await lintRules(`- alert: A\n  expr: ${expr}\n`, byTeam)).toEqual([
      'warning default-receiver-only rules/a.yml:4:16+1 the alert A has no label severity, by which routes select alerts, so it notifies only the default receiver "a" (add the label, such as severity: critical; "# promstack: ignore default-receiver-only" silences this)',
    ]);
  });

  it('must not warn about the alerts without a label that only a few have', async () => {
    const rule = (name: string, labels: string): string =>
      `- alert: ${name}\n  expr: sum(up) < 1\n  labels: {severity: warning${labels}}\n`;
    const rules = rule('A', '') + rule('B', '') + rule('C', ', team: db');
    expect(await lintRules(rules, stack)).toEqual([]);
  });

  it('must not warn about a label that alerts get on the way to Alertmanager', async () => {
    const folder = { stack, rules: { 'rules/a.yml': fileOf('- alert: A\n  expr: up == 0\n') } };
    const alerting = '{alert_relabel_configs: [{target_label: severity, replacement: critical}]}';
    const template = `global: {}\nrule_files: [rules/*.yml, rules/user/*.yml]\nalerting: ${alerting}\nscrape_configs: []\n`;
    expect(await lint({ ...folder, templates: { 'prometheus/prometheus.yml': template } })).toEqual([]);
  });

  it('must not warn about a label that targets have', async () => {
    const job = '{job_name: x, static_configs: [{targets: [x:1], labels: {severity: critical}}]}';
    const byTarget = `prometheus: {scrape_configs: [${job}]}\n${stack}`;
    expect(await lintRules('- alert: A\n  expr: up == 0\n', byTarget)).toEqual([]);
    expect(await lintRules('- alert: A\n  expr: max by (severity) (x) > 0\n', stack)).toEqual([]);
  });

  it.each([
    ['with another value', 'expr: sum(up) < 1\n  labels: {severity: warning}'],
    ['that a route takes', 'expr: sum(up) < 1\n  labels: {severity: critical}'],
    ['whose series may have the label', 'expr: up < 1\n  labels: {severity: warning}'],
    ['whose label is a template', 'expr: sum(up) < 1\n  labels: {severity: "{{ $value }}"}'],
  ])('must not warn about an alert %s', async (_what, rule) => {
    expect(await lintRules(`- alert: A\n  ${rule}\n`, stack)).toEqual([]);
  });

  it('must not warn with a single receiver, or when a comment silences it', async () => {
    const rule = '- alert: A\n  expr: sum(up) < 1\n';
    const oneReceiver =
      'alertmanager:\n  receivers: [{name: a}]\n  route: {receiver: a, routes: [{matchers: [x="1"]}]}\n';
    expect(await lintRules(rule, oneReceiver)).toEqual([]);
    const meant = stack.replace('receiver: a\n', 'receiver: a # promstack: ignore default-receiver-only\n');
    expect(await lintRules(rule, meant)).toEqual([]);
  });
});

describe('inhibit-never-matches', () => {
  const inhibit = (rule: string): Promise<readonly string[]> =>
    lint({
      stack: `alertmanager:\n  inhibit_rules:\n    - ${rule}\n`,
      rules: { 'rules/a.yml': fileOf('- alert: NodeDown\n  expr: up == 0\n  labels: {severity: critical}\n') },
    });
  const warning = (message: string, hint: string): string =>
    expect.stringMatching(
      new RegExp(
        `^warning inhibit-never-matches stack.yml:3:7\\+\\d+ ${escaped(message)} \\(${escaped(hint)}; "# promstack: ignore inhibit-never-matches" silences this\\)$`,
      ),
    );

  it.each([
    [
      '{source_matchers: [alertname="NodeDwn"], target_matchers: [severity="warning"]}',
      'this inhibit rule never mutes an alert: no alert of this stack matches its source matchers',
      'did you mean alertname="NodeDown"?',
    ],
    [
      '{source_matchers: [alertname="NodeDown"], target_matchers: [alertname=~"Disk.+"]}',
      'this inhibit rule never mutes an alert: no alert of this stack matches its target matchers',
      'compare them with the labels of the alerts',
    ],
    [
      '{source_matchers: [severity="critical", severity="warning"], target_matchers: [a="b"]}',
      'this inhibit rule never mutes an alert: its source matchers contradict each other on the label severity',
      'all matchers of a side must match; to match one of several values, write label=~"a|b"',
    ],
    [
      '{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [severity, job]}',
      'this inhibit rule never mutes an alert: "equal" requires the same severity in source and target, but the matchers require different values',
      'remove severity from "equal"',
    ],
    [
      '{source_matchers: [severity="critical"], target_matchers: [severity = critical]}',
      'this inhibit rule never mutes an alert: its sources and targets are the same alerts, which do not mute each other',
      'make the target matchers differ from the source matchers',
    ],
  ])('must warn about %s', async (rule, message, hint) => {
    expect(await inhibit(rule)).toEqual([warning(message, hint)]);
  });

  it.each([
    '{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [job]}',
    '{source_matchers: [severity="critical", team="db"], target_matchers: [severity=~"info|warning"]}',
    '{source_match: {alertname: NodeDown}, target_match_re: {severity: "w.*"}}',
  ])('must not warn about %s', async (rule) => {
    expect(await inhibit(rule)).toEqual([]);
  });
});

describe('job-not-scraped', () => {
  const node = 'prometheus: {scrape_configs: [{job_name: node}]}\n';
  const closed = `pushgateway: {enabled: false}\n${node}`;
  const rule = (job: string): string => `- record: a:b\n  expr: sum(rate(x{job="${job}"}[5m]))\n`;

  it('must warn about a job that is not scraped', async () => {
    expect(await lintRules(rule('nodes'), closed)).toEqual([
      'warning job-not-scraped rules/a.yml:5:30+7 a:b selects the job "nodes", which this stack does not scrape (did you mean "node"?; "# promstack: ignore job-not-scraped" silences this)',
    ]);
    expect(await lintRules(rule('mysql'), closed)).toEqual([
      'warning job-not-scraped rules/a.yml:5:30+7 a:b selects the job "mysql", which this stack does not scrape (the jobs are prometheus, alertmanager, grafana, node; "# promstack: ignore job-not-scraped" silences this)',
    ]);
  });

  it('must warn only about a typo when jobs may be pushed or discovered', async () => {
    expect(await lintRules(rule('mysql'), node)).toEqual([]);
    expect(await lintRules(rule('nodes'), node)).toEqual([
      'warning job-not-scraped rules/a.yml:5:30+7 a:b selects the job "nodes", which this stack does not scrape, unless its targets set the label themselves (did you mean "node"?; "# promstack: ignore job-not-scraped" silences this)',
    ]);
    const discovered = 'prometheus: {scrape_configs: [{job_name: node-1, file_sd_configs: [{files: [a.yml]}]}]}\n';
    expect(await lintRules(rule('node-2'), `pushgateway: {enabled: false}\n${discovered}`)).toEqual([]);
  });

  it.each(['node', 'prometheus', ''])('must not warn about the job "%s"', async (job) => {
    expect(await lintRules(rule(job), closed)).toEqual([]);
  });

  it('must know the job labels of static targets', async () => {
    const given =
      'prometheus: {scrape_configs: [{job_name: a, static_configs: [{targets: [x:1], labels: {job: mysql}}]}]}\n';
    expect(await lintRules(rule('mysql'), `pushgateway: {enabled: false}\n${given}`)).toEqual([]);
  });
});

describe('pushgateway-without-honor-labels', () => {
  const jobOf = (job: string): Folder => ({
    stack: `prometheus:\n  scrape_configs:\n    - job_name: pushed\n      ${job}\n`,
  });

  it.each(['push.example.com/pushgateway', 'pushgateway-2:9091', 'host.docker.internal:9091'])(
    'must tell of a job that scrapes %s without it',
    async (target) => {
      expect(await lint(jobOf(`static_configs: [{targets: ["${target}"]}]`))).toEqual([
        'warning pushgateway-without-honor-labels stack.yml:3:17+6 the job "pushed" scrapes a Pushgateway without "honor_labels: true", so all pushed metrics get the Pushgateway\'s own job and instance (add "honor_labels: true" to the job; "# promstack: ignore pushgateway-without-honor-labels" silences this)',
      ]);
    },
  );

  it('must not warn about one that has it, or that scrapes another server', async () => {
    expect(
      await lint(
        jobOf(
          '{honor_labels: true, static_configs: [{targets: ["pushgateway-2:9091"]}]}'
            .slice(1, -1)
            .replace(', ', '\n      '),
        ),
      ),
    ).toEqual([]);
    expect(await lint(jobOf('static_configs: [{targets: ["db:9091"]}]'))).toEqual([]);
  });
});

describe('repeat-beyond-retention', () => {
  const repeat = (every: string, retention: string): Promise<readonly string[]> =>
    lint({
      stack: `alertmanager:
  retention: ${retention}
  receivers: [{name: a}]
  route:
    receiver: a
    routes:
      - matchers: [severity="info"]
        repeat_interval: ${every}
`,
    });

  it('must warn about a repeat_interval longer than the retention', async () => {
    expect(await repeat('7d', '120h')).toEqual([
      'warning repeat-beyond-retention stack.yml:8:26+2 the repeat_interval 7d is longer than alertmanager.retention, so notifications repeat after 120h (set alertmanager.retention to 7d or more; "# promstack: ignore repeat-beyond-retention" silences this)',
    ]);
  });

  it.each(['', '  receivers: [{name: a}]\n  route: {receiver: a}\n'])(
    'must tell of the default wait that outlasts what is remembered: %o',
    async (routes) => {
      expect(await lint({ stack: `alertmanager:\n  retention: 1h\n${routes}` })).toEqual([
        'warning repeat-beyond-retention stack.yml:2:14+2 the retention 1h is shorter than the default repeat_interval of 4h, so notifications repeat after 1h (set it to 4h or more, or set alertmanager.route.repeat_interval; "# promstack: ignore repeat-beyond-retention" silences this)',
      ]);
      expect(await lint({ stack: `alertmanager:\n  retention: 4h\n${routes}` })).toEqual([]);
    },
  );

  it('must not warn about one within the retention', async () => {
    expect(await repeat('5d', '120h')).toEqual([]);
  });
});

describe('repeat-below-group-interval', () => {
  const lintRoute = (route: string): Promise<readonly string[]> =>
    lint({ stack: `alertmanager:\n  receivers: [{name: a}]\n  route: {receiver: a, ${route}}\n` });

  it.each([
    ['repeat_interval: 1m', '3:41+2', '1m', '5m'],
    ['repeat_interval: 5m, group_interval: 10m', '3:41+2', '5m', '10m'],
    ['group_interval: 1d', '3:40+2', '4h', '1d'],
    ['repeat_interval: 10m, routes: [{group_interval: 1h, routes: [{group_wait: 1s}]}]', '3:72+2', '10m', '1h'],
  ])('must warn about %s', async (route, place, repeat, group) => {
    expect(await lintRoute(route)).toEqual([
      `warning repeat-below-group-interval stack.yml:${place} the repeat_interval ${repeat} is shorter than the group_interval ${group}, so notifications repeat every ${group} (set group_interval to ${repeat} or less, or repeat_interval to ${group} or more; "# promstack: ignore repeat-below-group-interval" silences this)`,
    ]);
  });

  it.each(['repeat_interval: 5m', 'group_interval: 10s, repeat_interval: 30s', 'group_interval: 1h'])(
    'must not warn about %s',
    async (route) => {
      expect(await lintRoute(route)).toEqual([]);
    },
  );
});

describe('label-aggregated-away', () => {
  const alert = (expr: string, text: string): string =>
    `- alert: A\n  expr: ${expr}\n  annotations:\n    summary: ${text}\n`;

  it.each([
    ['sum by (job) (x)', 'on {{ $labels.instance }}', '7:26+16', 'instance', 'the expression keeps only job'],
    ['sum(x)', '"{{ $labels.job | toUpper }}"', '7:24+11', 'job', 'the expression keeps no labels'],
    ['sum(x)', '"{{ .Labels.job }}"', '7:24+11', 'job', 'the expression keeps no labels'],
    ['sum(x)', '"{{ with $labels }}{{ .job }}{{ end }}"', '7:42+4', 'job', 'the expression keeps no labels'],
    ['max without (pod) (x)', '"{{ index $labels \\"pod\\" }}"', '7:24+20', 'pod', 'the expression drops pod'],
    ['sum by (a, b) (x) > on (a) y', '"{{$labels.b}}"', '7:23+9', 'b', 'the expression keeps only a'],
    ['x / ignoring (code) y', '"{{$labels.code}}"', '7:23+12', 'code', 'the expression drops code'],
    ['absent(x{env="a"})', '"{{$labels.instance}}"', '7:23+16', 'instance', 'the expression keeps only env'],
    [
      'histogram_quantile(0.9, sum by (le, job) (x))',
      '"{{$labels.le}}"',
      '7:23+10',
      'le',
      'the expression keeps only job',
    ],
    ['vector(1) unless on () x', '"{{$labels.job}}"', '7:23+11', 'job', 'the expression keeps no labels'],
  ])('must warn about %s with %s', async (expr, text, place, label, because) => {
    expect(await lintRules(alert(expr, text))).toEqual([
      `warning label-aggregated-away rules/a.yml:${place} the annotation summary of A uses $labels.${label}, which is always empty: ${because} (keep the label in the expression, or remove it from the text; "# promstack: ignore label-aggregated-away" silences this)`,
    ]);
  });

  it.each([
    'x',
    'sum by (job) (x)',
    'topk(3, x) > 1',
    'sum without (instance) (x) * 2',
    'sum(x) or sum by (job) (y)',
    'sum by (instance) (x) * on (instance) group_left (job) y',
    'sum by (instance) (x) * on (instance) group_right (z) y',
    'label_replace(sum(x), "job", "$1", "a", "(.*)")',
    'count_values("job", x)',
    'absent(up{job="prometheus"})',
    '-(1 - max_over_time(sum by (job) (rate(x[5m]))[1h:5m]))',
    'scalar(sum(x)) * up',
    'x and on () sum(y)',
  ])('must not warn about $labels.job of %s', async (expr) => {
    expect(await lintRules(alert(expr, '"{{ $labels.job }}"'))).toEqual([]);
  });

  it('must check labels with templates too', async () => {
    expect(await lintRules('- alert: A\n  expr: sum(x)\n  labels: {team: "{{ $labels.team }}"}\n')).toEqual([
      expect.stringContaining('the label team of A uses $labels.team, which is always empty'),
    ]);
  });
});

describe('a comment', () => {
  const rule = (lines: Readonly<Record<'file' | 'above' | 'at', string>>): string =>
    `${lines.file}groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: sum(x)\n        annotations:\n${lines.above}          summary: a {{ $labels.job }}${lines.at}\n`;
  const none = { file: '', above: '', at: '' };
  const comment = '# promstack: ignore label-aggregated-away';

  it.each([
    ['in the line', { ...none, at: ` ${comment}` }],
    ['above it', { ...none, above: `          ${comment}, unreached-receiver\n          # since we like it\n` }],
    ['above a key it stands under', { ...none, file: `${comment}\n` }],
  ])('%s must silence a warning', async (_where, lines) => {
    expect(await lint({ stack: 'name: a\n', rules: { 'rules/a.yml': rule(lines) } })).toEqual([]);
  });

  it('must not silence another warning', async () => {
    const lines = { ...none, at: ' # promstack: ignore metric-unknown' };
    expect(await lint({ stack: 'name: a\n', rules: { 'rules/a.yml': rule(lines) } })).toHaveLength(1);
  });

  it('must be reported when it names no warning', async () => {
    const stack = 'name: a # promstack: ignore unreachd-receiver\n';
    expect(await lint({ stack })).toEqual([
      'warning unknown-lint stack.yml:1:29+17 this comment has no effect: there is no warning named "unreachd-receiver" (did you mean "unreached-receiver"?)',
    ]);
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

describe('variable-outside-template', () => {
  const lintText = (text: string) =>
    lintRules(`- alert: A\n  expr: up\n  annotations:\n    summary: ${JSON.stringify(text)}\n`);
  const silences = '"# promstack: ignore variable-outside-template" silences this';

  it.each([
    ['on $labels.instance', '$labels.instance', 'outside of {{ }}', 'write {{ $labels.instance }}'],
    ['{ $labels.job } is {{ $value }}', '$labels.job', 'outside of {{ }}', 'write {{ $labels.job }}'],
    ['{{ $labels.job }} is $value', '$value', 'outside of {{ }}', 'write {{ $value }}'],
    ['see $externalURL/alerts', '$externalURL', 'outside of {{ }}', 'write {{ $externalURL }}'],
    [
      '{{ query "up{job=\'$labels.job\'}" }}',
      '$labels.job',
      'in a string',
      'use printf: {{ printf "… %s …" $labels.job }}',
    ],
  ])('must warn about %s', async (text, word, where, hint) => {
    expect(await lintText(text)).toEqual([
      expect.stringContaining(
        `the annotation summary of A has ${word} ${where}, where it is plain text (${hint}; ${silences})`,
      ),
    ]);
  });

  it.each([
    '{{ $labels.instance }} is {{ $value | humanize }}',
    '$ {{ $value }} of $values and US$5',
    '{{ reReplaceAll "(?P<value>.*)" "$value" $labels.job }}',
    'see https://example.com/$labels',
  ])('must not warn about %s', async (text) => {
    expect(await lintText(text)).toEqual([]);
  });

  it('must warn about labels too', async () => {
    expect(await lintRules('- alert: A\n  expr: up\n  labels: {team: $labels.team}\n')).toEqual([
      expect.stringContaining('the label team of A has $labels.team outside of {{ }}'),
    ]);
  });
});
