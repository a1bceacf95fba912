import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import type { Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';

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
