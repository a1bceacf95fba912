import type * as z from 'zod';
import { type KeyPath, type Problem, showPath } from '../../stack/diagnostic.ts';
import { Secret } from '../../stack/secret.ts';
import { closest } from '../../stack/values/closest.ts';
import { either, inWords, quoted } from '../../stack/values/words.ts';
import { knownKeys, knownMistakes, readSchema, schemaAt } from './schema-tree.ts';

/** What zod found, as problems a person can mend. */
export function toProblems(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  schema: z.core.$ZodType,
): readonly Problem[] {
  return issues.flatMap((issue): readonly Problem[] => {
    const path = issue.path as KeyPath;
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema));
    const value = valueAt(raw, path);
    // A secret that may not stand here has been told already.
    if (value instanceof Secret) return [];
    if (value === undefined && path.length > 0) return [missingKey(path)];
    if (issue.code === 'invalid_value') return [notAChoice(path, value, issue.values.map(String))];
    const hint = hintFor(issue, value);
    return [{ code: codeOf(issue), path, message: issue.message, ...(hint === undefined ? {} : { hint }) }];
  });
}

function unknownKey(path: KeyPath, key: string, schema: z.core.$ZodType): Problem {
  const at = showPath(path);
  const message = `unknown key ${quoted(key)}${at === '' ? '' : ` in ${at}`}`;
  const section = schemaAt(schema, path);
  const node = section === undefined ? undefined : readSchema(section);
  const siblings = node?.kind === 'section' ? [...node.keys.keys()] : [];
  const told = section === undefined ? undefined : knownMistakes(section).get(key);
  const near = closest(key, siblings);
  const elsewhere = knownKeys(schema).find((known) => known.path.at(-1) === key && !known.path.includes('[]'));
  const hint =
    told ??
    (elsewhere !== undefined && path.length === 0 && (near === undefined || key.length > 4)
      ? `${quoted(key)} belongs ${elsewhere.path.length === 1 ? 'at the top' : `under ${quoted(showPath(elsewhere.path.slice(0, -1)))}`}`
      : near !== undefined
        ? `did you mean ${quoted(near)}?`
        : siblings.length > 0
          ? `known here: ${siblings.join(', ')}`
          : undefined);
  return { code: 'unknown-key', path: [...path, key], atKey: true, message, ...(hint === undefined ? {} : { hint }) };
}

function missingKey(path: KeyPath): Problem {
  const parent = path.slice(0, -1);
  return {
    code: 'missing-key',
    path: parent,
    atKey: true,
    message: `the key ${quoted(String(path.at(-1)))} is missing in ${showPath(parent)}`,
  };
}

function notAChoice(path: KeyPath, value: unknown, choices: readonly string[]): Problem {
  const near = typeof value === 'string' ? closest(value, choices) : undefined;
  return {
    code: 'wrong-value',
    path,
    message: `${either(choices)} is expected here, not ${inWords(value)}`,
    ...(near === undefined ? {} : { hint: `did you mean ${quoted(near)}?` }),
  };
}

function codeOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' ? 'wrong-type' : 'wrong-value';
}

function hintFor(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    if (issue.message.startsWith('a duration')) return `is it ${value}s?`;
    return issue.message.startsWith('a text') ? `put it in quotes: "${value}"` : undefined;
  }
  if (issue.expected === 'boolean' && typeof value === 'string') {
    const meant = { yes: 'true', on: 'true', y: 'true', no: 'false', off: 'false', n: 'false' }[value.toLowerCase()];
    return meant === undefined ? undefined : `write ${meant}`;
  }
  const isNumber = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
  if ((issue.expected === 'number' || issue.expected === 'int') && isNumber) return 'take the quotes away';
  if (issue.expected === 'array') return typeof value === 'string' ? `write ["${value}"]` : 'begin each item with "- "';
  return undefined;
}

function valueAt(raw: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return (value as Record<string | number, unknown>)[step];
  }, raw);
}
