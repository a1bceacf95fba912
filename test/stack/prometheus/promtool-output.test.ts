import { describe, expect, it } from 'vitest';
import { jobKeys } from '../../../stack/prometheus/problems.ts';
import { explainPromtool, withFeatureHints } from '../../../stack/prometheus/promtool-output.ts';
import { explainRuleTests } from '../../../stack/prometheus/rule-test-output.ts';
import { withKeyHints } from '../../../stack/values/go-messages.ts';

/** As promtool 3.5.3 prints it when the first rule file is fine. */
const passed = `Checking CONFIG/prometheus.yml
  SUCCESS: 2 rule files found
 SUCCESS: CONFIG/prometheus.yml is valid prometheus config file syntax

`;

describe('the output of promtool', () => {
  // It does not end the lines of these warnings.
  const warnings = ['promql-per-step-stats', 'promql-some-day']
    .map((name) => `  WARNING: Unknown feature passed to --enable-feature: ${name}`)
    .join('');

  it.each([
    'WARNING: file "/etc/promstack/discovered/*.json" for file_sd in scrape job "discovered" does not exist',
    'WARNING: file "/etc/targets/a.yml" for file_sd in scrape job "shop" does not exist',
  ])('must not have warnings among its problems: %s', (warning) => {
    const failure = 'FAILED: parsing YAML file CONFIG/prometheus.yml: found multiple scrape configs with job name "a"';
    const output = `Checking CONFIG/prometheus.yml\n  ${warning}\n  ${failure}\n\n`;
    const message = 'found multiple scrape configs with job name "a"';
    expect(explainPromtool(output)).toEqual([{ about: 'job_name: a', message, path: 'prometheus.yml' }]);
  });

  it('must be read behind warnings about features that it does not have', () => {
    const wrong = `CONFIG/rules/a.yml: 4:15: group "g", rule 1, "a": could not parse expression: 1:1: parse error: function "info" is not enabled`;
    const explained = explainPromtool(`${warnings}${passed}Checking CONFIG/rules/a.yml\n  FAILED:\n${wrong}\n`);
    expect(explained).toMatchObject([{ path: 'rules/a.yml', line: 4 }]);
    expect(withFeatureHints(explained, [])[0]?.hint).toMatch(/^add --enable-feature=promql-experimental-functions to /);
    expect(withFeatureHints(explained, ['promql-experimental-functions'])[0]?.hint).toMatch(/^the server accepts it, /);

    const tests = ['a', 'b'].map((name) => ({ path: `tests/${name}.yml`, text: 'tests: []' }));
    const output = `${warnings}  SUCCESS\n\n  FAILED:\n    yaml: line 3: oops\n`;
    expect(explainRuleTests(output, tests)).toMatchObject([{ path: 'tests/b.yml' }]);
  });

  it.each([
    ['anchored modifier is experimental and not enabled', 'promql-extended-range-selectors'],
    ['binop fill modifiers are experimental and not enabled', 'promql-binop-fill-modifiers'],
    ['limitk() is experimental and must be enabled with --enable-feature=x', 'promql-experimental-functions'],
    ['experimental duration expression is not enabled', 'promql-duration-expr'],
  ])('must name the feature that enables what it refuses: %s', (message, feature) => {
    expect(withFeatureHints([{ message }], [])[0]?.hint).toContain(`--enable-feature=${feature} `);
  });

  it('must suggest the key that was probably meant, as promtool knows which keys there are', () => {
    const findings = ['kuberntes_sd_configs', 'warp_sd_configs'].map((key) => ({ message: `unknown key "${key}"` }));
    expect(withKeyHints(findings, jobKeys).map(({ hint }) => hint)).toEqual([
      'did you mean "kubernetes_sd_configs"?',
      undefined,
    ]);
  });
});

describe('the output of promtool check config', () => {
  it.each<[string, string, ReturnType<typeof explainPromtool>]>([
    [
      'invalid YAML',
      `Checking CONFIG/prometheus.yml
  FAILED: parsing YAML file CONFIG/prometheus.yml: yaml: line 2: did not find expected key

`,
      [{ path: 'prometheus.yml', line: 2, message: 'did not find expected key' }],
    ],
    [
      'unknown fields',
      `Checking CONFIG/prometheus.yml
  FAILED: parsing YAML file CONFIG/prometheus.yml: yaml: unmarshal errors:
  line 2: field foo not found in type config.plain
  line 6: field jb not found in type struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet }

`,
      [
        { path: 'prometheus.yml', line: 2, about: 'foo', message: 'unknown key "foo"' },
        { path: 'prometheus.yml', line: 6, about: 'jb', message: 'unknown key "jb"' },
      ],
    ],
    [
      'values of another kind',
      `Checking CONFIG/prometheus.yml
  FAILED: parsing YAML file CONFIG/prometheus.yml: yaml: unmarshal errors:
  line 3: cannot unmarshal !!str \`x\` into []*relabel.Config
  line 4: cannot unmarshal !!map into string
  line 5: cannot unmarshal !!seq into config.plain
  line 6: cannot unmarshal !!int \`15\` into bool
`,
      [
        { path: 'prometheus.yml', line: 3, about: 'x', message: 'expected a list, got a string (x)' },
        { path: 'prometheus.yml', line: 4, message: 'expected a string, got a mapping' },
        { path: 'prometheus.yml', line: 5, message: 'a list is not valid here' },
        {
          path: 'prometheus.yml',
          line: 6,
          about: '15',
          message: 'expected true or false, got a number (15)',
        },
      ],
    ],
    [
      'a bad regular expression',
      `Checking CONFIG/prometheus.yml
  FAILED: parsing YAML file CONFIG/prometheus.yml: error parsing regexp: missing closing ): \`^(?s:(foo)$\`
`,
      [
        {
          path: 'prometheus.yml',
          about: '(foo',
          message: 'invalid regular expression (foo: missing closing )',
        },
      ],
    ],
    [
      'a job that is there twice',
      `Checking CONFIG/prometheus.yml
  FAILED: parsing YAML file CONFIG/prometheus.yml: found multiple scrape configs with job name "a b"
`,
      [
        {
          path: 'prometheus.yml',
          about: 'job_name: a b',
          message: 'found multiple scrape configs with job name "a b"',
        },
      ],
    ],
    [
      'a problem without any progress around it, as a lone stderr gives it',
      '  FAILED: parsing YAML file CONFIG/prometheus.yml: "http://a" is not a valid hostname\n',
      [{ path: 'prometheus.yml', about: 'http://a', message: '"http://a" is not a valid hostname' }],
    ],
    [
      'a missing file',
      `Checking CONFIG/prometheus.yml
  FAILED: error checking authorization credentials or bearer token file "/nope/x": stat /nope/x: no such file or directory
`,
      [
        {
          path: 'prometheus.yml',
          message:
            'error checking authorization credentials or bearer token file "/nope/x": stat /nope/x: no such file or directory',
        },
      ],
    ],
    [
      'a missing rule file',
      `Checking CONFIG/prometheus.yml
  FAILED: "CONFIG/rules/no.yml" does not point to an existing file
`,
      [{ path: 'prometheus.yml', about: 'rules/no.yml', message: '"rules/no.yml" does not point to an existing file' }],
    ],
    [
      'bad PromQL in two files',
      `${passed}Checking CONFIG/rules/a.yml
  FAILED:
CONFIG/rules/a.yml: 5:15: group "g", rule 1, "A": could not parse expression: 1:8: parse error: unclosed left parenthesis
Checking CONFIG/rules/b.yml
  FAILED:
CONFIG/rules/b.yml: 7:15: group "g", rule 2, "B": could not parse expression: 1:6: parse error: expected type range vector in call to function "rate", got instant vector
`,
      [
        {
          path: 'rules/a.yml',
          line: 5,
          column: 15,
          about: 'A',
          message: 'rule A of group g: at 1:8 of the expression: unclosed left parenthesis',
        },
        {
          path: 'rules/b.yml',
          line: 7,
          column: 15,
          about: 'B',
          message:
            'rule B of group g: at 1:6 of the expression: expected type range vector in call to function "rate", got instant vector',
        },
      ],
    ],
    [
      'a repeated group',
      `${passed}Checking CONFIG/rules/a.yml
  FAILED:
CONFIG/rules/a.yml: 0:0: groupname: "g" is repeated in the same file
`,
      [{ path: 'rules/a.yml', about: 'name: g', message: 'there are two groups named g in one file' }],
    ],
    [
      'a file that is not rules, which is read twice',
      `${passed}Checking CONFIG/rules/a.yml
  FAILED:
CONFIG/rules/a.yml: yaml: unmarshal errors:
  line 1: cannot unmarshal !!str \`hello\` into rulefmt.RuleGroups
CONFIG/rules/a.yml: yaml: unmarshal errors:
  line 1: cannot unmarshal !!str \`hello\` into rulefmt.ruleGroups
`,
      [
        {
          path: 'rules/a.yml',
          line: 1,
          about: 'hello',
          message: 'a string (hello) is not valid here',
        },
      ],
    ],
    [
      'templates and labels of a rule',
      `${passed}Checking CONFIG/rules/a.yml
  FAILED:
CONFIG/rules/a.yml: group "g", rule 1, "A": annotation "a": template: __alert_A:1: unclosed action
CONFIG/rules/a.yml: 0:0: 0:0: group "g", rule 2, "": one of 'record' or 'alert' must be set
`,
      [
        {
          path: 'rules/a.yml',
          about: 'A',
          message: 'rule A of group g: annotation "a": template: __alert_A:1: unclosed action',
        },
        { path: 'rules/a.yml', message: "rule 2 of group g: one of 'record' or 'alert' must be set" },
      ],
    ],
    [
      'problems that come before what they are about, as two streams give them',
      `  FAILED: parsing YAML file CONFIG/prometheus.yml: yaml: unmarshal errors:
  line 2: field foo not found in type config.plain
Checking CONFIG/prometheus.yml
`,
      [{ path: 'prometheus.yml', line: 2, about: 'foo', message: 'unknown key "foo"' }],
    ],
    [
      'a warning about rules that are written twice beside a real problem',
      `${passed}Checking CONFIG/rules/a.yml
  FAILED:
lint error 1 duplicate rule(s) found.
Metric: A
Label(s):
Might cause inconsistency while recording expressions
Checking CONFIG/rules/b.yml
  FAILED:
CONFIG/rules/b.yml: yaml: line 1: did not find expected node content
`,
      [{ path: 'rules/b.yml', line: 1, message: 'did not find expected node content' }],
    ],
    [
      'a misuse of promtool itself',
      'promtool: error: unknown long flag --nope, try --help\n',
      [{ message: 'promtool: error: unknown long flag --nope, try --help' }],
    ],
  ])('must explain %s', (_what, output, expected) => {
    expect(explainPromtool(output)).toEqual(expected);
  });

  it('must have no findings for valid files', () => {
    expect(explainPromtool(`${passed}Checking CONFIG/rules/a.yml\n  SUCCESS: 1 rules found\n\n`)).toEqual([]);
  });
});

describe('the output of promtool test rules', () => {
  const expressions = `tests:
  - input_series:
      - {series: up, values: '1x5'}
      - {series: up == 5, values: '1x5'}
    promql_expr_test:
      - expr: up
        eval_time: 60s
      - {expr: "up == 5", eval_time: 30s}
      - {eval_time: 1m, expr: "up == 5"}
      - expr: |
          up{job="a"}
            > 1
`;
  const tests = [
    { path: 'tests/a.yml', text: '' },
    { path: 'tests/b.yml', text: expressions },
  ];

  it('must have a finding for each failed case of each file', () => {
    const output = `  SUCCESS

  FAILED:
    name: first one,
    alertname: A, time: 1m, 
        exp:[
            0:
              Labels:{alertname="A", instance="a", severity="pag"}
              Annotations:{summary="a down"}
            ], 
        got:[
            0:
              Labels:{alertname="A", instance="a", severity="page"}
              Annotations:{summary="a down"}
            1:
              Labels:{alertname="A", instance="b"}
              Annotations:{}
            ]

    alertname: A, time: 2m, 
        exp:[], 
        got:[
            0:
              Labels:{alertname="A"}
              Annotations:{}
            ]

    alertname: Nope, time: 1m, 
        exp:[
            0:
              Labels:{alertname="Nope"}
              Annotations:{}
            ], 
        got:[]

    expr: "up", time: 1m,
        exp: {__name__="up", instance="a"} 1E+00
        got: {__name__="up", instance="a"} 0E+00

    expr: "up == 5", time: 1m,
        exp: {__name__="up"} 1E+00
        got: nil

    expr: "up(", time: 1m, err: 1:4: parse error: unclosed left parenthesis

    expr: "up{job=\\"a\\"}\\n  > 1\\n", time: 0s,
        exp: {} 1E+00
        got: nil


`;
    expect(explainRuleTests(output, tests)).toEqual(
      [
        {
          about: 'alertname: A',
          message:
            'first one: at 1m the alert A should fire as {alertname="A", instance="a", severity="pag"} with {summary="a down"}, but it fires as {alertname="A", instance="a", severity="page"} with {summary="a down"} and {alertname="A", instance="b"}',
        },
        { about: 'alertname: A', message: 'at 2m the alert A should not fire, but it fires as {alertname="A"}' },
        {
          about: 'alertname: Nope',
          message: 'at 1m the alert Nope should fire as {alertname="Nope"}, but it does not',
        },
        {
          about: 'up',
          line: 6,
          column: 15,
          message:
            'at 1m the expression up should be {__name__="up", instance="a"} 1E+00, but is {__name__="up", instance="a"} 0E+00',
        },
        {
          about: 'up == 5',
          line: 9,
          column: 32,
          message: 'at 1m the expression up == 5 should be {__name__="up"} 1E+00, but is nothing',
        },
        { message: 'at 1m the expression up( fails: 1:4: parse error: unclosed left parenthesis' },
        {
          about: 'expr',
          line: 10,
          column: 9,
          message: 'at 0s the expression up{job="a"} > 1 should be {} 1E+00, but is nothing',
        },
      ].map((finding) => ({ path: 'tests/b.yml', ...finding })),
    );
  });

  it.each<[string, string, ReturnType<typeof explainRuleTests>]>([
    [
      'an unknown field',
      '  FAILED:\nyaml: unmarshal errors:\n  line 1: field rule_file not found in type main.unitTestFile\n\n\n  SUCCESS\n\n',
      [{ path: 'tests/a.yml', line: 1, about: 'rule_file', message: 'unknown key "rule_file"' }],
    ],
    [
      'invalid YAML',
      "  FAILED:\nyaml: line 1: did not find expected ',' or ']'\n\n\n  SUCCESS\n\n",
      [{ path: 'tests/a.yml', line: 1, message: "did not find expected ',' or ']'" }],
    ],
    [
      'an invalid rule file, at its own path',
      '  FAILED:\nCONFIG/rules/a.yml: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `1` into []rulefmt.RuleGroup\n\n\n  SUCCESS\n\n',
      [{ path: 'rules/a.yml', line: 1, about: '1', message: 'expected a list, got a number (1)' }],
    ],
    [
      'a test file that is not there',
      "promtool: error: path 'CONFIG/tests/nope.yml' does not exist, try --help\n",
      [{ message: "promtool: error: path 'tests/nope.yml' does not exist, try --help" }],
    ],
    [
      'what later versions may say',
      '  FAILED:\n    something\n    new\n\n  SUCCESS\n',
      [{ path: 'tests/a.yml', message: 'something new' }],
    ],
    ['blocks that fit no file', '  FAILED:\n    something\n', [{ message: 'something' }]],
  ])('must explain %s', (_what, output, expected) => {
    expect(explainRuleTests(output, tests)).toEqual(expected);
  });

  const series = `tests:
  - input_series:
      - {series: 'up{job="a"}', values: '1 2'}
      - {series: 'other{job="ä"}', values: '0x5 0y'}
  - input_series:
      - {series: 'up{job=a}', values: '1x5'}
  - input_series:
      - {series: one, values: 1 b}
  - input_series:
      - {series: two, values: 1 b}
  - input_series:
      - {series: end, values: 1x}
`;

  it.each([
    ['its values', '3:21: parse error: bad number syntax: "0"', { line: 4, column: 45, about: '0x5 0y' }],
    [
      'its name',
      '2:8: parse error: unexpected identifier "a" in label set, expected string',
      { line: 6, column: 19, about: 'up{job=a}' },
    ],
    ['its end', '2:7: parse error: unexpected end of input in series values', { line: 12, column: 31, about: '1x' }],
    ['one of several', '2:7: parse error: unexpected identifier "b" in series values', {}],
    ['none that is there', '4:1: parse error: unexpected "x"', {}],
  ])('must have the position of an invalid series, if known, for %s', (_what, error, place) => {
    const tests = [{ path: 'tests/a.yml', text: series }];
    const message = `invalid series: ${error.replace(/^.*parse error: /, '')}`;
    expect(explainRuleTests(`  FAILED:\n${error}\n\n`, tests)).toEqual([{ path: 'tests/a.yml', message, ...place }]);
  });

  it('must have no findings for valid files', () => {
    expect(
      explainRuleTests('  WARNING: no file match pattern CONFIG/rules/no.yml\n  SUCCESS\n\n  SUCCESS\n\n', tests),
    ).toEqual([]);
  });
});

it('must say of a known key that the image does not have it', () => {
  const output =
    'Checking CONFIG/prometheus.yml\n  FAILED: parsing YAML file CONFIG/prometheus.yml: yaml: unmarshal errors:\n  line 3: field consul_sd_configs not found in type config.ScrapeConfig\n  line 4: field consul_sd_config not found in type config.ScrapeConfig\n';
  const findings = withKeyHints(explainPromtool(output), ['consul_sd_configs', 'job_name']);
  expect(findings.map(({ message, hint }) => [message, hint])).toEqual([
    [
      'this image does not have "consul_sd_configs": it is too old, or was built without it',
      'use the official image of a newer version, or remove the key',
    ],
    ['unknown key "consul_sd_config"', 'did you mean "consul_sd_configs"?'],
  ]);
});

it('must say that a key was renamed', () => {
  const findings = [{ path: 'prometheus.yml', line: 3, message: 'unknown key "scrape_classic_histograms"' }];
  expect(withKeyHints(findings, jobKeys)[0]?.hint).toBe(
    'Prometheus 3.0 renamed it to "always_scrape_classic_histograms"',
  );
});
