import type { Reading } from '../model.ts';
import { counted } from '../values/words.ts';

/** More problems of one kind than this are counted instead of listed. */
export const maxListed = 5;

/** A message for each of the first few, and one that counts the others; the last says what to try. */
export function listed<T>(
  all: readonly T[],
  message: (one: T) => string,
  { others, tryThis }: { readonly others: string; readonly tryThis: string },
): NonNullable<Reading['problems']> {
  const messages = all.slice(0, maxListed).map(message);
  if (all.length > maxListed) messages.push(`${all.length - maxListed} more ${others}`);
  return messages.map((text, at) => (at === messages.length - 1 ? { message: text, tryThis } : { message: text }));
}

/** A notice about what has not been done since the server started or reloaded. */
export function notYet(count: number, noun: string, done: string): NonNullable<Reading['problems']> {
  if (count === 0) return [];
  const message = `${counted(count, noun)} ${count === 1 ? 'has' : 'have'} not been ${done} yet`;
  return [{ message, tryThis: 'promstack status again in a minute' }];
}
