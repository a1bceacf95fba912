/** Milliseconds in readable units: `40 ms`, `1.2 s`, `2 min 5 s`, `1 h 4 min`. */
export function durationText(ms: number): string {
  if (ms < 995) return `${Math.round(ms / 10) * 10} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
