import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../util/package-root.ts';

/** The number of measurements of each contender. */
export const rounds = Number(process.env['ROUNDS'] ?? 7);

/** Runs the built command without a shell, whose start would be measured. */
export function promstack(args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }) {
  return execa('node', [join(packageRoot(), 'dist/scripts/promstack.cjs'), ...args], options);
}

/** The milliseconds of the measured runs, in their order. */
export type Timings = readonly number[];

export function median(series: Timings): number {
  const sorted = [...series].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

/** The duration of one call in milliseconds. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** A measured operation; its preparation is not measured. */
export interface Contender {
  readonly name: string;
  prepare?(): Promise<void>;
  run(): Promise<unknown>;
}

/** Measures the contenders in turn, A B C A B C …, so that a slower machine affects all of them; the first round warms up. */
export async function alternate(
  contenders: readonly Contender[],
  times = rounds,
): Promise<ReadonlyMap<string, Timings>> {
  const taken = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= times; round++) {
    for (const { name, prepare, run } of contenders) {
      await prepare?.();
      const ms = await timed(run);
      if (round > 0) taken.get(name)?.push(ms);
    }
  }
  return taken;
}

/** What was printed, as lines of markdown. */
export const page: string[] = [];

function print(lines: readonly string[], markdown: readonly string[]): void {
  console.log(lines.join('\n'));
  page.push(...markdown);
}

/** Prints the median, minimum and maximum of the series, below a title. */
export function printTable(title: string, series: ReadonlyMap<string, Timings>): void {
  const width = Math.max(...[...series.keys()].map((name) => name.length));
  const cell = (ms: number): string => `${ms.toFixed(0)} ms`.padStart(9);
  const lines = [...series].map(
    ([name, taken]) =>
      `  ${name.padEnd(width)}  median ${cell(median(taken))}  min ${cell(Math.min(...taken))}  max ${cell(Math.max(...taken))}  (${taken.length} runs)`,
  );
  const rows = [...series].map(([name, taken]) => {
    const [middle, least, most] = [median(taken), Math.min(...taken), Math.max(...taken)].map(
      (ms) => `${ms.toFixed(0)} ms`,
    );
    return `| ${name} | ${middle} | ${least} | ${most} | ${taken.length} |`;
  });
  const head = ['| | median | min | max | runs |', '| --- | --- | --- | --- | --- |'];
  print([title, ...lines], ['', `## ${title}`, '', ...head, ...rows, '']);
}

/** Prints `a / b` of two medians and its budget. */
export function ratio(series: ReadonlyMap<string, Timings>, a: string, b: string, limit: number): void {
  budget(`${a} / ${b}`, median(series.get(a) ?? []) / median(series.get(b) ?? []), limit);
}

/** Prints a value and its budget; a value over its budget sets the exit code to 1. */
export function budget(what: string, value: number, limit: number, unit: '' | ' ms' | ' MB' = ''): void {
  const holds = value <= limit;
  const shown = value.toFixed(unit === '' ? 2 : 0);
  const line = `${what}: ${shown}${unit} (at most ${limit}${unit}: ${holds ? 'holds' : 'DOES NOT HOLD'})`;
  print([`  ${line}`], [`- ${line}`]);
  if (!holds) process.exitCode = 1;
}
