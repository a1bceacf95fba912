import { adminUser } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import { durationText } from '../../util/duration-text.ts';
import type { PlayedStep } from '../demo/play.ts';
import type { Scenario } from '../demo/scenario.ts';
import type { TerminalOutput } from '../terminal-output.ts';
import { table } from './table.ts';

/** The scenarios by name, one a line. */
export function printScenarios(scenarios: readonly Scenario[], columns: number | undefined): string {
  return table(
    scenarios.map(({ name, title }) => [name, title]),
    { columns },
  );
}

/** How to see the incident in Grafana, with the password that is revealed; nothing without Grafana. */
export function printSignIn(dashboard: string | undefined, password: Secret | undefined): [text: string, ...Secret[]] {
  if (dashboard === undefined || password === undefined) return [''];
  return [`\nWatch it in Grafana as ${adminUser}, password ${password.reveal()}\n  ${dashboard}\n`, password];
}

type Terminal = Pick<TerminalOutput, 'colours' | 'columns'>;

/** A step of a scenario, as it begins: ` 2/6  A disk of md1 fails`. */
export function printStep(
  { step, steps, say }: Pick<PlayedStep, 'step' | 'steps' | 'say'>,
  { colours, columns }: Terminal,
): string {
  const number = `${step}/${steps}`.padStart(String(steps).length * 2 + 1);
  return `${colours.dim(number)}  ${wrapped(say, number.length + 2, columns())}\n`;
}

/** What it led to, and where to look. */
export function printSeen({ steps, seen, look, tookMs }: PlayedStep, { colours, columns }: Terminal): string {
  const left = String(steps).length * 2 + 3;
  const indent = ' '.repeat(left);
  return [
    ...seen.map((text) => {
      // A number and its unit stay together.
      const took = durationText(tookMs).replaceAll(' ', '\u00a0');
      const lines = wrapped(`${text} (${took})`, left + 2, columns());
      return `${indent}${colours.green('✔')} ${lines}\n`;
    }),
    ...look.map((url) => `${indent}see ${url}\n`),
  ].join('');
}

/** Text that is broken between words where a terminal has no room for it, and goes on at the same column. */
function wrapped(text: string, left: number, columns = Number.POSITIVE_INFINITY): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && left + longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(left)}`);
}
