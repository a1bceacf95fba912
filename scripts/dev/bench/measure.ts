import { performance } from 'node:perf_hooks';

/** Runs that were measured, in milliseconds, in their order. */
export type Timings = readonly number[];

/** The middle value; of an even count the mean of the two in the middle. */
export function median(series: Timings): number {
  const sorted = [...series].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

/** How long one call takes, in milliseconds. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** One thing that is measured: its preparation is not counted. */
export interface Contender {
  readonly name: string;
  prepare?(): Promise<void>;
  run(): Promise<unknown>;
}

/** Measures the contenders in turn, A B C A B C …, so that a machine that slows down slows all of them; the first round warms up. */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
): Promise<ReadonlyMap<string, Timings>> {
  const taken = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, prepare, run } of contenders) {
      await prepare?.();
      const ms = await timed(run);
      if (round > 0) taken.get(name)?.push(ms);
    }
  }
  return taken;
}

/** The series as lines: median, minimum, maximum. */
export function table(series: ReadonlyMap<string, Timings>): string {
  const width = Math.max(...[...series.keys()].map((name) => name.length));
  const cell = (ms: number): string => `${ms.toFixed(0)} ms`.padStart(9);
  return [...series]
    .map(
      ([name, taken]) =>
        `  ${name.padEnd(width)}  median ${cell(median(taken))}  min ${cell(Math.min(...taken))}  max ${cell(Math.max(...taken))}  (${taken.length} runs)`,
    )
    .join('\n');
}

/** `a / b` of two medians, held against a limit: `promstack / compose: 0.43 (at most 0.55: holds)`. */
export function ratio(series: ReadonlyMap<string, Timings>, a: string, b: string, limit: number): string {
  const value = median(series.get(a) ?? []) / median(series.get(b) ?? []);
  return `  ${a} / ${b}: ${value.toFixed(2)} (at most ${limit}: ${value <= limit ? 'holds' : 'DOES NOT HOLD'})`;
}
