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
