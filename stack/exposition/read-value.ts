import type { Cursor } from './cursor.ts';
import { parseFloat64 } from './float.ts';
import type { Piece } from './read-line.ts';

const nextWord = /[^ \t]+/y;

/** Takes the value, which must be the last thing on its line. */
export function readValue(cursor: Cursor): Piece<number> {
  cursor.skipBlanks();
  const from = cursor.at;
  if (cursor.isAtEnd) cursor.fail('value', 'the value is missing');
  const written = cursor.take(nextWord) ?? '';
  const value = parseFloat64(written);
  const to = cursor.at;
  if (value === undefined) {
    cursor.fail('value', `${JSON.stringify(written)} is not a number`, { from, hint: hintFor(written) });
  }
  if (!cursor.isAtEnd) failAfterValue(cursor);
  return { value, from, to };
}

function hintFor(word: string): string | undefined {
  if (word.endsWith('\r')) return 'the line ends in CR LF; only LF may end it: dos2unix mends the file';
  if (/^\d+,\d+$/.test(word)) return 'the decimal sign is a point';
  if (/^0x/i.test(word)) return 'hexadecimal numbers are not taken: write it in decimal';
  if (/_/.test(word)) return 'a number has no _ in it';
  if (/^[+-]nan$/i.test(word)) return 'NaN takes no sign';
  if (/^[+-]?\d[\d.]*e\d+$/i.test(word)) return 'it is beyond the largest float; write +Inf or -Inf if that is meant';
  if (/^["']/.test(word)) return 'a value is not quoted';
  return undefined;
}

function failAfterValue(cursor: Cursor): never {
  const from = cursor.at;
  cursor.skipBlanks();
  if (cursor.isAtEnd) {
    cursor.fail('trailing-blank', 'blanks follow the value', { from, hint: 'the line must end with the value' });
  }
  const rest = cursor.take(/.*/sy) ?? '';
  const at = { from: cursor.at - rest.length, to: cursor.at };
  if (/^[+-]?\d+[ \t\r]*$/.test(rest)) {
    cursor.fail('timestamp', 'the Pushgateway refuses samples with a timestamp', {
      ...at,
      hint: 'leave it out: the sample is kept until it is replaced, and push_time_seconds says when it came',
    });
  }
  if (rest.startsWith('#')) {
    cursor.fail('trailing-text', 'text follows the value', {
      ...at,
      hint: 'a comment stands on a line of its own, and exemplars are OpenMetrics, which is not taken here',
    });
  }
  cursor.fail('trailing-text', 'text follows the value', at);
}
