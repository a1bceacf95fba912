import * as z from 'zod';
import type { JsonOutput } from '../commands/command.ts';

/** ISO 8601. */
export const timeSchema = () => z.iso.datetime({ offset: true });

const rangeKeys = () => ({
  file: z.string(),
  line: z.int().min(1),
  column: z.int().min(1),
  length: z.int().min(1).describe('characters from the column on'),
});

/** A mistake in stack.yml, in a file it names or on the command line. */
export const diagnosticSchema = () => {
  const { file, line, column, length } = rangeKeys();
  return z.strictObject({
    severity: z.enum(['error', 'warning', 'note']),
    code: z.string().describe('stable name of the kind of problem'),
    message: z.string(),
    hint: z.string().optional(),
    file: file.optional(),
    line: line.optional(),
    column: column.optional(),
    length: length.optional(),
    related: z.array(z.strictObject({ ...rangeKeys(), message: z.string() })).optional(),
  });
};

/** Why a command failed, if not by the mistakes in its diagnostics. */
export const errorSchema = () =>
  z.strictObject({
    kind: z
      .enum(['external', 'internal', 'interrupted'])
      .describe('external: the engine, a server or the network; internal: a bug in promstack'),
    doing: z.string(),
    why: z.string(),
    try: z.string().optional(),
    trace: z.string().optional().describe('of a bug'),
  });

/** A line of a streaming command: a try that failed, while the command goes on. */
export const failedLineSchema = () =>
  z.strictObject({
    kind: z.literal('failed'),
    time: timeSchema(),
    error: z.strictObject({ doing: z.string(), why: z.string(), try: z.string().optional() }),
  });

/** A line of a streaming command: the files are invalid now. */
export const invalidLineSchema = () =>
  z.strictObject({ kind: z.literal('invalid'), time: timeSchema(), diagnostics: z.array(diagnosticSchema()) });

/** What a command prints on stdout with `--json`: for each line one of these. */
export function outputSchema(command: string | undefined, { json, jsonLine }: JsonOutput): z.ZodType {
  const base = {
    format: z.literal(1).describe('version of this format'),
    command: command === undefined ? z.never().optional() : z.literal(command),
    stack: z.string().optional().describe('name of the stack'),
  };
  const diagnostics = z.array(diagnosticSchema());
  const fields = json?.() ?? z.strictObject({});
  return z.union([
    z.strictObject({ ...base, ok: z.literal(true), ...fields.shape, diagnostics }).describe('the last line: success'),
    z
      .strictObject({
        ...base,
        ok: z.literal(false),
        ...fields.partial().shape,
        diagnostics,
        error: errorSchema().optional(),
      })
      .describe('the last line: a failure, or a problem found'),
    ...(jsonLine === undefined ? [] : [jsonLine()]),
  ]);
}
