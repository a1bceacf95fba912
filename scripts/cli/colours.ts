import picocolors from 'picocolors';

/** Functions that colour a text, or leave it alone where colours are not wanted. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** Colours for one output: by `--no-color`, NO_COLOR and FORCE_COLOR in this order, else only on a terminal. */
export function coloursFor(told: { isTerminal: boolean; env: NodeJS.ProcessEnv; noColourFlag: boolean }): Colours {
  return picocolors.createColors(wantsColours(told));
}

function wantsColours({ isTerminal, env, noColourFlag }: Parameters<typeof coloursFor>[0]): boolean {
  if (noColourFlag || isSet(env['NO_COLOR'])) return false;
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

/** An empty variable counts as absent: https://no-color.org. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
