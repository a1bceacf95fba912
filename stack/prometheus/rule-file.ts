import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { durationProblems, isCollection, isNative, type Native, repeatedNames } from '../values/native.ts';
import { parseDuration } from '../values/units.ts';
import { inWords, quoted } from '../values/words.ts';
import { promqlChecker } from './promql.ts';

// Of Prometheus's model/rulefmt/rulefmt.go, which refuses any other key.
const groupKeys = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];

type RuleFileCheck = ReturnType<typeof promqlChecker>;

/** What is wrong with the parsed YAML of a rule file; paths are inside it. */
export function ruleFileProblems(content: unknown): readonly Problem[] {
  if (content === null || content === undefined) {
    return [{ code: 'empty-file', path: [], severity: 'warning', message: 'this rule file holds no rules' }];
  }
  const groups = isNative(content) ? content['groups'] : undefined;
  if (!isNative(content) || (groups === undefined && Object.keys(content).length > 0)) {
    return [
      {
        code: 'not-rules',
        path: [],
        message: `this is not a rule file: it is ${isNative(content) ? 'a mapping without the key "groups"' : inWords(content)}`,
        hint: 'a rule file begins with "groups:" and a list of groups below it',
      },
    ];
  }
  const check = promqlChecker();
  const names = listOf(groups).map((group, at) => ({
    name: isNative(group) ? group['name'] : undefined,
    path: ['groups', at, 'name'],
  }));
  return [
    ...strangeKeys(content, ['groups'], [], 'a rule file'),
    ...notAList(groups, ['groups'], 'groups'),
    ...listOf(groups).flatMap((group, at) => groupProblems(group, ['groups', at], check)),
    ...repeatedNames(names, 'groups'),
  ];
}

function groupProblems(group: unknown, path: KeyPath, check: RuleFileCheck): readonly Problem[] {
  if (!isNative(group)) return [notAMapping(group, path, 'a group with "name" and "rules"')];
  const rules = group['rules'];
  return [
    ...strangeKeys(group, groupKeys, path, 'a group'),
    ...(isFilled(group['name']) ? [] : [missing('name', path, 'this group')]),
    ...durationProblems(group, 'interval', path),
    ...durationProblems(group, 'query_offset', path),
    ...notAList(rules, [...path, 'rules'], 'rules'),
    ...listOf(rules).flatMap((rule, at) => ruleProblems(rule, [...path, 'rules', at], check)),
  ];
}

// Of Prometheus's model/rulefmt/rulefmt.go, which refuses any other key.
const ruleKeys = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
const alertOnly = ['for', 'keep_firing_for', 'annotations'];

type RuleCheck = ReturnType<typeof promqlChecker>;

/** What is wrong with one rule; `check` looks at its expression. */
export function ruleProblems(rule: unknown, path: KeyPath, check: RuleCheck): readonly Problem[] {
  if (!isNative(rule)) return [notAMapping(rule, path, 'a rule with "alert" or "record", and "expr"')];
  return [
    ...strangeKeys(rule, ruleKeys, path, 'a rule'),
    ...kindProblems(rule, path),
    ...expressionProblems(rule, path, check),
    ...durationProblems(rule, 'for', path),
    ...durationProblems(rule, 'keep_firing_for', path),
    ...textsProblems(rule, 'labels', path),
    ...textsProblems(rule, 'annotations', path),
  ];
}

/** A rule is an alert or a recording, and only an alert can wait or be annotated. */
function kindProblems(rule: Native, path: KeyPath): readonly Problem[] {
  const isAlert = isFilled(rule['alert']);
  const isRecord = isFilled(rule['record']);
  if (isAlert && isRecord) {
    const message = 'a rule has either "alert" or "record", not both';
    return [{ code: 'rule-kind', path: [...path, 'record'], atKey: true, message, hint: 'make two rules of it' }];
  }
  if (!isAlert && !isRecord) {
    // A misspelt key that has been told would only be told again.
    const isTold = Object.keys(rule).some(
      (key) => !ruleKeys.includes(key) && closest(key, ['alert', 'record'], 2) !== undefined,
    );
    return isTold ? [] : [missing('alert" or "record', path, 'this rule')];
  }
  if (isAlert) return [];
  return alertOnly
    .filter((key) => !isNothing(rule[key]))
    .map((key) => ({
      code: 'rule-kind',
      path: [...path, key],
      atKey: true,
      message: `${quoted(key)} belongs to alerts; this rule records`,
      hint: 'take it away, or write "alert" in place of "record"',
    }));
}

function expressionProblems(rule: Native, path: KeyPath, check: RuleCheck): readonly Problem[] {
  const expression = rule['expr'];
  if (expression === undefined || expression === null) {
    const isTold = Object.keys(rule).some((key) => !ruleKeys.includes(key) && closest(key, ['expr'], 2) !== undefined);
    return isTold ? [] : [missing('expr', path, 'this rule')];
  }
  if (isCollection(expression)) {
    return [
      {
        code: 'wrong-type',
        path: [...path, 'expr'],
        message: `a PromQL expression is expected here, not ${inWords(expression)}`,
      },
    ];
  }
  const found = check(String(expression));
  if (found === undefined) return [];
  const { from, length, ...told } = found;
  return [{ code: 'promql', path: [...path, 'expr'], ...told, within: { from, length } }];
}

function textsProblems(rule: Native, key: string, path: KeyPath): readonly Problem[] {
  const texts = rule[key];
  if (texts === undefined || texts === null) return [];
  const here = [...path, key];
  if (!isNative(texts)) return [notAMapping(texts, here, `a mapping of ${key}`)];
  return Object.entries(texts)
    .filter(([, text]) => isCollection(text))
    .map(([name, text]) => ({
      code: 'wrong-type',
      path: [...here, name],
      message: `a text is expected here, not ${inWords(text)}`,
      hint: 'a text that begins with { or [ needs quotes',
    }));
}

/** What Prometheus takes for not written: an empty mapping, and a wait of no time. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === 0) return true;
  if (typeof value === 'string') return parseDuration(value) === 0;
  return isNative(value) && Object.keys(value).length === 0;
}

/** Keys that Prometheus refuses here. */
export function strangeKeys(
  section: Native,
  known: readonly string[],
  path: KeyPath,
  what: string,
): readonly Problem[] {
  return Object.keys(section)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = closest(key, known);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${quoted(near)}?`;
      return {
        code: 'unknown-key',
        path: [...path, key],
        atKey: true,
        message: `unknown key ${quoted(key)} in ${what}`,
        hint,
      };
    });
}

/** A value that should be a list and is not; nothing is as good as an empty one. */
export function notAList(value: unknown, path: KeyPath, what: string): readonly Problem[] {
  if (value === undefined || value === null || Array.isArray(value)) return [];
  const message = `a list of ${what} is expected here, not ${inWords(value)}`;
  return [{ code: 'wrong-type', path, message, hint: 'begin each item with "- "' }];
}

/** A value that should be a mapping and is not. */
export function notAMapping(value: unknown, path: KeyPath, what: string): Problem {
  return { code: 'wrong-type', path, message: `${what} is expected here, not ${inWords(value)}` };
}

/** A key that must be there and is not. */
export function missing(key: string, path: KeyPath, what: string): Problem {
  return { code: 'missing-key', path, atKey: true, message: `${what} has no "${key}"` };
}

/** The items of a list; none when it is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether a value is more than nothing and an empty text. */
export function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
