import type { KeyPath, Problem } from '../diagnostic.ts';
import { Secret } from '../secret.ts';
import { closest } from './closest.ts';
import { PlainScalar } from './plain-scalar.ts';
import { parseDuration } from './units.ts';
import { inWords, quoted } from './words.ts';

/** A mapping in a program's own syntax, whose values nobody has looked at yet. */
export type Native = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping. */
export function isNative(value: unknown): value is Native {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof PlainScalar)
  );
}

/** Whether a value is a mapping or a list. */
export function isCollection(value: unknown): boolean {
  return Array.isArray(value) || isNative(value);
}

/** The mappings of a list with their paths; what is no mapping is left to the program's own tool. */
export function mappingsIn(
  value: unknown,
  path: KeyPath,
): readonly { readonly value: Native; readonly path: KeyPath }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, at) => (isNative(item) ? [{ value: item, path: [...path, at] }] : []));
}

/** A key whose value is there but is no duration, or is nothing where `aboveZero` is asked for. */
export function durationProblems(
  section: Native,
  key: string,
  path: KeyPath,
  options: { readonly aboveZero?: boolean } = {},
): readonly Problem[] {
  const value = section[key];
  if (value === undefined || value === null || value instanceof Secret) return [];
  const parsed = typeof value === 'string' ? parseDuration(value) : value === 0 ? 0 : undefined;
  const what = options.aboveZero
    ? 'a duration above 0, such as 15s, 5m or 1h30m,'
    : 'a duration such as 15s, 5m or 1h30m';
  if (parsed !== undefined && (parsed > 0 || !options.aboveZero)) return [];
  return [
    {
      code: 'wrong-value',
      path: [...path, key],
      message: `${what} is expected here, not ${inWords(value)}`,
      ...(typeof value === 'number' && value > 0 ? { hint: `is it ${value}s?` } : {}),
    },
  ];
}

/**
 * Keys one slip away from a key the program knows. Others pass: a newer program may know them, and its own tool says when it does
 * not.
 */
export function misspeltKeys(section: Native, known: readonly string[], path: KeyPath): readonly Problem[] {
  return Object.keys(section).flatMap((key): readonly Problem[] => {
    if (known.includes(key)) return [];
    const near = closest(key, known, 2);
    if (near === undefined) return [];
    return [
      {
        code: 'unknown-key',
        path: [...path, key],
        atKey: true,
        message: `unknown key ${quoted(key)}`,
        hint: `did you mean ${quoted(near)}?`,
      },
    ];
  });
}

/** Items that have the name of an earlier one. */
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
        hint: 'give one of them another name',
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
