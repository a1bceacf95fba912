import { lintRendering } from '../../scripts/check/lint.ts';
import type { LiveSeries } from '../../stack/lint/linted-alert.ts';
import { type Folder, printed, renderingOf } from './own-tests.ts';

/** The warnings about a stack, as one line each; without the hint how to silence it. */
export async function lint(folder: Folder, live?: LiveSeries): Promise<readonly string[]> {
  return printed(lintRendering(await renderingOf(folder), live)).map((line) =>
    line.replace(/; "# promstack: ignore [\w-]+" silences this/, ''),
  );
}

/** A rule file with these rules in one group. */
export const ruleFileOf = (rules: string): string =>
  `groups:\n  - name: a\n    rules:\n${rules.replaceAll(/^(?=.)/gm, '      ')}`;

/** One alert that fires when a target is down, with these labels in flow style. */
export const alertOf = (name: string, labels: string, expr = 'up == 0'): string =>
  `- alert: ${name}\n  expr: ${expr}\n  labels: {${labels}}\n`;
