/** How events are shown. */
export type Mode = 'tty' | 'plain' | 'json' | 'quiet';

/** Decides the mode once, from what was asked for and what stderr is; nothing later asks again. */
export function resolveMode(told: {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
}): Mode {
  if (told.json) return 'json';
  if (told.quiet) return 'quiet';
  const canMoveCursor = told.isTerminal && told.env['TERM'] !== 'dumb' && (told.env['CI'] ?? '') === '';
  return canMoveCursor ? 'tty' : 'plain';
}
