import type { KeyPath, Problem } from '../diagnostic.ts';
import { isNative, type Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';
import { parseMatchers } from './matcher.ts';

/** What is wrong with the list of matchers under a key, such as `matchers` of a route. */
export function matcherProblems(section: Native, key: string, path: KeyPath): readonly Problem[] {
  const matchers = section[key];
  const here = [...path, key];
  if (matchers === undefined || matchers === null) return [];
  if (Array.isArray(matchers)) return matchers.flatMap((matcher: unknown, at) => problemOf(matcher, [...here, at]));
  const message = `a list of matchers is expected here, not ${inWords(matchers)}`;
  return [{ code: 'wrong-type', path: here, message, hint: suggestion(matchers) ?? 'such as [severity="critical"]' }];
}

function problemOf(matcher: unknown, path: KeyPath): readonly Problem[] {
  if (typeof matcher === 'string' && parseMatchers(matcher) !== undefined) return [];
  const given = typeof matcher === 'string' ? quoted(matcher) : inWords(matcher);
  const hint = suggestion(matcher) ?? 'a matcher is name="value", with =, !=, =~ or !~ between the two';
  return [{ code: 'matcher', path, message: `this is not a matcher: ${given}`, hint }];
}

/** What a person who wrote `severity: critical` meant. */
function suggestion(given: unknown): string | undefined {
  const pairs = isNative(given)
    ? Object.entries(given)
    : typeof given === 'string'
      ? [...given.matchAll(/^\s*(\w+)\s*(?::|==)\s*"?([^"]*?)"?\s*$/g)].map(
          ([, name = '', value]) => [name, value] as const,
        )
      : [];
  const [first] = pairs;
  if (first === undefined || pairs.length !== 1 || typeof first[1] === 'object') return undefined;
  return `write ${first[0]}="${String(first[1])}"`;
}
