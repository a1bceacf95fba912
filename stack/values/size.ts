const factors = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40, PB: 2 ** 50, EB: 2 ** 60 } as const;

/** The form of Prometheus's retention flag. */
export const sizeForm = /^(\d+)(B|KB|MB|GB|TB|PB|EB)$/;

/** Bytes of a size as Prometheus's retention flag writes it (`512MB`, powers of 1024); undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = sizeForm.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * factors[match[2] as keyof typeof factors];
}

/** Bytes as stack.yml would have them, in the largest unit that leaves a whole number: `300MB`. */
export function toSize(bytes: number): string {
  const units = Object.entries(factors).toReversed();
  const [unit, factor] = units.find(([, one]) => bytes > 0 && bytes % one === 0) ?? ['B', 1];
  return `${bytes / factor}${unit}`;
}
