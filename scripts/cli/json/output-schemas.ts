import * as z from 'zod';
import type { Command, Entry } from '../commands/command.ts';
import { outputSchema } from './schema.ts';

/** The JSON Schemas of what each command prints with `--json`, by the command: `images save`. */
export async function outputSchemas(entries: readonly Entry[]): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const loaded = await Promise.all(entries.map(async ({ name, load }) => schemasOf(name, await load())));
  return new Map(loaded.flat());
}

function schemasOf(path: string, command: Command): readonly (readonly [string, Record<string, unknown>])[] {
  const below = command.subcommands.flatMap(({ name, command: child }) => schemasOf(`${path} ${name}`, child));
  if (command.json === undefined) return below;
  const schema = z.toJSONSchema(outputSchema(path, command), {
    io: 'input',
    override: ({ jsonSchema }) => {
      // They say the same as `date-time` and `integer`.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return [[path, { ...schema, title: `promstack ${path} --json` }], ...below];
}
