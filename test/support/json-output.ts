import * as z from 'zod';
import { commands } from '../../scripts/cli/commands/index.ts';
import { outputSchema } from '../../scripts/cli/json/schema.ts';

interface Output {
  /** Undefined or negative for a killed process. */
  readonly exitCode?: number | undefined;
  readonly stdout: unknown;
  readonly stderr: unknown;
}

/** Rejects unless a run with `--json` has printed what the schema of its command says, and nothing else. */
export async function checkJsonOutput(
  argv: readonly string[],
  { exitCode = -1, stdout, stderr }: Output,
): Promise<void> {
  if (!argv.includes('--json') || argv.includes('--help') || exitCode < 0) return;
  try {
    const lines = linesOf(stdout);
    const { command, format, ok } = lines.at(-1) ?? {};
    if (format === undefined) throw new Error('the last line is not an envelope');
    if (ok !== [0, 3].includes(exitCode)) throw new Error(`ok is ${ok} with exit code ${exitCode}`);
    const schema = await schemaOf(typeof command === 'string' ? command : undefined);
    for (const [at, line] of lines.entries()) {
      schema.parse(line);
      if ('format' in line !== (at === lines.length - 1)) throw new Error('an envelope must be the last line');
    }
    for (const event of linesOf(stderr)) eventSchema.parse(event);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`promstack ${argv.join(' ')}: ${why}\n${stdout}\n${stderr}`, { cause: error });
  }
}

const eventSchema = z.looseObject({
  time: z.iso.datetime(),
  kind: z.enum(['started', 'progress', 'done', 'failed', 'skipped', 'note', 'warning']),
  tookMs: z.never().optional(),
});

const known = new Map<string | undefined, Promise<z.ZodType>>();

function schemaOf(command: string | undefined): Promise<z.ZodType> {
  const schema = known.get(command) ?? makeSchema(command);
  known.set(command, schema);
  return schema;
}

async function makeSchema(path: string | undefined): Promise<z.ZodType> {
  const [first, ...below] = path?.split(' ') ?? [];
  let command = await commands.find(({ name }) => name === first)?.load();
  for (const word of below) command = command?.subcommands.find(({ name }) => name === word)?.command;
  if (path !== undefined && command === undefined) throw new Error(`there is no command ${path}`);
  return outputSchema(path, command ?? {});
}

function linesOf(text: unknown): readonly Record<string, unknown>[] {
  return String(text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A started program whose result is checked before anybody gets it. */
export function withCheckedJson<Running extends Promise<Output>>(argv: readonly string[], running: Running): Running {
  if (!argv.includes('--json')) return running;
  const checked = running.then(async (output) => {
    await checkJsonOutput(argv, output);
    return output;
  });
  return Object.assign(running, {
    // biome-ignore lint/suspicious/noThenProperty: it stays a promise.
    then: checked.then.bind(checked),
    catch: checked.catch.bind(checked),
    finally: checked.finally.bind(checked),
  });
}
