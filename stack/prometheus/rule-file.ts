import type { KeyPath, Problem } from '../diagnostic.ts';
import { durationProblems, isNative, repeatedNames } from '../values/native.ts';
import { inWords } from '../values/words.ts';
import { promqlChecker } from './promql.ts';
import { ruleProblems } from './rule.ts';
import { isFilled, listOf, missing, notAList, notAMapping, strangeKeys } from './rule-shape.ts';

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
