import { unreachable } from '../../util/unreachable.ts';
import type { Synced } from '../../watch/sync.ts';
import { watchStack } from '../../watch/watch-stack.ts';
import type { Context } from '../context.ts';
import { sourceReader } from '../diagnostic-source.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printDiagnostic, printDiagnostics } from '../print/diagnostics.ts';
import { printSynced } from '../print/synced.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './stages.ts';

/** `promstack watch`: each good edit is live within a fraction of a second, a bad one changes nothing. */
export const command = defineCommand({
  details:
    'Watches stack.yml, every file and glob it names, secret files, templates and tests, and reloads the stack after each ' +
    'change as `reload` does: checked first, confirmed after, all of it or none. A bad edit is told once and the last good ' +
    'revision goes on; the next good edit is taken, an undone one too. New files count. It goes on while the engine is ' +
    'away. An edit that needs a container made anew is told, and waits for `up`.',
  examples: [
    { line: 'watch', what: 'until Ctrl-C' },
    { line: 'watch --once-idle', what: 'until what is there now is live; for scripts' },
  ],
  syntax: (blank) =>
    blank.option('--once-idle', 'end when nothing is pending; exit 1 or 2 when the last was not taken'),
  run: async (context, { onceIdle }) => {
    await using engine = await connectEngine(context);
    const { cwd, env, file, report, clock, signal } = context;
    const last = await watchStack({
      engine,
      cwd,
      env,
      file,
      report,
      clock,
      signal,
      onceIdle: onceIdle === true,
      onSynced: (synced) => tell(context, synced),
      onWarning: (warning) => {
        const { stderr } = context;
        if (context.json) report({ kind: 'diagnostic', diagnostic: warning });
        else stderr.write(printDiagnostic(warning, sourceReader(cwd), stderr.colours.isColorSupported));
      },
      onIdle: () => {
        if (context.json) context.stdout.write('{"kind":"idle"}\n');
      },
    });
    return codeOf(last);
  },
});

function tell(context: Context, synced: Synced): void {
  const { stdout, stderr, clock, json, cwd } = context;
  if (json) {
    stdout.write(`${JSON.stringify(toJson(synced))}\n`);
    return;
  }
  const problems = (): string => {
    if (synced.kind === 'wrong') {
      return printDiagnostics(synced.diagnostics, sourceReader(cwd), stderr.colours.isColorSupported);
    }
    return synced.kind === 'refused' ? `${stderr.colours.red('✖')} ${synced.error.message}\n` : '';
  };
  // What was not taken is no result.
  const outlet = synced.kind === 'live' ? stdout : stderr;
  outlet.write(problems() + printSynced(synced, new Date(clock.now())));
}

/** The same facts as the text, for programs. */
function toJson(synced: Synced): object {
  switch (synced.kind) {
    case 'live': {
      const { kind, revision, tookMs, changed } = synced;
      return { kind, revision, tookMs, changes: changed?.plan.changes ?? [] };
    }
    case 'wrong':
    case 'postponed':
      return synced;
    case 'refused': {
      const { doing, why, tryThis } = synced.error;
      return { kind: 'refused', doing, why, try: tryThis };
    }
    default:
      return unreachable(synced);
  }
}

function codeOf(last: Synced): ExitCode {
  switch (last.kind) {
    case 'live':
      return exitCodes.fine;
    case 'wrong':
      return exitCodes.wrongInput;
    case 'refused':
    case 'postponed':
      return exitCodes.refused;
    default:
      return unreachable(last);
  }
}
