import { type ExitCause, errIn, explainExit } from '../values/exit-causes.ts';

/** What an Alertmanager that died says last (0.33.1). */
const causes: readonly ExitCause[] = [
  {
    pattern:
      /msg="(?:error loading configuration file|failed to load configuration|Loading configuration file failed).*/i,
    say: ([line]) => `it cannot read its config: ${errIn(line) ?? 'its log says why'}`,
  },
];

/** The likely cause of an Alertmanager's end. */
export function explainAlertmanagerExit(lines: readonly string[]): string | undefined {
  return explainExit(lines, causes);
}
