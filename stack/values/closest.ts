/** The candidate with the fewest typos, at most `limit` and never more than two; undefined when there is none. */
export function closest(
  word: string,
  candidates: Iterable<string>,
  limit = Math.min(2, Math.max(1, Math.floor(word.length * 0.4))),
): string | undefined {
  let best: string | undefined;
  let least = limit + 1;
  const plain = plainForm(word);
  for (const candidate of candidates) {
    if (candidate === word) continue;
    const distance = plainForm(candidate) === plain ? 0 : editDistance(word, candidate, least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/**
 * The candidate that a word is probably a misspelling of: the same but for case and separators, or one or two typos in a long word.
 * Undefined for words that may be names of their own: those that differ in a digit or in a short part, such as `web-1` and `web-2`,
 * `rx_bytes` and `tx_bytes`, are different names.
 */
export function misspelled(word: string, candidates: Iterable<string>): string | undefined {
  const [plain, start] = [plainForm(word), word.charAt(0).toLowerCase()];
  let best: string | undefined;
  for (const candidate of candidates) {
    // Hardly any typo is in the first letter, and most candidates differ there.
    if (candidate === word || candidate.charAt(0).toLowerCase() !== start) continue;
    if (plainForm(candidate) === plain) return candidate;
    if (best === undefined && isTypo(word, candidate)) best = candidate;
  }
  return best;
}

function isTypo(word: string, candidate: string): boolean {
  const digits = (text: string): string => text.replaceAll(/\D/g, '');
  const shortest = Math.min(word.length, candidate.length);
  const limit = shortest < 9 ? 1 : 2;
  if (shortest < 5 || editDistance(word, candidate, limit + 1) > limit || digits(word) !== digits(candidate))
    return false;
  const [parts, others] = [partsOf(word), partsOf(candidate)];
  if (parts.length !== others.length) return true;
  return parts.every((part, at) => {
    const other = others[at] ?? '';
    return part === other || Math.min(part.length, other.length) >= (part.length === other.length ? 4 : 3);
  });
}

/** The words in a name: `node`, `Down` and `fast` of `nodeDown_fast`. */
const partsOf = (name: string): readonly string[] => name.split(/[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])/);

/** Equal for `scrapeInterval`, `scrape-interval` and `scrape_interval`. */
function plainForm(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Letters to insert, delete, substitute or swap to turn one word into the other (Damerau-Levenshtein), at most `limit`. */
export function editDistance(from: string, to: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return Math.min(limit, above[to.length] ?? limit);
}
