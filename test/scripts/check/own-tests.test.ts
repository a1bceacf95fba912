import { describe, expect, it } from 'vitest';
import { runOwnTests } from '../../../scripts/check/own-tests.ts';
import { type Folder, printed, renderingOf } from '../../support/own-tests.ts';

const stack = `
prometheus:
  rules: [rules/*.yml]
alertmanager:
  route:
    receiver: slack
    routes:
      - matchers: [severity="critical"]
        receiver: pager
        routes:
          - matchers: [team=~"db|storage"]
            receiver: dba
      - matchers: [audit!=""]
        receiver: mail
        continue: true
      - matchers: [severity="info"]
        receiver: mail
  receivers:
    - name: slack
    - name: pager
    - name: dba
    - name: mail
  inhibit_rules:
    - source_matchers: [alertname="NodeDown"]
      target_matchers: [severity="warning"]
      equal: [instance]
    - source_matchers: [severity="critical"]
      target_matchers: [team="db"]
      equal: [cluster]
`;

const shop = `groups:
  - name: shop
    rules:
      - alert: NoOrders
        expr: orders == 0
`;

async function runTests(folder: Partial<Folder>) {
  const { ruleTests, diagnostics } = await runOwnTests(await renderingOf({ stack, ...folder }));
  return { ruleTests, reported: printed(diagnostics) };
}

const routes = (text: string) => runTests({ tests: { 'tests/routing.yml': `routes:\n${text}` } });
const inhibit = (text: string) => runTests({ tests: { 'tests/routing.yml': `inhibit:\n${text}` } });

const together = (text: string) => runTests({ tests: { 'tests/routing.yml': `tests:\n${text}` } });

describe('a test of alerts that fire together', () => {
  it.each([
    // The format proposed for amtool (prometheus/alertmanager#5167).
    '[{labels: {severity: critical, team: storage}, expected_receivers: [dba]}]',
    '[{labels: {audit: "yes", severity: warning}, expected_receivers: [mail]}]',
    '[{labels: {alertname: NodeDown, instance: a}}, {labels: {severity: warning, instance: a}, expected_inhibited: true}]',
    '[{labels: {alertname: NodeDown, instance: a}, expected_inhibited: false}, {labels: {severity: warning, instance: b}}]',
    '[{labels: {alertname: NodeDown, instance: a}}, {labels: {severity: warning, instance: a}, expected_receivers: [slack], expected_inhibited: true}]',
  ])('must pass with %s', async (alerts) => {
    expect((await together(`  - {name: a, alerts: ${alerts}}\n`)).reported).toEqual([]);
  });

  it('must fail at the expectation, with the expected and the actual result', async () => {
    const { reported } = await together(`  - name: critical comes first
    alerts:
      - labels: {alertname: NodeDown, instance: a}
        expected_receivers: [pager]
        expected_inhibited: true
      - labels: {severity: warning, instance: a}
      - labels: {x: y}
        expected_receivers: [slak]
`);
    expect(reported).toEqual([
      'error test-failed tests/routing.yml:5:29+7 test "critical comes first" failed: {alertname="NodeDown", instance="a"} should notify pager, but notifies slack',
      'error test-failed tests/routing.yml:6:29+4 test "critical comes first" failed: {alertname="NodeDown", instance="a"} should be inhibited, but is not',
      'error test-failed tests/routing.yml:7:9+6 test "critical comes first" failed: {severity="warning", instance="a"} should not be inhibited, but is',
      'error unknown-receiver tests/routing.yml:9:30+4 unknown receiver "slak" (did you mean "slack"?)',
    ]);
  });

  it.each([
    ['[{label: {}}]', 'unknown key "label"'],
    ['[]', 'expected at least one alert'],
    ['[{labels: {}, expected_inhibited: maybe}]', 'expected true or false, got the string "maybe"'],
  ])('must report mistakes in %s', async (alerts, message) => {
    expect((await together(`  - {name: a, alerts: ${alerts}}\n`)).reported.join('\n')).toContain(message);
  });

  it.each(['alert', 'Alerts', 'alers'])('must be recognized with the typo %s', async (key) => {
    const { ruleTests, reported } = await together(`  - {name: a, ${key}: [{labels: {}}]}\n`);
    expect(reported.join('\n')).toContain(`unknown key "${key}"`);
    expect(ruleTests).toEqual([]);
  });

  it('must not be mixed with a test of promtool', async () => {
    const { reported } = await together(
      '  - {name: a, alerts: [{labels: {}}]}\n  - {interval: 1m, input_series: []}\n',
    );
    expect(reported.join('\n')).toContain('this file mixes promtool tests with promstack tests');
  });
});

describe('a test of routes', () => {
  it.each([
    ['{}', '[slack]'],
    ['{severity: critical}', '[pager]'],
    ['{severity: critical, team: storage}', '[dba]'],
    ['{severity: info}', '[mail]'],
    ['{audit: yes, severity: warning}', '[mail]'],
    ['{alertname: PromstackVerify, job: promstack-verify}', '[promstack-verify]'],
  ])('must pass when %s reaches %s', async (labels, receivers) => {
    expect(await routes(`  - {name: a, labels: ${labels}, receivers: ${receivers}}\n`)).toEqual({
      ruleTests: [],
      reported: [],
    });
  });

  it('must fail with its position, the expected and the actual result', async () => {
    const { reported } = await routes(`  - name: storage goes to its team
    labels: {severity: critical, team: storage}
    receivers: [pager, mail]
  - name: nobody hears of it
    labels: {severity: info}
    receivers: []
`);
    expect(reported).toEqual([
      'error test-failed tests/routing.yml:4:16+13 route test "storage goes to its team" failed: {severity="critical", team="storage"} should notify pager and mail, but notifies dba',
      'error test-failed tests/routing.yml:7:16+2 route test "nobody hears of it" failed: {severity="info"} should notify nobody, but notifies mail',
    ]);
  });

  it('must distinguish a missing receiver from one that is not notified', async () => {
    const { reported } = await routes('  - {name: a, labels: {}, receivers: [slak]}\n');
    expect(reported).toEqual([
      'error unknown-receiver tests/routing.yml:2:39+4 unknown receiver "slak" (did you mean "slack"?)',
    ]);
  });

  it('must report that it cannot run when only Alertmanager can evaluate an expression', async () => {
    const odd = stack.replace('severity="info"', String.raw`'name=~"\\p{Greek}+"'`);
    const { reported } = await runTests({
      stack: odd,
      tests: { 'tests/a.yml': 'routes:\n  - {name: a, labels: {name: b}, receivers: [slack]}\n' },
    });
    expect(reported).toEqual([
      'warning could-not-check tests/a.yml:2:45+7 route test "a" was not run: it depends on a regular expression that only Alertmanager can evaluate (simplify the matcher)',
    ]);
  });
});

describe('a test of inhibit rules', () => {
  it.each([
    [
      ['{alertname: NodeDown, instance: a}', '{alertname: Slow, severity: warning, instance: a}'],
      '[{alertname: Slow}]',
    ],
    [['{alertname: NodeDown, instance: a}', '{alertname: Slow, severity: warning, instance: b}'], '[]'],
    [['{alertname: NodeDown}', '{alertname: Slow, severity: warning}'], '[{alertname: Slow}]'],
    [['{severity: critical, team: web}', '{team: db}'], '[{team: db}]'],
    // Two alerts that match both source and target never mute each other.
    [['{severity: critical, team: db, a: x}', '{severity: critical, team: db, a: y}'], '[]'],
    // A muted alert still mutes others.
    [
      ['{severity: critical}', '{alertname: NodeDown, team: db}', '{alertname: Slow, severity: warning}'],
      '[{alertname: NodeDown}, {alertname: Slow}]',
    ],
  ])('must pass when of %o those are muted that %s names', async (firing, muted) => {
    expect((await inhibit(`  - {name: a, firing: [${firing.join(', ')}], muted: ${muted}}\n`)).reported).toEqual([]);
  });

  it('must fail with its position, the expected and the actual result', async () => {
    const { reported } = await inhibit(`  - name: an outage mutes all
    firing:
      - {alertname: NodeDown, instance: a}
      - {alertname: Slow, severity: info, instance: a}
      - {alertname: Full, severity: warning, instance: a}
    muted:
      - alertname: Slow
`);
    expect(reported).toEqual([
      'error test-failed tests/routing.yml:8:7+17 inhibit test "an outage mutes all" failed: it should mute {alertname="Slow", severity="info", instance="a"}, but mutes {alertname="Full", severity="warning", instance="a"}',
    ]);
  });

  it('must not accept a muted alert that does not fire', async () => {
    const { reported } = await inhibit('  - {name: a, firing: [{a: b}], muted: [{a: c}]}\n');
    expect(reported).toEqual([
      'error no-such-alert tests/routing.yml:2:41+6 no alert under "firing" has the labels {a="c"} (under "muted", use labels of alerts under "firing")',
    ]);
  });
});

describe('a file of tests', () => {
  it('must have its errors reported with their positions', async () => {
    const { reported } = await runTests({
      tests: {
        'tests/a.yml': 'routs: []\n',
        'tests/b.yml': 'routes:\n  - name: a\n    label: {}\n    receivers: slack\n',
        'tests/c.yml': 'routes: []\nrule_files: []\n',
        'tests/d.yml': 'services: {db: {image: x}}\n',
        'tests/e.yml': 'routes: [\n',
      },
    });
    expect(reported).toEqual([
      'error unknown-key tests/a.yml:1:1+5 unknown key "routs" (did you mean "routes"?)',
      'error missing-key tests/b.yml:2:5+4 missing key "labels" in routes[0]',
      'error unknown-key tests/b.yml:3:5+5 unknown key "label" in routes[0] (did you mean "labels"?)',
      'error wrong-type tests/b.yml:4:16+5 expected a list of receivers, got the string "slack" (write ["slack"])',
      'error test-file tests/c.yml:1:1+10 this file mixes promtool tests with promstack tests (move those of routes and inhibit rules to another file)',
      'note test-file tests/d.yml:1:1+26 tests/d.yml is not run: it is not a test file (a test file has "routes", "inhibit" or "tests" with "alerts", or "rule_files" and "tests" for promtool)',
      expect.stringMatching(/^error yaml tests\/e.yml:/),
    ]);
  });

  it.each([
    ['of docker compose', 'services: {db: {image: x}}\n'],
    ['of an app with routes', 'routes: [{path: /, to: home}]\nversion: 1\n'],
    ['of an app with tests', 'tests: [{name: a, run: b}]\nimage: x\n'],
    ['of a CI system', 'stages: [a]\ntest: {script: [b]}\n'],
    ['that is a list', '- hosts: all\n'],
    ['of two documents', 'a: 1\n---\nb: 2\n'],
    ['with tags', 'a: !Ref b\nc: !vault |\n  d\n'],
    ['that is a template', 'a: {{ .Values.b }}\n{{- if c }}\nd: 1\n{{- end }}\n'],
    ['that is empty', ''],
  ])('%s must be a note, which is no reason to fail', async (_, text) => {
    const { ruleTests, reported } = await runTests({ tests: { 'tests/a.yml': text } });
    expect(ruleTests).toEqual([]);
    expect(reported).toEqual([
      expect.stringMatching(/^note test-file tests\/a\.yml:1:1.* is not run: it is not a test file/),
    ]);
  });

  it.each([
    ['routes:\n  - {name: a, lables: {}, receivers: [slack]}\n', /^error /],
    ['routes: {}\n', /^error wrong-type/],
    ['routes:\n  - a: [\n', /^error yaml/],
    ['rule_fils: []\ntests: []\n', /^(?!note)/],
  ])('with a mistake in it must not pass for one of another program: %j', async (text, problem) => {
    const { ruleTests, reported } = await runTests({ tests: { 'tests/a.yml': text } });
    expect([...reported, ...ruleTests.map(({ path }) => path)][0]).toMatch(problem);
  });

  it('must report tests that cannot run because a service is missing', async () => {
    const { reported } = await runTests({
      stack: 'prometheus: {enabled: false}\nalertmanager: {enabled: false}\n',
      tests: { 'tests/a.yml': 'routes: []\n', 'tests/b.yml': 'rule_files: []\n' },
    });
    expect(reported).toEqual([
      'warning could-not-check tests/a.yml:1:1+6 these tests are not run: the stack has no Alertmanager, so it has no routes',
      'warning could-not-check tests/b.yml:1:1+10 these tests are not run: the stack has no Prometheus, so it has no rules',
    ]);
  });
});

describe('a promtool test file', () => {
  const testOf = (files: string) => ({ 'tests/shop.yml': `# shop\nrule_files:\n${files}\ntests: []\n` });

  it('must find rules at their rendered paths, without moving its lines', async () => {
    const { ruleTests, reported } = await runTests({
      rules: { 'rules/shop.yml': shop, 'rules/disk.yml': shop },
      tests: testOf('  - ../rules/shop.yml # ours\n  - ../rules/targets.yml'),
    });
    expect(reported).toEqual([]);
    expect(ruleTests).toEqual([
      {
        service: 'prometheus',
        path: 'tests/user/shop.yml',
        content: '# shop\nrule_files:\n  ["../../rules/user/rules__shop.yml","../../rules/targets.yml"]\n\ntests: []\n',
        mode: 0o444,
        origin: 'tests/shop.yml',
        isVerbatim: true,
      },
    ]);
  });

  it('must be run when a glob matches no rules, as promtool does', async () => {
    const { ruleTests, reported } = await runTests({
      rules: { 'rules/shop.yml': shop },
      tests: testOf('  - ../other/*.yml'),
    });
    expect(ruleTests.map(({ content }) => content)).toEqual(['# shop\nrule_files:\n  []\ntests: []\n']);
    expect(reported).toEqual([
      'warning no-rule-file tests/shop.yml:3:5+14 no rule file of this stack matches "../other/*.yml"',
    ]);
  });

  it('must report rule files that are not in the stack', async () => {
    const { ruleTests, reported } = await runTests({
      rules: { 'rules/shop.yml': shop },
      tests: testOf('  - ../rules/shpo.yml\n  - /etc/prometheus/other.yml'),
    });
    expect(ruleTests).toEqual([]);
    expect(reported).toEqual([
      'error no-rule-file tests/shop.yml:3:5+17 "../rules/shpo.yml" is not a rule file of this stack (did you mean "../rules/shop.yml"?)',
      'error no-rule-file tests/shop.yml:4:5+25 "/etc/prometheus/other.yml" is not a rule file of this stack (use a path of prometheus.rules in stack.yml, relative to this file, or a shipped rule file as ../rules/NAME.yml)',
    ]);
  });
});
