import { describe, expect, it } from 'vitest';
import type { RenderedFile } from '../../../stack/model.ts';
import { unreadRules } from '../../../stack/prometheus/problems.ts';
import { matchesGoGlob } from '../../../stack/values/go-glob.ts';

const file = (path: string, content: string, isShipped = false): RenderedFile => ({
  service: 'prometheus',
  path,
  content,
  mode: 0o444,
  origin: `templates/prometheus/${path}`,
  isShipped,
});
const rules = [file('rules/user/a.yml', 'groups: [{name: a, rules: [{alert: A, expr: up}]}]', true)];
const problemsOf = (main: string, isShipped = false) =>
  unreadRules([file('prometheus.yml', main, isShipped), ...rules]).map(({ message, hint }) => `${message} (${hint})`);

describe("the user's own prometheus.yml", () => {
  it('must load the revision rule and every folder with rules', () => {
    const both = [
      'rule_files does not match rules/promstack-revision.yml, by which promstack verifies which files Prometheus runs (add "rules/*.yml" to the list)',
      'rule_files does not match rules/user/a.yml, so its rules are never evaluated (add "rules/user/*.yml" to the list)',
    ];
    expect(problemsOf('global: {}\n')).toEqual(both);
    expect(problemsOf('rule_files: [other/*.yml]\n')).toEqual(both);
    expect(problemsOf('rule_files: [rules/*.yml]\n')).toEqual(both.slice(1));
    expect(problemsOf('rule_files: [rules/*.yml, /etc/promstack/current/rules/user/a.yml]\n')).toEqual([]);
  });

  it.each(['', '- a\n', 'a: [\n'])('must be left to promtool when it is not a mapping: %j', (main) => {
    expect(problemsOf(main)).toEqual([]);
  });

  it('must be checked only when it replaces the shipped one', () => {
    expect(problemsOf('global: {}\n', true)).toEqual([]);
  });
});

it.each<[pattern: string, path: string, matches: boolean]>([
  ['rules/*.yml', 'rules/a.yml', true],
  ['rules/*.yml', 'rules/user/a.yml', false],
  ['rules/*/?.yml', 'rules/user/a.yml', true],
  ['rules/[a-c].yml', 'rules/b.yml', true],
  ['rules/[^a-c].yml', 'rules/b.yml', false],
  ['rules/[^a-c].yml', 'rules/d.yml', true],
  ['rules/a.y.l', 'rules/a.yml', false],
  ['rules/node-exporter.yml', 'rules/node-exporter.yml', true],
  ['my-rules/*-a.yml', 'my-rules/b-a.yml', true],
  ['my-rules/*-a.yml', 'my_rules/b-a.yml', false],
  ['rules/\\*.yml', 'rules/a.yml', false],
  ['rules/\\*.yml', 'rules/*.yml', true],
  ['rules/[', 'rules/[', false],
])('the glob %s must match %s: %s', (pattern, path, matches) => {
  expect(matchesGoGlob(pattern, path)).toBe(matches);
});
