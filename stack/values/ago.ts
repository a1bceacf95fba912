const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long ago a time is, as a person says it: `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`. Both are milliseconds since 1970. */
export function ago(then: number, now: number): string {
  const ms = Math.max(0, now - then);
  if (ms < minute) return `${Math.floor(ms / second)} s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`;
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h ago`;
  return `${Math.floor(ms / day)} d ago`;
}
