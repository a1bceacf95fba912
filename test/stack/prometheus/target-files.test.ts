import { describe, expect, it, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { fileProofs, rereadFiles } from '../../../stack/prometheus/file-sd.ts';
import { revisionRulePath } from '../../../stack/prometheus/proofs.ts';
import { prometheus } from '../../../stack/prometheus/service.ts';
import { targetFileProblems } from '../../../stack/prometheus/target-files.ts';
import { contentOf } from '../../../stack/secret.ts';
import { jsonErrorAt } from '../../../stack/values/json-error.ts';

const main = file(
  'prometheus.yml',
  [
    'scrape_configs:',
    '  - job_name: a',
    '    file_sd_configs: [{files: [targets/*.json, targets/*.yml, /etc/promstack/current/sd/x.yaml]}]',
    '  - job_name: b',
    '    file_sd_configs: [{files: [./top.json, /etc/prometheus/sd/*.json]}]',
  ].join('\n'),
);

describe('a file of file_sd_configs', () => {
  // Each was tried on Prometheus 3.5.3: those without a message are read, the others are refused or have targets that are.
  it.each<[path: string, text: string, ...messages: string[]]>([
    ['targets/a.json', '[{"targets": ["a:1"], "labels": {"env": "prod"}}]'],
    ['targets/a.json', '[]'],
    ['targets/a.json', 'null'],
    ['targets/a.json', '[{"Targets": ["a:1"], "LABELS": null}]'],
    ['targets/a.json', '', 'an empty file is not valid JSON'],
    ['targets/a.json', '[{"targets": ["a:1"],}]', 'this is not valid JSON'],
    ['targets/a.json', "[{'targets': ['a:1']}]", 'this is not valid JSON'],
    ['targets/a.json', '[{"targets": ["a:1"]}', 'this is not valid JSON'],
    ['targets/a.json', '\uFEFF[]', 'this is not valid JSON'],
    ['targets/a.json', '# none\n[]', 'this is not valid JSON'],
    ['targets/a.json', '{"targets": ["a:1"]}', 'expected a list of groups of targets, got a mapping'],
    ['targets/a.json', '[null]', 'expected a group of targets, got nothing'],
    ['targets/a.json', '["a:1"]', 'expected a group of targets, got the string "a:1"'],
    ['targets/a.json', '[{"target": ["a:1"]}]', 'unknown key "target"'],
    ['targets/a.json', '[{"targets": "a:1"}]', 'expected a list of targets, got the string "a:1"'],
    ['targets/a.json', '[{"targets": [9100]}]', 'expected a target such as host:9100, got the number 9100'],
    ['targets/a.json', '[{"targets": ["http://a:1"]}]', 'a target is host:port, without "http://"'],
    ['targets/a.json', '[{"targets": ["a:1"], "labels": {"shard": 1}}]', 'expected a string, got the number 1'],
    ['targets/a.json', '[{"targets": ["a:1"], "labels": ["a"]}]', 'expected a mapping of labels, got a list'],
    ['targets/a.yml', '- targets: [a:1]\n  labels: {shard: 1, on: true}\n'],
    ['targets/a.yml', ''],
    ['targets/a.yml', '# none yet\n'],
    ['targets/a.yml', '- targets:\n    - a: 1\n', 'expected a target such as host:9100, got a mapping'],
    ['targets/a.yml', '- Targets: [a:1]\n', 'unknown key "Targets"'],
    ['targets/a.yml', '- targets: [a:1\n', 'this is not valid YAML'],
    ['targets/a.yml', 'targets: [a:1]\n', 'expected a list of groups of targets, got a mapping'],
    ['sd/x.yaml', 'x\n', 'expected a list of groups of targets, got the string "x"'],
    ['top.json', '[[]]', 'expected a group of targets, got a list'],
    ['targets/deep/a.json', 'anything'],
    ['targets/a.txt', 'anything'],
  ])('%s with %j must be judged as Prometheus does', (path, text, ...messages) => {
    expect(targetFileProblems([main, file(path, text)]).map(({ message }) => message)).toEqual(messages);
  });

  it('must not be text of another kind', () => {
    const [problem] = targetFileProblems([main, { ...file('targets/a.json', '\xff'), isBinary: true }]);
    expect(problem?.message).toBe('targets/a.json is not UTF-8 text, so Prometheus cannot read it');
  });
});

test.each([
  '{}',
  ' [ ] ',
  '{"a": [1, -0.5e+3, true, false, null, "\\u00e9\\n"]}',
  '[1,]',
  '[,1]',
  '{"a" 1}',
  '{a: 1}',
  '[01]',
  '"a\nb"',
  '"\\x"',
  '[1] 2',
  '[',
  '',
  'nul',
])('%j must be JSON exactly when JavaScript says so', (text) => {
  let isJson = true;
  try {
    JSON.parse(text);
  } catch {
    isJson = false;
  }
  expect(jsonErrorAt(text) === undefined).toBe(isJson);
});

describe('the proof that Prometheus has read its target files', () => {
  const at = (seconds: number): Date => new Date(seconds * 1_000);
  const files = [
    main,
    { ...file('targets/a.json', '[]'), modified: at(1_795_899_974) },
    { ...file('targets/b.json', '[]'), modified: undefined },
    file('targets/notes.txt', ''),
  ];
  const [proof] = fileProofs(files, 9090);
  const page = (times: Readonly<Record<string, string>>): string =>
    Object.entries(times)
      .map(([path, time]) => `prometheus_sd_file_mtime_seconds{filename="/etc/promstack/current/${path}"} ${time}\n`)
      .join('');

  it.each([
    ['all', page({ 'targets/a.json': '1.795899974e+09', 'targets/b.json': '1' }), 'proven'],
    [
      'an older one',
      page({ 'targets/a.json': '1.795899973e+09', 'targets/b.json': '1' }),
      'it has not read targets/a.json yet',
    ],
    ['one too few', page({ 'targets/a.json': '1.795899974e+09' }), 'it has not read targets/b.json yet'],
    [
      'a removed one',
      page({ 'targets/a.json': '1.795899974e+09', 'targets/b.json': '1', 'targets/c.json': '1' }),
      'it still uses targets/c.json, which was removed',
    ],
  ])('must hold only when it has read each as it is now: %s', (_, body, expected) => {
    const verdict = proof?.assess({ status: 200, body });
    expect(verdict?.kind === 'notYet' ? verdict.because : verdict?.kind).toBe(expected);
  });

  it('must not be asked for without such files', () => {
    expect(fileProofs([file('prometheus.yml', 'scrape_configs: []\n')], 9090)).toEqual([]);
    expect(rereadFiles(files)?.folders).toEqual(['', 'sd', 'targets']);
  });
});

test('a change of target files alone must leave the revision that the rule shows', () => {
  const ruleOf = (targets: string, other: string): string => {
    const namedAt = ['prometheus', 'files', 0];
    const files = [main, { ...file('targets/a.json', targets), namedAt }, { ...file('ca.pem', other), namedAt }];
    const stamped = prometheus.stamp?.(files, 'of all', stackSchema.parse({}), (text) => `hash of ${text}`) ?? [];
    return stamped
      .filter(({ path }) => path === revisionRulePath)
      .map(contentOf)
      .join('');
  };
  expect(ruleOf('[]', 'a')).toBe(ruleOf('[1]', 'a'));
  expect(ruleOf('[]', 'a')).not.toBe(ruleOf('[]', 'b'));
  // Those of templates keep the revision of all files, by which stacks of earlier versions are recognized.
  const [, rule] = prometheus.stamp?.([main], 'of-all', stackSchema.parse({}), () => 'never') ?? [];
  expect(rule && contentOf(rule)).toContain('revision: "of-all"');
});

function file(path: string, content: string): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: path };
}
