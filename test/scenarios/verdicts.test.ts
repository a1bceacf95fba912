import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { runsOf } from '../../scripts/check/runner.ts';
import { problems as alertmanagerProblems } from '../../stack/alertmanager/problems.ts';
import { stackSchema } from '../../stack/config.ts';
import type { Problem } from '../../stack/diagnostic.ts';
import { problems as prometheusProblems } from '../../stack/prometheus/problems.ts';
import { ruleFileProblems } from '../../stack/prometheus/rule-file.ts';
import { contentOf } from '../../stack/secret.ts';
import { findService } from '../../stack/services.ts';
import { openTools, type ToolService } from '../support/tools.ts';

const rule = (fields: string) => `groups: [{name: a, rules: [{${fields}}]}]`;
const expr = (promql: string) => stringify({ groups: [{ name: 'a', rules: [{ alert: 'a', expr: promql }] }] });

/** Rule files, and whether they are valid. */
const ruleFiles: readonly (readonly [boolean, string])[] = [
  ...[
    'groups: []',
    'groups: [{name: a}]',
    'groups: [{name: a}, {name: b, interval: 1m, query_offset: 0s, limit: 5}]',
  ].map((text) => [true, text] as const),
  ...[
    'alert: a, expr: up, for: 5m, keep_firing_for: 1h30m, labels: {a: 1, b: true, c: }, annotations: {d: e}',
    'alert: a, expr: 1, for: 0',
    'alert: a, expr: up, for: ',
    'alert: , record: "b:c", expr: up',
    'record: a, expr: up, annotations: {}, for: 0s',
  ].map((fields) => [true, rule(fields)] as const),
  ...[
    'up{job=~"a|b", c!="d"} offset 5m == bool 0',
    'sum by (job) (rate(x[5m])) / on (job) group_left (a) max(y) without (b)',
    'max_over_time(deriv(x[5m])[1h:1m])',
    '1./6.',
    '{"a.b", "c.d"="e"} # f',
    'x{a=`b"c`} @ end()',
    'quantile_over_time(0.9, x[1d]) unless on () absent(y)',
    'label_replace(up, "a", "$1", "b", "(.*)") or vector(1)',
  ].map((promql) => [true, expr(promql)] as const),
  ...[
    '[]',
    'a text',
    'global: {}',
    'groups: []\nlabels: {}',
    'groups: [a]',
    'groups: [{rules: []}]',
    'groups: [{name: a, rules: {}}]',
    'groups: [{name: a}, {name: a}]',
    'groups: [{name: a, interval: 1 minute}]',
    'groups: [{name: a, interval: 5}]',
    'groups: [{name: a, query_offset: x}]',
    'groups: [{name: a, rulez: []}]',
    'groups: [{name: a, rules: [just]}]',
  ].map((text) => [false, text] as const),
  ...[
    'alert: a, record: b, expr: up',
    'expr: up',
    'alert: a',
    'alert: a, expr: ""',
    'alert: a, expr: [a]',
    'alert: a, expr: up, for: 5 minutes',
    'alert: a, expr: up, for: 5',
    'alert: a, expr: up, keep_firing_for: x',
    'alert: a, expr: up, labels: [a]',
    'alert: a, expr: up, labels: {a: {b: c}}',
    'alert: a, expr: up, severity: page',
    'record: a, expr: up, for: 5m',
    'record: a, expr: up, keep_firing_for: 5m',
    'record: a, expr: up, annotations: {a: b}',
  ].map((fields) => [false, rule(fields)] as const),
  ...[
    'sum(up',
    'sum(up))',
    'sum(up[5m)',
    'ratee(up[5m])',
    'up{a="b}',
    'up{a=b}',
    'up =',
    'up = 0',
    'foo bar',
    'rate(up[$__rate_interval])',
    'sum(up) by job',
  ].map((promql) => [false, expr(promql)] as const),
];

/** Parts of prometheus.yml, and whether they are valid. */
const scrapeConfigs: readonly (readonly [boolean, string])[] = [
  ...[
    '[{job_name: a, scrape_interval: 0s}]',
    '[{job_name: a, static_configs: [{targets: ["a", "b:1", "[::1]:90"], labels: {x: 1}}]}]',
    '[{job_name: a, scrape_interval: 1m, scrape_timeout: 1m}]',
  ].map((text) => [true, text] as const),
  ...[
    '[{job_name: a}, {job_name: a}]',
    '[{job_name: a, scrape_interval: 5s, scrape_timeout: 10s}]',
    '[{job_name: a, scrape_timeout: 16s}]',
    '[{job_name: a, scrape_interval: 5}]',
    '[{job_name: a, static_config: []}]',
    '[{job_name: a, static_configs: [{targets: ["http://a:1"]}]}]',
    '[{job_name: a, static_configs: [{targets: ["a:1/x"]}]}]',
    '[{job_name: a, static_configs: [{targets: "a:1"}]}]',
    '[{job_name: a, file_sd_configs: [{files: [a.json], refresh_interval: often}]}]',
  ].map((text) => [false, text] as const),
];

const route = (fields: string) =>
  `route: {receiver: t, ${fields}}\nreceivers: [{name: t}]\ntime_intervals: [{name: w, time_intervals: []}]`;

/** Files of Alertmanager, and whether they are valid. */
const alertmanagerFiles: readonly (readonly [boolean, string])[] = [
  ...[
    'matchers: []',
    'routes: ',
    'routes: [{receiver: ""}]',
    'group_wait: 0s',
    'routes: [{match: {a: b}, match_re: {c: d}, active_time_intervals: [w]}]',
  ].map((text) => [true, route(text)] as const),
  ...[
    'a=b',
    'a="b"',
    '{a="b",c!~"d.*"}',
    'a=foo bar',
    '"a.b"="c"',
    'a-b="c"',
    'a=',
    'a="x",',
    '',
    '""="b"',
    '{a=b c',
  ].map((matcher) => [true, route(`routes: [{matchers: ['${matcher}']}]`)] as const),
  ...[
    'matchers: [a=b]',
    'match: {a: b}',
    'mute_time_intervals: [w]',
    'reciever: t',
    'routes: [{receiver: n}]',
    'routes: [{routes: [{receiver: n}]}]',
    'routes: [{mute_time_intervals: [n]}]',
    'routes: [{mute_time_intervals: w}]',
    'routes: [{matchers: a=b}]',
    'routes: [{matchers: {a: b}}]',
    'routes: [{matchers: [{a: b}]}]',
    'group_wait: 5',
    'group_interval: 0s',
    'repeat_interval: 0',
  ].map((text) => [false, route(text)] as const),
  ...['a', '="b"', 'a: b', 'a="b', 'a=b"c', 'a="b" c="d"', ',', ', }', '{,}', ' {a=b c}', 'a.b="\\d"'].map(
    (matcher) => [false, route(`routes: [{matchers: ['${matcher}']}]`)] as const,
  ),
  ...[
    'route: {group_by: [a]}\nreceivers: [{name: t}]',
    'route: {receiver: t}\nreceivers: [{name: t}, {name: t}]',
    'route: {receiver: t}\nreceivers: [{name: t, webhook_config: []}]',
    'route: {receiver: t}\nreceivers: [{name: t, slack_configs: {a: b}}]',
    'route: {receiver: t}\nreceivers: [{name: t}]\ntime_intervals: [{name: w}, {name: w}]',
    'route: {receiver: t}\nreceivers: [{name: t}]\ninhibit_rules: [{source_matchers: {a: b}}]',
    'route: {receiver: t}\nreceivers: [{name: t}]\nglobal: {resolve_timeout: 5}',
  ].map((text) => [false, text] as const),
];

/** The findings of a service's checks with the flags that its server has, made by the tools of its image. */
async function findingsWith(
  service: 'prometheus' | 'alertmanager',
  extra_args: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const rendered = Object.entries(files).map(([path, content]) => ({
    service,
    path,
    content,
    mode: 0o444,
    origin: path,
  }));
  const tests = rendered.filter(({ path }) => path.startsWith('tests/'));
  const config = stackSchema.parse({ [service]: { extra_args } });
  // A server that starts does not end; check-runners.test.ts and up-refusals.test.ts start some.
  const commands = (findService(service)?.checks(config, rendered, tests, () => []) ?? []).filter(
    ({ untilPrinted }) => untilPrinted === undefined,
  );
  const read = commands.flatMap(({ reads = [] }) => reads).map((file) => [file.path, contentOf(file)]);
  await using tools = await openTools({ service, files: { ...files, ...Object.fromEntries(read) } });
  const findings = [];
  for (const command of commands) {
    for (const argv of runsOf(command, '/files')) {
      const { exitCode, stdout, stderr } = await tools.run(...argv);
      const output = (stdout + stderr).replaceAll('/files', 'CONFIG');
      if (!(command.passes?.(output) ?? exitCode === 0)) findings.push(...command.explain(output));
    }
  }
  return [...new Set(findings.map(({ message, line }) => `${line ?? ''}: ${message}`))];
}

const feature = (...names: readonly string[]) => [`--enable-feature=${names.join(',')}`];
const experimental = stringify({
  groups: [{ name: 'a', rules: [{ record: 'a:b', expr: 'mad_over_time(up[5m])' }] }],
});

test.each<[string, 'prometheus' | 'alertmanager', readonly string[], Readonly<Record<string, string>>, RegExp[]]>([
  [
    'an experimental function without its feature',
    'prometheus',
    [],
    { 'prometheus.yml': 'rule_files: [a.yml]', 'a.yml': experimental },
    [/function "mad_over_time" is not enabled/],
  ],
  ...[
    ['--storage.tsdb.retention=15d', /^: unknown long flag '--storage\.tsdb\.retention'$/],
    ['--log.level debug', /^: unknown long flag '--log\.level debug'$/],
    ['-web.enable-lifecycle', /^: unknown short flag '-w'$/],
    ['--agent', /^: The following flag\(s\) can not be used in agent mode/],
    ['--log.level=loud', /^: unrecognized log level loud$/],
    ['--version', /^: with --version it prints something and exits$/],
  ].map(([flag, message]): [string, 'prometheus', readonly string[], Readonly<Record<string, string>>, RegExp[]] => [
    `the flag ${String(flag)}`,
    'prometheus',
    [String(flag)],
    { 'prometheus.yml': '{}' },
    [message as RegExp],
  ]),
  ['flags that the server has', 'prometheus', ['--query.timeout', '1m'], { 'prometheus.yml': '{}' }, []],
  [
    'an experimental function with its feature, among some that promtool does not have',
    'prometheus',
    ['--enable-feature', 'exemplar-storage,promql-per-step-stats', ...feature('promql-experimental-functions')],
    { 'prometheus.yml': 'rule_files: [a.yml]', 'a.yml': experimental },
    [],
  ],
  [
    'a mistake behind warnings about features',
    'prometheus',
    feature('promql-per-step-stats', 'promql-some-day'),
    { 'prometheus.yml': 'rule_files: [a.yml]', 'a.yml': experimental.replace('mad_over', 'madd_over') },
    [/unknown function with name "madd_over_time"/],
  ],
  [
    'a matcher in quotes',
    'alertmanager',
    [],
    { 'alertmanager.yml': route(`routes: [{matchers: ['"foo.bar"="x"']}]`) },
    [],
  ],
  [
    'a matcher in quotes in the classic mode',
    'alertmanager',
    feature('event-recorder', 'classic-mode'),
    { 'alertmanager.yml': route(`routes: [{matchers: ['"foo.bar"="x"']}]`) },
    [/^: bad matcher format: "foo\.bar"="x"$/],
  ],
  [
    'a matcher that only the classic parser takes',
    'alertmanager',
    feature('utf8-strict-mode'),
    { 'alertmanager.yml': route("routes: [{matchers: ['foo={bar']}]") },
    [/unexpected \{: expected label value/],
  ],
  [
    'a feature that does not exist',
    'alertmanager',
    feature('utf9'),
    { 'alertmanager.yml': route('group_wait: 1s') },
    [/^: this version of Alertmanager does not have the feature "utf9"$/],
  ],
  [
    'a route of nothing',
    'alertmanager',
    [],
    { 'alertmanager.yml': 'receivers: [{name: t}]\nroute:\n  receiver: t\n  routes:\n  - receiver: t\n  -\n' },
    [/^6: amtool crashes on this empty item of a list, and so does the server: runtime error: invalid memory address/],
  ],
])('%s must be judged as by %s with its flags', async (_what, service, flags, files, expected) => {
  expect(await findingsWith(service, flags, files)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});

test('a template in a label of a route must be rendered with the labels that the route has', async () => {
  const findings = await findingsWith('alertmanager', [], {
    'alertmanager.yml': `route:
  receiver: t
  labels: {team: '{{ .CommonLabels.team }}', plain: text}
  routes:
  - receiver: t
    labels: {open: '{{ .GroupLabels', same: '{{ .Receiver }} {{ .Status | toUpper }}'}
  - receiver: t
    labels: {field: '{{ .Labels.team }}'}
  - receiver: t
    labels:
      first: '{{ (index .Alerts.Firing 0).Labels.job }}'
receivers: [{name: t}]
`,
  });
  expect(findings).toEqual(
    expect.arrayContaining([
      '6: in the label open of a route: unclosed action',
      expect.stringMatching(/^8: in the label field of a route: .*can't evaluate field Labels in type template\.Data/),
      expect.stringMatching(/^11: in the label first of a route: .*error calling index/),
    ]),
  );
  // Versions without labels of routes refuse them.
  expect(findings.filter((text) => !text.includes('of a route') && !text.includes('does not have "labels"'))).toEqual(
    [],
  );
});

/** Which of the contents a tool accepts, each in its own file. */
async function taken(service: ToolService, texts: readonly string[], command: string): Promise<readonly boolean[]> {
  const files = Object.fromEntries(texts.map((text, at) => [`${at}.yml`, text]));
  await using tools = await openTools({ service, files });
  const script = `for at in $(seq 0 ${texts.length - 1}); do ${command} /files/$at.yml >/dev/null 2>&1 && echo yes || echo no; done`;
  const { stdout } = await tools.run('/bin/sh', '-c', script);
  return stdout
    .trim()
    .split('\n')
    .map((answer) => answer === 'yes');
}

function isTaken(problems: readonly Problem[]): boolean {
  return problems.every(({ severity }) => severity === 'warning');
}

/** The cases with an unexpected verdict. */
function misjudged(cases: readonly (readonly [boolean, string])[], verdicts: readonly boolean[]): readonly string[] {
  expect(verdicts).toHaveLength(cases.length);
  return cases.flatMap(([isRight, text], at) => (verdicts[at] === isRight ? [] : [text]));
}

test('a rule file must be rejected by promtool exactly when promstack rejects it', async () => {
  const texts = ruleFiles.map(([, text]) => text);
  expect(
    misjudged(
      ruleFiles,
      texts.map((text) => isTaken(ruleFileProblems(parse(text)))),
    ),
  ).toEqual([]);
  expect(misjudged(ruleFiles, await taken('prometheus', texts, 'promtool check rules'))).toEqual([]);
});

test('a scrape config must be rejected by promtool exactly when promstack rejects it', async () => {
  const ours = scrapeConfigs.map(([, text]) => {
    const config = stackSchema.parse({ prometheus: { scrape_configs: parse(text) } });
    return isTaken(prometheusProblems(config));
  });
  expect(misjudged(scrapeConfigs, ours)).toEqual([]);
  const texts = scrapeConfigs.map(([, text]) => `global: {scrape_interval: 15s}\nscrape_configs: ${text}`);
  expect(misjudged(scrapeConfigs, await taken('prometheus', texts, 'promtool check config'))).toEqual([]);
});

test('routes and receivers must be rejected by amtool exactly when promstack rejects them', async () => {
  const texts = alertmanagerFiles.map(([, text]) => text);
  const ours = texts.map((text) => isTaken(alertmanagerProblems(stackSchema.parse({ alertmanager: parse(text) }))));
  expect(misjudged(alertmanagerFiles, ours)).toEqual([]);
  expect(misjudged(alertmanagerFiles, await taken('alertmanager', texts, 'amtool check-config'))).toEqual([]);
});
