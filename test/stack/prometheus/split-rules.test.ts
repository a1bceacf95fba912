import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, parseDocument, visit } from 'yaml';
import { divideRules } from '../../../stack/prometheus/split-rules.ts';

const group = (name: string, rules: number) => ({
  name,
  rules: Array.from({ length: rules }, (_, at) => ({ alert: `A${at}`, expr: 'up == 0', for: '5m' })),
});
const fileOf = (groups: readonly object[], path = 'rules/user/big.yml') => {
  return { service: 'prometheus', path, content: JSON.stringify({ groups }), mode: 0o444, origin: 'big.yml' };
};

it('must divide a rule file into smaller ones with the same groups in the same order', () => {
  const groups = ['a', 'b', 'c', 'd'].map((name) => group(name, 10));
  const parts = divideRules(fileOf(groups), 1_200) ?? [];
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.flatMap(({ content }) => (parse(content as string) as { groups: object[] }).groups)).toEqual(groups);
  for (const { content } of parts) expect(Buffer.byteLength(content as string)).toBeLessThanOrEqual(1_200);
  expect(parts.map(({ path }) => path).slice(0, 2)).toEqual(['rules/user/big.part-1.yml', 'rules/user/big.part-2.yml']);
});

it('must not divide a group, or a file that has no groups', () => {
  expect(divideRules(fileOf([group('a', 100)]), 1_000)).toBeUndefined();
  expect(divideRules({ ...fileOf([]), content: '[]' }, 1)).toBeUndefined();
  expect(divideRules(fileOf([group('a', 1)], 'targets/big.yml'), 1)).toBeUndefined();
});

/** The groups of a rule file as Prometheus reads them: merged, without aliases, each scalar by its text and whether it is quoted. */
function groupsIn(text: string): readonly unknown[] {
  const document = parseDocument(text, {
    schema: 'failsafe',
    merge: true,
    resolveKnownTags: false,
    logLevel: 'silent',
  });
  expect(document.errors).toEqual([]);
  visit(document, {
    Scalar: (key, scalar) => {
      if (key === 'key') return;
      const isNull = scalar.type === 'PLAIN' && ['', '~'].includes(String(scalar.value));
      scalar.value = isNull ? null : [scalar.type === 'PLAIN' ? 'plain' : 'string', scalar.tag, scalar.value];
    },
  });
  return (document.toJS({ maxAliasCount: -1 }) as { readonly groups: readonly unknown[] }).groups;
}

/** The texts of the parts, which must have the same groups; one group in each, as far as they are of one size. */
function divided(text: string): readonly string[] {
  const partsOf = (most: number) => divideRules({ ...fileOf([]), content: text }, most);
  const limits = Array.from({ length: 24 }, (_, at) => Math.round(80 * 1.2 ** at));
  const most = limits.find((limit) => partsOf(limit) !== undefined) ?? 0;
  const parts = (partsOf(most) ?? []).map(({ content }) => content as string);
  expect(parts.flatMap(groupsIn)).toEqual(groupsIn(text));
  for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(most);
  return parts;
}

const unquoted = [
  ...[
    '1.10',
    '017',
    '0x1F',
    '~',
    '',
    'null',
    'yes',
    'No',
    'y',
    'True',
    '1e3',
    '12345678901234567890',
    '1_000',
    '+5',
    '5.',
    '.5',
  ],
  ...[
    '.inf',
    '2026-01-02',
    '12:30:45',
    '0b1',
    '0o17',
    '=',
    '<<',
    'a b',
    'a#b',
    'a:b',
    'ends-',
    '{{x}}'.replaceAll(/[{}]/g, ''),
  ],
  ...['one\n        two\n\n        three', '!!str 1.10', '!!int 017', '!mine x'],
];
const quoted = [
  ...["'1.10'", '"017"', "'~'", "''", '""', "'yes'", "'it''s'", String.raw`"a\tb\u00e9\n"`, "'one\n        two'"],
  ...[
    '|\n        sum(x)\n          / 2\n',
    '|-\n        1.10',
    '|+\n        a\n\n',
    '>\n        one\n        two\n\n          more\n',
  ],
  ...['|2\n          indented\n        less', '>-\n        017', `'{{ $value | printf "%.2f" }}: # no comment'`],
];

it('must keep the text and the quotes of each scalar', () => {
  const scalar = fc.constantFrom(...unquoted, ...quoted);
  const rule = fc.tuple(scalar, scalar, scalar).map(
    ([version, code, text]) => `  - alert: A
    expr: up == 0 # a comment
    labels:
      version: ${version}
      code: ${code}
      017: ${text}
`,
  );
  const groups = fc.array(fc.array(rule, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(groups, (all) => {
      divided(`groups:\n${all.map((rules, at) => `- name: ${at}.0\n  rules:\n${rules.join('')}`).join('')}`);
    }),
    { numRuns: 100 },
  );
});

it('must write unquoted labels as they are in the file', () => {
  const rule = (name: string) =>
    `- {name: ${name}, rules: [{record: r, expr: 1, labels: {version: 1.10, code: 017, id: "0x1F"}}]}\n`;
  const parts = divided(`groups:\n${rule('a')}${rule('b')}`);
  expect(parts.length).toBe(2);
  for (const part of parts) expect(part).toContain('{ version: 1.10, code: 017, id: "0x1F" }');
});

it('must give each part what its aliases stand for, however many there are', () => {
  const labels = (name: string) => `labels: &${name} {version: 1.10, team: ${name}}`;
  const groups = [
    `{name: a, interval: &time 1m, rules: [&rule {alert: A, expr: &up up == 0, ${labels('l')}}]}`,
    '{name: b, interval: *time, rules: [{<<: *rule, alert: B}, {<<: [{for: 5m}, *rule], expr: *up}]}',
    `{name: c, rules: [{<<: *rule, ${labels('l')}}, {alert: C, expr: *up, labels: {<<: *l, code: 017}}]}`,
    '{name: d, rules: [{alert: D, expr: *up, labels: *l}, *rule]}',
    ...Array.from(
      { length: 50 },
      (_, at) => `{name: e${at}, rules: [*rule, ${'{<<: *rule, for: *time}, '.repeat(20)}]}`,
    ),
  ];
  const parts = divided(`groups:\n${groups.map((text) => `- ${text}\n`).join('')}`);
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) expect(part.match(/expr: &\w+ up == 0/g)?.length).toBe(1);
});

it('must not grow where aliases stand for aliases', () => {
  const level = (at: number) => `- {name: g${at}, rules: [&n${at} {x: [${`*n${at - 1}, `.repeat(10)}]}]}\n`;
  const text = `groups:\n- {name: g0, rules: [&n0 {record: r, expr: 1}]}\n${Array.from({ length: 12 }, (_, at) => level(at + 1)).join('')}`;
  const parts = divideRules({ ...fileOf([]), content: text }, 3_000) ?? [];
  expect(parts.length).toBeGreaterThan(0);
  for (const { content } of parts) expect(Buffer.byteLength(content as string)).toBeLessThanOrEqual(3_000);
});

it('must divide neither a file that cannot be parsed nor one whose alias stands for nothing', () => {
  for (const content of ['groups: [{name: a', 'groups: [{name: a, rules: [*none]}]', 'groups: *none\n', '']) {
    expect(divideRules({ ...fileOf([]), content }, 1_000)).toBeUndefined();
  }
});
