import type { PipelineCheckResult, StageResult } from '../../inspect/verify/pipeline-check.ts';
import { durationText } from '../../util/duration-text.ts';
import type { Colours } from '../colours.ts';

const nameWidth = 'alertmanager'.length;
const claimWidth = 42;

/** One hop as a line; a broken one with its cause and what to do. */
export function printStage(result: StageResult, { green, red, dim }: Colours): string {
  const { hop, claim, outcome, tookMs, detail, why, tryThis } = result;
  const name = hop.padEnd(nameWidth);
  if (outcome === 'skipped') return dim(`- ${name}  ${claim}: not tried\n`);
  const text = `${name}  ${claim.padEnd(claimWidth)} ${durationText(tookMs).padStart(8)}`;
  if (outcome === 'passed') return `${green('✔')} ${text}${detail === undefined ? '' : dim(`  ${detail}`)}\n`;
  return `${red('✖')} ${text}\n    ${why}\n    try: ${tryThis}\n`;
}

/** The last line: that the pipeline works, or where it is broken. */
export function printEnd({ works, hops }: PipelineCheckResult, { green, red }: Colours): string {
  if (works) {
    const tookMs = hops.reduce((sum, hop) => sum + hop.tookMs, 0);
    return `${green('✔')} the pipeline works (${durationText(tookMs)})\n`;
  }
  const broken = hops.filter(({ outcome }) => outcome === 'broken').map(({ hop }) => hop);
  return `${red('✖')} the pipeline is broken at: ${broken.join(', ')}\n`;
}
