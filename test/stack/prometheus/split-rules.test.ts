import { expect, it } from 'vitest';
import { parse } from 'yaml';
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
