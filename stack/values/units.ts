const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;
/** Prometheus's syntax: units from large to small, each at most once (common/model/time.go). */
export const durationForm =
  /^(?:0|(?=\d)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?)$/;

/** Go's durations are 64-bit nanoseconds, about 292 years; Prometheus rejects longer ones. */
const longestMs = Number(2n ** 63n / 1_000_000n);

/** Milliseconds of a Prometheus duration (`5m`, `1h30m`, `0`); undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  const match = durationForm.exec(text);
  if (match === null) return undefined;
  const order = ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const;
  const ms = order.reduce((sum, unit, at) => sum + Number(match[at + 1] ?? 0) * units[unit], 0);
  return ms <= longestMs ? ms : undefined;
}

const factors = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40, PB: 2 ** 50, EB: 2 ** 60 } as const;
type Unit = keyof typeof factors;

/** The syntax of Prometheus's retention flag: `20GB`, `1.5GiB`, `1GB512MB`, `0`. */
export const sizeForm = /^(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i?)?B)+)$/;

/** Docker's and Kubernetes's syntax of a size too: `512m`, `1.5g`, `512Mi`; all units are powers of 1024, as for Docker. */
export const memoryForm = /^(\d+(?:\.\d+)?) ?(?:([kKmMgGtTpPeE])[iI]?[bB]?|[bB])?$/;

/** Bytes of a size of memory; undefined when it is not one. */
export function parseMemory(text: string): number | undefined {
  const match = memoryForm.exec(text);
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * factors[`${match[2]?.toUpperCase() ?? ''}B` as Unit]);
}

/** Prometheus's sizes are 64-bit integers. */
const largestSize = 2 ** 63;

/** Bytes of a size such as `512MB` (powers of 1024); undefined when it is not one. */
export function parseSize(text: string): number | undefined {
  if (!sizeForm.test(text)) return undefined;
  const parts = [...text.matchAll(/([\d.]+)(?:([KMGTPE])i?)?B/g)];
  const bytes = parts.reduce((sum, [, number, prefix = '']) => sum + Number(number) * factors[`${prefix}B` as Unit], 0);
  return bytes < largestSize ? Math.floor(bytes) : undefined;
}

/** Bytes as a size in the largest unit that gives a whole number: `300MB`. */
export function toSize(bytes: number): string {
  const units = Object.entries(factors).toReversed();
  const [unit, factor] = units.find(([, size]) => bytes > 0 && bytes % size === 0) ?? ['B', 1];
  return `${bytes / factor}${unit}`;
}

/** `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`; both times are milliseconds since 1970. */
export function ago(then: number, now: number): string {
  const ms = Math.max(0, now - then);
  if (ms < units.m) return `${Math.floor(ms / units.s)} s ago`;
  if (ms < units.h) return `${Math.floor(ms / units.m)} min ago`;
  if (ms < 2 * units.d) return `${Math.floor(ms / units.h)} h ago`;
  return `${Math.floor(ms / units.d)} d ago`;
}
