import type { KeyPath, Problem } from '../diagnostic.ts';
import { Secret } from '../secret.ts';
import { closest } from './closest.ts';
import { PlainScalar } from './plain-scalar.ts';
import { parseDuration } from './units.ts';
import { expected, quoted } from './words.ts';

/** A mapping in a server's own syntax, with unvalidated values. */
export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return isCollection(value) && !Array.isArray(value);
}

/** Whether a value is a mapping or a list. */
export function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Secret) && !(value instanceof PlainScalar);
}

/** The items of a list; none when the value is not a list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The mappings in a list, with their paths; other items are left to the server's own tool. */
export function mappingsIn(
  value: unknown,
  path: KeyPath,
): readonly { readonly value: Mapping; readonly path: KeyPath }[] {
  return listOf(value).flatMap((item, at) => (isMapping(item) ? [{ value: item, path: [...path, at] }] : []));
}

/** A value that is present and not a duration, or not above zero where it must be. */
export function durationProblems(
  section: Mapping,
  key: string,
  path: KeyPath,
  options: { readonly aboveZero?: boolean } = {},
): readonly Problem[] {
  const value = section[key];
  if (value === undefined || value === null || value instanceof Secret) return [];
  const parsed = typeof value === 'string' ? parseDuration(value) : value === 0 ? 0 : undefined;
  if (parsed !== undefined && (parsed > 0 || !options.aboveZero)) return [];
  return [
    {
      code: 'wrong-value',
      path: [...path, key],
      message: expected(`a duration${options.aboveZero ? ' above 0' : ''} such as 15s, 5m or 1h30m`, value),
      hint: typeof value === 'number' && value > 0 ? `did you mean ${value}s?` : undefined,
    },
  ];
}

/**
 * Probable typos of known keys. Other unknown keys pass: a newer server may know them, and its own tool reports the rest. `families` are
 * keys that differ in a short name only, such as `ecs_sd_configs` and `ec2_sd_configs`, and those that differ in a digit are alike.
 */
export function misspelledKeys(
  section: Mapping,
  known: readonly string[],
  path: KeyPath,
  families?: RegExp,
): readonly Problem[] {
  const mayBeNew = (key: string, near: string): boolean =>
    families?.test(key) === true || key.replaceAll(/\d+/g, '') === near.replaceAll(/\d+/g, '');
  return Object.keys(section).flatMap((key): readonly Problem[] => {
    const near = known.includes(key) ? undefined : closest(key, known, 2);
    if (near === undefined || mayBeNew(key, near)) return [];
    const message = `unknown key ${quoted(key)}`;
    return [{ code: 'unknown-key', path: [...path, key], atKey: true, message, hint: `did you mean ${quoted(near)}?` }];
  });
}

/** Items with the name of an earlier one. */
export function repeatedNames(
  named: readonly { readonly name: unknown; readonly path: KeyPath }[],
  what: string,
): readonly Problem[] {
  const first = new Map<string, KeyPath>();
  return named.flatMap(({ name, path }): readonly Problem[] => {
    if (typeof name !== 'string') return [];
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, path);
      return [];
    }
    return [
      {
        code: 'name-twice',
        path,
        message: `there are two ${what} named ${quoted(name)}`,
        hint: 'rename one of them',
        related: [{ path: earlier, message: 'the first is here' }],
      },
    ];
  });
}

/** The value at a path; undefined where the path ends early. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined),
    value,
  );
}
