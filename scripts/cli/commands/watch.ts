import * as z from 'zod';
import { InputError } from '../../util/stack-error.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Synced } from '../../watch/sync.ts';
import { watchStack } from '../../watch/watch-stack.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { changesSchema, toChanges } from '../json/change.ts';
import { toFailedLine, toJsonDiagnostic } from '../json/envelope.ts';
import { diagnosticSchema, failedLineSchema, invalidLineSchema, timeSchema } from '../json/schema.ts';
import { printSynced } from '../print/change.ts';
import { printDiagnostic, printDiagnostics, sourceReader } from '../print/diagnostics.ts';
import { defineCommand } from './command.ts';
import { connectEngine, filesOf } from './find-stack.ts';
import { mayTakeOver, yesOption } from './take-over.ts';

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
  json: () =>
    z.strictObject({
      outcome: z.enum(['applied', 'invalid', 'failed', 'postponed']).describe('of the last edit'),
      revision: z.string().optional().describe('when it was applied'),
    }),
  jsonLine: lineSchema,
  run: async (context, { onceIdle, yes }) => {
    await using engine = await connectEngine(context);
    const { cwd, report, clock, signal, stderr } = context;
    const now = () => new Date(clock.now()).toISOString();
    const last = await watchStack({
      engine,
      ...filesOf(context),
      report,
      clock,
      signal,
      onceIdle: onceIdle === true,
      takeOver: yes,
      mayTakeOver: (error) => mayTakeOver(context, error),
      onSynced: (synced) => {
        if (synced.kind === 'live') context.nameStack(synced.stack);
        context.line(toLine(synced, now()));
        print(context, synced);
      },
      onWarning: (warning) => {
        context.line({ kind: 'diagnostic', time: now(), diagnostic: toJsonDiagnostic(warning) });
        stderr.write(printDiagnostic(warning, sourceReader(cwd), stderr.colours.isColorSupported));
      },
      onIdle: () => context.line({ kind: 'idle', time: now() }),
    });
    const revision = last.kind === 'live' ? last.revision : undefined;
    context.result({ outcome: outcomes[last.kind], revision });
    return codeOf(last);
  },
});

function print(context: Context, synced: Synced): void {
  const { stdout, stderr, clock, cwd } = context;
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

const outcomes = { live: 'applied', wrong: 'invalid', refused: 'failed', postponed: 'postponed' } as const;

function lineSchema() {
  return z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('applied'),
      time: timeSchema(),
      revision: z.string(),
      durationSeconds: z.number().describe('from the edit to the confirmed revision'),
      changes: changesSchema(),
    }),
    invalidLineSchema(),
    failedLineSchema(),
    z.strictObject({ kind: z.literal('postponed'), time: timeSchema(), why: z.string() }),
    z.strictObject({ kind: z.literal('diagnostic'), time: timeSchema(), diagnostic: diagnosticSchema() }),
    z.strictObject({ kind: z.literal('idle'), time: timeSchema() }).describe('nothing is pending'),
  ]);
}

function toLine(synced: Synced, time: string) {
  switch (synced.kind) {
    case 'live': {
      const { revision, tookMs, changed } = synced;
      const changes = changed === undefined ? [] : toChanges(changed.plan);
      return { kind: 'applied', time, revision, durationSeconds: tookMs / 1000, changes } as const;
    }
    case 'wrong':
      return toFailedLine(new InputError(synced.diagnostics), time);
    case 'refused':
      return toFailedLine(synced.error, time);
    case 'postponed':
      return { kind: 'postponed', time, why: synced.why } as const;
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
