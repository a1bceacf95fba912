import { isInvalidRegExp, type Matcher, matches, parseMatchers } from '../../stack/alertmanager/matcher.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { misuse } from '../util/misuse.ts';
import { InputError } from '../util/stack-error.ts';

/**
 * Parses matchers of a command line in the syntax of amtool: `alertname=Foo`, `instance=~"a.*"`; a first word without an
 * operator is an alert name. Throws an InputError for the invalid ones.
 */
export function readMatchers(words: readonly string[]): readonly Matcher[] {
  const parsed = words.map((word, index): readonly Matcher[] | undefined =>
    index === 0 && /^[\w:.-]+$/.test(word) ? [{ name: 'alertname', operator: '=', value: word }] : parseMatchers(word),
  );
  const problems = words.flatMap((word, index) => problemOf(word, parsed[index]) ?? []);
  if (problems.length === 0) return parsed.flatMap((matchers) => matchers ?? []);
  throw new InputError(problems);
}

function problemOf(word: string, matchers: readonly Matcher[] | undefined): Diagnostic | undefined {
  if (matchers === undefined || matchers.length === 0) {
    const named = word.trim() === '' ? 'an empty string' : word;
    return misuse(`${named} is not a matcher`, 'write name=value, with =, !=, =~ or !~');
  }
  const broken = matchers.find(({ operator, value }) => operator.endsWith('~') && isInvalidRegExp(value));
  if (broken === undefined) return undefined;
  return misuse(
    `${word}: ${broken.value} is not a valid regular expression`,
    'escape special characters with a backslash',
  );
}

/** Parses the matchers of a silence. Throws an InputError also if they match alerts without labels, as Alertmanager does. */
export function readSilenceMatchers(words: readonly string[]): readonly Matcher[] {
  const matchers = readMatchers(words);
  if (matchers.some((matcher) => matches(matcher, '') !== true)) return matchers;
  throw new InputError([
    misuse(
      `${words.join(' ')} would silence alerts that have none of these labels`,
      'at least one matcher must require a label to have a value',
    ),
  ]);
}
