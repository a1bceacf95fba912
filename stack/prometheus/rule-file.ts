import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { durationProblems, isCollection, isMapping, listOf, type Mapping, repeatedNames } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import { describeValue, expected, quoted } from '../values/words.ts';
import { promqlChecker } from './promql.ts';

// From model/rulefmt/rulefmt.go, which rejects all other keys.
const groupKeys = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const ruleKeys = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
const alertOnly = ['for', 'keep_firing_for', 'annotations'];

type PromqlChecker = ReturnType<typeof promqlChecker>;

/** Problems of the parsed YAML of a rule file; paths are inside it. */
export function ruleFileProblems(content: unknown): readonly Problem[] {
  if (content === null || content === undefined) {
    return [{ code: 'empty-file', path: [], severity: 'warning', message: 'this rule file has no rules' }];
  }
  const groups = isMapping(content) ? content['groups'] : undefined;
  if (!isMapping(content) || (groups === undefined && Object.keys(content).length > 0)) {
    const actual = isMapping(content) ? 'a mapping without the key "groups"' : describeValue(content);
    return [
      {
        code: 'not-rules',
        path: [],
        message: `expected a rule file, got ${actual}`,
        hint: 'a rule file starts with "groups:", followed by a list of groups',
      },
    ];
  }
  const check = promqlChecker();
  const names = listOf(groups).map((group, at) => ({
    name: isMapping(group) ? group['name'] : undefined,
    path: ['groups', at, 'name'],
  }));
  return [
    ...unknownKeys(content, ['groups'], [], 'a rule file'),
    ...listProblems(groups, ['groups'], 'groups'),
    ...listOf(groups).flatMap((group, at) => groupProblems(group, ['groups', at], check)),
    ...repeatedNames(names, 'groups'),
  ];
}

function groupProblems(group: unknown, path: KeyPath, check: PromqlChecker): readonly Problem[] {
  // Prometheus takes it for a group without rules.
  if (group === null) return [{ ...missing('this group is empty', path), severity: 'warning' }];
  if (!isMapping(group)) return [wrongType('a group with "name" and "rules"', group, path)];
  const rules = group['rules'];
  return [
    ...unknownKeys(group, groupKeys, path, 'a group'),
    ...(isFilled(group['name']) ? [] : [missing('this group has no "name"', path)]),
    ...durationProblems(group, 'interval', path),
    ...durationProblems(group, 'query_offset', path),
    ...listProblems(rules, [...path, 'rules'], 'rules'),
    ...listOf(rules).flatMap((rule, at) => ruleProblems(rule, [...path, 'rules', at], check)),
  ];
}

function ruleProblems(rule: unknown, path: KeyPath, check: PromqlChecker): readonly Problem[] {
  if (rule === null) return [{ ...missing('this rule is empty', path), severity: 'warning' }];
  if (!isMapping(rule)) return [wrongType('a rule with "alert" or "record", and "expr"', rule, path)];
  return [
    ...unknownKeys(rule, ruleKeys, path, 'a rule'),
    ...kindProblems(rule, path),
    ...expressionProblems(rule, path, check),
    ...durationProblems(rule, 'for', path),
    ...durationProblems(rule, 'keep_firing_for', path),
    ...stringsProblems(rule, 'labels', path),
    ...stringsProblems(rule, 'annotations', path),
  ];
}

function kindProblems(rule: Mapping, path: KeyPath): readonly Problem[] {
  const isAlert = isFilled(rule['alert']);
  const isRecord = isFilled(rule['record']);
  if (isAlert && isRecord) {
    const message = 'a rule has either "alert" or "record", not both';
    return [{ code: 'rule-kind', path: [...path, 'record'], atKey: true, message, hint: 'split it into two rules' }];
  }
  if (!isAlert && !isRecord) {
    return isMisspelled(rule, ['alert', 'record']) ? [] : [missing('this rule has neither "alert" nor "record"', path)];
  }
  if (isAlert) return [];
  return alertOnly
    .filter((key) => !isZero(rule[key]))
    .map((key) => ({
      code: 'rule-kind',
      path: [...path, key],
      atKey: true,
      message: `${quoted(key)} is only valid in alerting rules, and this is a recording rule`,
      hint: 'remove it, or replace "record" with "alert"',
    }));
}

function expressionProblems(rule: Mapping, path: KeyPath, check: PromqlChecker): readonly Problem[] {
  const expression = rule['expr'];
  if (expression === undefined || expression === null) {
    return isMisspelled(rule, ['expr']) ? [] : [missing('this rule has no "expr"', path)];
  }
  if (isCollection(expression)) return [wrongType('a PromQL expression', expression, [...path, 'expr'])];
  const problem = check(String(expression));
  if (problem === undefined) return [];
  const { from, length, ...rest } = problem;
  return [{ code: 'promql', path: [...path, 'expr'], ...rest, within: { from, length } }];
}

/** Whether an unknown key, which is reported anyway, is probably one of these. */
function isMisspelled(rule: Mapping, keys: readonly string[]): boolean {
  return Object.keys(rule).some((key) => !ruleKeys.includes(key) && closest(key, keys, 2) !== undefined);
}

function stringsProblems(rule: Mapping, key: string, path: KeyPath): readonly Problem[] {
  const strings = rule[key];
  if (strings === undefined || strings === null) return [];
  const here = [...path, key];
  if (!isMapping(strings)) return [wrongType(`a mapping of ${key}`, strings, here)];
  return Object.entries(strings)
    .filter(([, value]) => isCollection(value))
    .map(([name, value]) => wrongType('a string', value, [...here, name], 'quote a string that starts with { or ['));
}

/** Keys that Prometheus rejects. */
function unknownKeys(section: Mapping, known: readonly string[], path: KeyPath, what: string): readonly Problem[] {
  return Object.keys(section)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = closest(key, known);
      const hint = near === undefined ? `known keys: ${known.join(', ')}` : `did you mean ${quoted(near)}?`;
      const message = `unknown key ${quoted(key)} in ${what}`;
      return { code: 'unknown-key', path: [...path, key], atKey: true, message, hint };
    });
}

function listProblems(value: unknown, path: KeyPath, what: string): readonly Problem[] {
  if (value === undefined || value === null || Array.isArray(value)) return [];
  return [wrongType(`a list of ${what}`, value, path, 'start each item with "- "')];
}

function wrongType(what: string, value: unknown, path: KeyPath, hint?: string): Problem {
  return { code: 'wrong-type', path, message: expected(what, value), hint };
}

function missing(message: string, path: KeyPath): Problem {
  return { code: 'missing-key', path, atKey: true, message };
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** Whether Prometheus treats a value like an absent one: an empty mapping or a zero duration. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === 0) return true;
  if (typeof value === 'string') return parseDuration(value) === 0;
  return isMapping(value) && Object.keys(value).length === 0;
}
