import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { parseDuration } from '../values/duration.ts';
import { durationProblems, isNative, type Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';
import type { promqlChecker } from './promql.ts';
import { isFilled, missing, notAMapping, strangeKeys } from './rule-shape.ts';

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
  if (typeof expression === 'object') {
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
    .filter(([, text]) => typeof text === 'object' && text !== null)
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
