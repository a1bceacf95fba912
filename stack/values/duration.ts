const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;
/** Prometheus's own form: units from large to small, each at most once (common/model/time.go). */
export const durationForm =
  /^(?:0|(?=\d)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?)$/;

/** Go keeps a span of time in 64 bits of nanoseconds, some 292 years: Prometheus takes none that is longer. */
const longestMs = Number(2n ** 63n / 1_000_000n);

/** Milliseconds of a duration as Prometheus writes it (`5m`, `1h30m`, `0`); undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = durationForm.exec(text);
  if (match === null) return undefined;
  const order = ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const;
  const ms = order.reduce((sum, unit, at) => sum + Number(match[at + 1] ?? 0) * units[unit], 0);
  return ms <= longestMs ? ms : undefined;
}
