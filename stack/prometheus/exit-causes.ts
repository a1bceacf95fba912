import { type ExitCause, errIn, explainExit } from '../values/exit-causes.ts';

/** What a Prometheus that died says last (3.5.3). */
const causes: readonly ExitCause[] = [
  {
    pattern: /msg="Error loading (?:config|rule file).*/,
    say: ([line]) => `it cannot read its config: ${errIn(line) ?? 'its log says why'}`,
  },
  {
    pattern: /lock DB directory: resource temporarily unavailable/,
    say: () => 'another Prometheus uses its data volume',
  },
  {
    pattern: /(?:repair corrupted WAL|corruption in segment|unexpected checkpoint record|invalid block sequence).*/,
    say: () =>
      'its write-ahead log or a block of it is damaged: what is in the data volume has to be repaired or given up',
  },
];

/** The likely cause of a Prometheus's end. */
export function explainPrometheusExit(lines: readonly string[]): string | undefined {
  return explainExit(lines, causes);
}
