import { durationText } from '../../util/duration-text.ts';
import type { PlayedStep } from '../demo/play.ts';
import type { Scenario } from '../demo/scenario.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

/** The scenarios by name, one a line. */
export function printScenarios(scenarios: readonly Scenario[], columns: number | undefined): string {
  return table(
    scenarios.map(({ name, title }) => [name, title]),
    { columns },
  );
}

/** A step of a scenario, as it begins: ` 2/6  A disk of md1 fails`. */
export function printStep({ step, steps, say }: Pick<PlayedStep, 'step' | 'steps' | 'say'>, colours: Colours): string {
  const number = `${step}/${steps}`.padStart(String(steps).length * 2 + 1);
  return `${colours.dim(number)}  ${say}\n`;
}

/** What it led to, and where to look. */
export function printSeen({ steps, seen, look, tookMs }: PlayedStep, colours: Colours): string {
  const indent = ' '.repeat(String(steps).length * 2 + 3);
  return [
    ...seen.map((text) => `${indent}${colours.green('✔')} ${text} ${colours.dim(`(${durationText(tookMs)})`)}\n`),
    ...look.map((url) => `${indent}see ${url}\n`),
  ].join('');
}
