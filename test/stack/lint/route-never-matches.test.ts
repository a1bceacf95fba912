import { describe, expect, it } from 'vitest';
import { alertOf, lint, ruleFileOf } from '../../support/lint.ts';

const alerts = [
  alertOf('DiskFull', 'severity: critical, team: infra'),
  alertOf('DiskFilling', 'severity: warning, team: infra'),
  alertOf('TableLocked', 'severity: warning, team: database'),
].join('');

const stackOf = (routes: readonly string[]): string => `alertmanager:
  receivers: [{name: a}, {name: b}]
  route:
    receiver: a
    routes:
${routes.map((route) => `      - ${route}\n`).join('')}`;

/** A last route notifies b, so that it is always reached. */
const lintRoutes = (...routes: readonly string[]): Promise<readonly string[]> =>
  lint({
    stack: stackOf([...routes, '{receiver: b, matchers: [team=~"infra|database"]}']),
    rules: { 'rules/a.yml': ruleFileOf(alerts) },
  });

const warning = (place: string, why: string, hint: string): string =>
  `warning route-never-matches stack.yml:6:${place} no alert takes this route: ${why} (${hint})`;

describe('route-never-matches', () => {
  it.each([
    ['severity="Critical"', 'the alerts have severity "critical"', 'did you mean severity="critical"?'],
    ['severity="critcal"', 'the alerts have severity "critical"', 'did you mean severity="critical"?'],
    [
      'severity=~"Critical|Warning"',
      'the alerts have severity "critical" and "warning"',
      'did you mean severity=~"critical|warning"?',
    ],
    ['alertname="disk_full"', 'the alerts have alertname "DiskFull"', 'did you mean alertname="DiskFull"?'],
    [
      'alertname=~"Disk"',
      'alertname=~"Disk" must match the whole value, such as "DiskFull" and "DiskFilling"',
      'did you mean alertname=~"Disk.*"?',
    ],
    [
      'alertname=~"Disk*"',
      'alertname=~"Disk*" must match the whole value, such as "DiskFull" and "DiskFilling"',
      'did you mean alertname=~"Disk.*"?',
    ],
    [
      'alertname=~"Locked"',
      'alertname=~"Locked" must match the whole value, such as "TableLocked"',
      'did you mean alertname=~".*Locked"?',
    ],
    [
      'alertname=~"disk.+"',
      'alertname=~"disk.+" must match the whole value, such as "DiskFull" and "DiskFilling"',
      'did you mean alertname=~"(?i)disk.+"?',
    ],
    [
      'severity=~"crit|warn"',
      'the alerts have severity "critical" and "warning"',
      'did you mean severity=~"critical|warning"?',
    ],
    ['severity="warn"', 'the alerts have severity "warning"', 'did you mean severity="warning"?'],
    [
      'severity=~"critical,warning"',
      'the alerts have severity "critical" and "warning"',
      'did you mean severity=~"critical|warning"?',
    ],
    ['severity=~"critical | page"', 'the alerts have severity "critical"', 'did you mean severity=~"critical|page"?'],
    ['job="Prometheus"', 'the alerts have job "prometheus"', 'did you mean job="prometheus"?'],
    ['alertname="Unheard"', 'no alert of this stack has such a name', 'compare it with the names of the alerts'],
  ])('must warn about %s, which no alert matches', async (matcher, why, hint) => {
    const place = 21 + 1;
    expect(await lintRoutes(`{matchers: ['${matcher}']}`)).toEqual([
      warning(`${place - 1}+${matcher.length + 2}`, why, hint),
    ]);
  });

  it.each([
    ['{matchers: [team="infra", team="database"]}', 'team="infra" and team="database" exclude each other'],
    [
      '{match: {team: infra}, match_re: {team: "database|web"}}',
      'team="infra" and team=~"database|web" exclude each other',
    ],
    [
      '{matchers: [team=~"infra|web", team!~"infra|web"]}',
      'team=~"infra|web" and team!~"infra|web" exclude each other',
    ],
    ['{matchers: [team="", team=~".+"]}', 'team="" and team=~".+" exclude each other'],
  ])('must warn about matchers that exclude each other: %s', async (route, why) => {
    expect(await lintRoutes(route)).toEqual([
      expect.stringContaining(`no alert takes this route: ${why} (all matchers must match`),
    ]);
  });

  it('must warn about matchers that exclude those of a route above, once for all routes below', async () => {
    const below = '{matchers: [team="database"], routes: [{matchers: [severity="Critical"]}]}';
    expect(await lintRoutes(`{matchers: [team="infra"], routes: [${below}]}`)).toEqual([
      warning(
        '57+15',
        'team="infra" and team="database" of a route above exclude each other',
        'an alert gets to a route only when it matches all routes above: move this one out',
      ),
    ]);
  });

  it('must warn about a value with further quotes', async () => {
    expect(await lintRoutes(`{matchers: ["severity='critical'"]}`)).toEqual([
      expect.stringContaining('the alerts have severity "critical" (did you mean severity="critical"?)'),
    ]);
  });

  it('must warn about a misspelt name of a label', async () => {
    expect(await lintRoutes('{matchers: [Severity="critical"]}')).toEqual([
      warning('9+33', 'no alert has the label Severity', 'did you mean severity?'),
    ]);
  });

  it('must warn about routes whose alerts all go to routes before them', async () => {
    expect(
      await lintRoutes('{receiver: b, matchers: [severity="warning"]}', '{matchers: [alertname=~"Table.+"]}'),
    ).toEqual([
      expect.stringContaining(
        'stack.yml:7:9+34 no alert takes this route: routes before it take all of its alerts: TableLocked (move it up',
      ),
    ]);
    expect(
      await lintRoutes('{receiver: b, matchers: [team="infra"]}', '{matchers: [team="infra", severity="critical"]}'),
    ).toEqual([
      expect.stringContaining(
        'stack.yml:7:9+47 no alert takes this route: a route before it takes all of its alerts (move it up',
      ),
    ]);
    expect(await lintRoutes('{matchers: [alertname="DiskFull", severity="warning"]}')).toEqual([
      warning('43+18', 'DiskFull has severity "critical"', 'compare its matchers with the labels of the alerts'),
    ]);
  });

  it.each([
    'severity="critical"',
    'severity="info"',
    'team="web"',
    'team="infra2"',
    'alertname=~".*Full"',
    'alertname=~"(?i)DISK.*"',
    'instance=~"web"',
    'namespace="shop"',
    'severity=~"critical|Critical"',
    'severity="page"',
    'team="data"',
    'job=~"prom"',
    'job="backup"',
  ])('must not warn about %s', async (matcher) => {
    expect(await lintRoutes(`{matchers: ['${matcher}']}`)).toEqual([]);
  });

  it.each([
    ['an alert relabelled', 'alert_relabel_configs: [{target_label: severity, replacement: Critical}]', []],
    ['other labels relabelled', 'alert_relabel_configs: [{regex: replica, action: labeldrop}]', ['severity']],
    ['all labels renamed', 'alert_relabel_configs: [{regex: (.*), action: labelmap}]', []],
  ])('must know that labels may change on the way to Alertmanager: %s', async (_what, alerting, expected) => {
    const folder = {
      stack: stackOf(['{receiver: b, matchers: [severity="Critical"]}']),
      rules: { 'rules/a.yml': ruleFileOf(alerts) },
    };
    const template = `global: {}\nrule_files: [rules/*.yml, rules/user/*.yml]\nalerting: {${alerting}}\nscrape_configs: []\n`;
    const warnings = await lint({ ...folder, templates: { 'prometheus/prometheus.yml': template } });
    expect(warnings.map((line) => /route: the alerts have (\w+)/.exec(line)?.[1])).toEqual(expected);
  });

  it('must know the values of external labels and targets', async () => {
    const rules = { 'rules/a.yml': ruleFileOf(alertOf('A', 'team: infra')) };
    const route = stackOf(['{receiver: b, matchers: [team="Infra"]}']);
    expect(await lint({ stack: route, rules })).toHaveLength(1);
    const target =
      'prometheus: {scrape_configs: [{job_name: x, static_configs: [{targets: [x:1], labels: {team: Infra}}]}]}\n';
    expect(await lint({ stack: target + route, rules })).toEqual([
      expect.stringContaining('the alert A has team="infra", which no route asks for'),
    ]);
    const external = 'prometheus: {external_labels: {site: Home}}\n';
    const bySite = stackOf(['{receiver: b, matchers: [site="home"]}']);
    expect(await lint({ stack: external + bySite, rules })).toEqual([
      expect.stringContaining('did you mean site="Home"?'),
    ]);
  });

  it('must warn about a label that nothing has, when the running Prometheus has been asked', async () => {
    const folder = {
      stack: stackOf(['{receiver: b, matchers: [tier="db"]}']),
      rules: { 'rules/a.yml': ruleFileOf(alerts) },
    };
    const live = { metrics: new Set(['up']), labels: new Set(['job']), isComplete: true };
    expect(await lint(folder, live)).toEqual([
      warning(
        '34+9',
        'no rule and no series of the running Prometheus has the label tier',
        'add the label tier to the alerts that are meant',
      ),
    ]);
    expect(await lint(folder, { ...live, labels: new Set(['tier']) })).toEqual([]);
    expect(await lint(folder, { ...live, isComplete: false })).toEqual([]);
  });
});

describe('pattern-in-equality', () => {
  it.each([
    ['alertname="*"', 'matches no alert', 'alertname=~".+"'],
    ['severity="critical|warning"', 'matches no alert', 'severity=~"critical|warning"'],
    ['severity="critical, warning"', 'matches no alert', 'severity=~"critical|warning"'],
    ['severity="critical or warning"', 'matches no alert', 'severity=~"critical|warning"'],
    ['severity="critical/warning"', 'matches no alert', 'severity=~"critical|warning"'],
    ['alertname="Disk*"', 'matches no alert', 'alertname=~"Disk.*"'],
    ['alertname=".*Full"', 'matches no alert', 'alertname=~".*Full"'],
    ['instance="(web|db)"', 'matches no alert', 'instance=~"(web|db)"'],
    ['severity!="info|none"', 'matches every alert', 'severity!~"info|none"'],
  ])('must warn about %s', async (matcher, effect, better) => {
    const value = JSON.parse(matcher.slice(matcher.indexOf('=') + 1));
    expect(await lintRoutes(`{matchers: ['${matcher}'], continue: true}`)).toEqual([
      `warning pattern-in-equality stack.yml:6:21+${matcher.length + 2} ${matcher} ${effect}: the value is compared with "${value}" as it is (to match a pattern, write ${better})`,
    ]);
  });

  it('must warn about one in an inhibit rule, in the older syntax too', async () => {
    const stack =
      'alertmanager:\n  inhibit_rules:\n    - {source_match: {severity: critical|page}, target_matchers: [severity="warning"]}\n';
    expect(await lint({ stack })).toEqual([expect.stringContaining('pattern-in-equality stack.yml:3:33+13')]);
  });

  it.each(['team="shop/web"', 'instance="a b"', 'team="(none)"'])('must not warn about %s', async (matcher) => {
    expect(await lintRoutes(`{matchers: ['${matcher}']}`)).toEqual([]);
  });

  it('must not warn about values that alerts have', async () => {
    const rules = { 'rules/a.yml': ruleFileOf(alertOf('A', 'team: "a|b"')) };
    expect(await lint({ stack: stackOf([`{receiver: b, matchers: ['team="a|b"']}`]), rules })).toEqual([]);
  });
});
