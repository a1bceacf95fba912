import { parseDuration } from '../../../stack/values/duration.ts';

/** Reads `10m`, `1h30m` back from now, or a time such as 2026-01-31T12:00:00Z; undefined when it is neither. */
export function parseSince(text: string, now: number): Date | undefined {
  const backMs = parseDuration(text);
  if (backMs !== undefined) return new Date(now - backMs);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
}
