import { fits, type Matcher } from '../../../stack/alertmanager/matcher.ts';
import { parseMatchers } from '../../../stack/alertmanager/parse-matchers.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { isBroken } from '../../../stack/values/go-regexp.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';

/**
 * Matchers as words of a command line, as amtool takes them: `alertname=Foo`, `instance=~"a.*"`; a first word without an
 * operator is the name of an alert. An InputError names each word that is none.
 */
export function readMatchers(words: readonly string[]): readonly Matcher[] {
  const read = words.map((word, at): readonly Matcher[] | undefined =>
    at === 0 && /^[\w:.-]+$/.test(word) ? [{ name: 'alertname', operator: '=', value: word }] : parseMatchers(word),
  );
  const wrong = words.flatMap((word, at) => problemOf(word, read[at]) ?? []);
  if (wrong.length === 0) return read.flatMap((matchers) => matchers ?? []);
  throw new InputError(wrong);
}

function problemOf(word: string, matchers: readonly Matcher[] | undefined): Diagnostic | undefined {
  if (matchers === undefined || matchers.length === 0) {
    const named = word.trim() === '' ? 'an empty text' : word;
    return misuse(`${named} is not a matcher`, 'name=value, with =, !=, =~ or !~ between the two');
  }
  const broken = matchers.find(({ operator, value }) => operator.endsWith('~') && isBroken(value));
  if (broken === undefined) return undefined;
  return misuse(
    `${word}: ${broken.value} is no regular expression`,
    'a backslash before a sign takes its meaning away',
  );
}

/** Matchers for a silence; an InputError also where they match an alert without labels, which Alertmanager refuses. */
export function readSilenceMatchers(words: readonly string[]): readonly Matcher[] {
  const matchers = readMatchers(words);
  if (matchers.some((one) => fits(one, '') !== true)) return matchers;
  throw new InputError([
    misuse(
      `${words.join(' ')} would silence alerts that have none of these labels`,
      'at least one matcher must ask for a label with a value',
    ),
  ]);
}
