import type { Matcher } from '../../stack/alertmanager/matcher.ts';
import { parseMatchers } from '../../stack/alertmanager/parse-matchers.ts';
import { misuse } from '../cli/misuse.ts';
import { InputError } from '../util/stack-error.ts';

/**
 * Matchers as words of a command line, as amtool takes them: `alertname=Foo`, `instance=~"a.*"`; a first word without an
 * operator is the name of an alert. An InputError names each word that is none.
 */
export function readMatchers(words: readonly string[]): readonly Matcher[] {
  const read = words.map((word, at): readonly Matcher[] | undefined =>
    at === 0 && /^[\w:.-]+$/.test(word) ? [{ name: 'alertname', operator: '=', value: word }] : parseMatchers(word),
  );
  const wrong = words.filter((_, at) => read[at] === undefined);
  if (wrong.length === 0) return read.flatMap((matchers) => matchers ?? []);
  throw new InputError(
    wrong.map((word) => misuse(`${word} is not a matcher`, 'name=value, with =, !=, =~ or !~ between the two')),
  );
}
