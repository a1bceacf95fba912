import { unreachable } from '../../util/unreachable.ts';
import type { Synced } from '../../watch/sync.ts';
import { watchStack } from '../../watch/watch-stack.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { printSynced } from '../print/change.ts';
import { printDiagnostic, printDiagnostics, sourceReader } from '../print/diagnostics.ts';
import { defineCommand } from './command.ts';
import { connectEngine, mayTakeOver, yesOption } from './stages.ts';

export const command = defineCommand({
  details:
    'Watches stack.yml, every file and glob in it, secret files, templates and tests, and reloads the stack after ' +
    'each change as `reload` does: validated before, confirmed after, all or none. An invalid edit is reported ' +
    'once and the last valid revision keeps running; the next valid edit is applied, undo included; new files are ' +
    'picked up. Keeps running while the engine is away. An edit that needs a container to be recreated is reported ' +
    'and waits for `up`.',
  examples: [
    { line: 'watch', what: 'until Ctrl-C' },
    { line: 'watch --once-idle', what: 'until the current files are live; for scripts' },
  ],
  syntax: (blank) =>
    blank
      .option(...yesOption)
      .option('--once-idle', 'exit when nothing is pending; exit 1 or 2 if the last edit was not applied'),
  run: async (context, { onceIdle, yes }) => {
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
      takeOver: yes,
      mayTakeOver: (error) => mayTakeOver(context, error),
      onSynced: (synced) => print(context, synced),
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

function print(context: Context, synced: Synced): void {
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
  // Only an applied edit is a result.
  const output = synced.kind === 'live' ? stdout : stderr;
  output.write(problems() + printSynced(synced, new Date(clock.now())));
}

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
