import * as z from 'zod';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { addRefusedEdit, type RefusedEdit } from '../../state/watch-edits.ts';
import { InputError, isAbort, StackError } from '../../util/stack-error.ts';
import { unreachable } from '../../util/unreachable.ts';
import { userAtHost } from '../../util/user.ts';
import type { Synced } from '../../watch/sync.ts';
import { watchStack } from '../../watch/watch-stack.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { changesSchema, toChanges } from '../json/change.ts';
import { toFailedLine, toJsonDiagnostic } from '../json/envelope.ts';
import { diagnosticSchema, failedLineSchema, invalidLineSchema, timeSchema } from '../json/schema.ts';
import { printSynced } from '../print/change.ts';
import { plainExcerpt, printDiagnostic, printDiagnostics, sourceReader } from '../print/diagnostics.ts';
import { defineCommand } from './command.ts';
import { checkTarget, connectEngine, filesOf, stackNameOf } from './find-stack.ts';
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
    await checkTarget(context);
    await using engine = await connectEngine(context);
    const { cwd, report, clock, signal, stderr } = context;
    const now = () => new Date(clock.now()).toISOString();
    const recorder = editRecorder(context, engine);
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
        recorder.record(synced, now());
      },
      onWarning: (warning) => {
        context.line({ kind: 'diagnostic', time: now(), diagnostic: toJsonDiagnostic(warning) });
        stderr.write(printDiagnostic(warning, sourceReader(cwd), stderr.colours.isColorSupported));
      },
      onIdle: () => context.line({ kind: 'idle', time: now() }),
    });
    await recorder.ended();
    const revision = last.kind === 'live' ? last.revision : undefined;
    context.result({ outcome: outcomes[last.kind], revision });
    return codeOf(last);
  },
});

/**
 * Records the edits that were not applied on the engine, for `promstack ui` on any machine. One after the other, beside the watch;
 * while the engine is away, none is recorded.
 */
function editRecorder(context: Context, engine: Engine) {
  let stack: string | undefined;
  let last: Promise<void> = Promise.resolve();
  const add = async (edit: RefusedEdit): Promise<void> => {
    try {
      stack ??= (await stackNameOf({ ...context, nameStack: () => undefined, report: () => undefined })).stack;
      await addRefusedEdit(engine, stack, edit);
    } catch (error) {
      // The edit has been reported here; a stack that does not run yet has no place for it.
      const isExpected = error instanceof EngineError || error instanceof StackError || error instanceof InputError;
      if (!isExpected && !isAbort(error, context.signal)) throw error;
    }
  };
  return {
    record: (synced: Synced, at: string): void => {
      if (synced.kind === 'live') stack = synced.stack;
      const edit = toRefusedEdit(synced, at, sourceReader(context.cwd));
      if (edit === undefined) return;
      last = last.then(() => add(edit));
      // Rejects where it is awaited.
      last.catch(() => undefined);
    },
    ended: () => last,
  };
}

function toRefusedEdit(
  synced: Synced,
  at: string,
  read: (file: string) => string | undefined,
): RefusedEdit | undefined {
  const who = userAtHost();
  if (synced.kind === 'refused') {
    const { why, tryThis } = synced.error;
    return { at, who, mistakes: [], why, tryThis };
  }
  if (synced.kind !== 'wrong') return undefined;
  const isError = ({ severity }: Diagnostic): boolean => severity === 'error';
  const errorsFirst = synced.diagnostics.toSorted((a, b) => Number(isError(b)) - Number(isError(a)));
  const mistakes = errorsFirst.slice(0, mostMistakes).map(({ severity, message, hint, where }) => {
    const place = where && `${where.file}:${where.line}:${where.column}`;
    return { severity, message, hint, place, excerpt: plainExcerpt(where, read) };
  });
  return { at, who, mistakes };
}

/** The most mistakes of one edit that are recorded. */
const mostMistakes = 20;

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
