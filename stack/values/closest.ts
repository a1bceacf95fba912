/** The candidate a person most likely meant by a word, at most so many slips away; undefined when none is near enough. */
export function closest(
  word: string,
  candidates: Iterable<string>,
  slips = Math.max(1, Math.floor(word.length * 0.4)),
): string | undefined {
  let best: string | undefined;
  let least = slips + 1;
  const plain = plainForm(word);
  for (const candidate of candidates) {
    if (candidate === word) continue;
    const far = plainForm(candidate) === plain ? 0 : editDistance(word, candidate, least);
    if (far < least) {
      best = candidate;
      least = far;
    }
  }
  return best;
}

/** `scrapeInterval`, `scrape-interval` and `scrape_interval` are one word to a person. */
function plainForm(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Letters to add, drop, change or swap to make one word the other; anything from `limit` on is answered as `limit`. */
export function editDistance(from: string, to: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return Math.min(limit, above[to.length] ?? limit);
}
