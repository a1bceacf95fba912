import * as z from 'zod';
import { closest } from '../../../stack/values/closest.ts';
import { stackJsonSchema } from '../../config/schema.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { outputSchemas } from '../json/output-schemas.ts';
import { type Command, defineCommand, type Entry } from './command.ts';

/** The command `schema`; it needs the list of all commands. */
export const schemaOf = (entries: readonly Entry[]): Command =>
  defineCommand({
    details:
      'Save it next to stack.yml and start stack.yml with\n\n  # yaml-language-server: $schema=./stack.schema.json\n\n' +
      'so that editors with a YAML language server complete keys and mark mistakes.',
    examples: [
      { line: 'schema > stack.schema.json', what: 'save it to a file' },
      { line: 'schema --output status', what: 'what status --json prints' },
    ],
    syntax: (command) =>
      command.option('--output <command...>', 'print the JSON Schema of what a command prints with --json instead'),
    json: () => z.strictObject({ schema: z.record(z.string(), z.unknown()) }),
    run: async (context, { output }) => {
      const schema = output === undefined ? stackJsonSchema() : await outputSchemaOf(entries, output.join(' '));
      context.result({ schema });
      context.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
      return exitCodes.fine;
    },
  });

async function outputSchemaOf(entries: readonly Entry[], command: string): Promise<Record<string, unknown>> {
  const schemas = await outputSchemas(entries);
  const schema = schemas.get(command);
  if (schema !== undefined) return schema;
  const near = closest(command, [...schemas.keys()]);
  const hint = near === undefined ? `the commands are ${[...schemas.keys()].join(', ')}` : `did you mean ${near}?`;
  throw new InputError([misuse(`--output ${command}: there is no such command`, hint)]);
}
