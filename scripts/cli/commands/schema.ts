import { stackJsonSchemaText } from '../../config/json-schema.ts';
import { exitCodes } from '../exit-code.ts';
import { defineCommand } from './command.ts';

/** `promstack schema`: lets an editor complete and check stack.yml. */
export const command = defineCommand({
  details:
    'Save it beside stack.yml and begin stack.yml with\n\n  # yaml-language-server: $schema=./stack.schema.json\n\n' +
    'and an editor with a YAML language server completes the keys and underlines what is wrong.',
  examples: [{ line: 'schema > stack.schema.json', what: 'save it' }],
  run: async (context) => {
    context.stdout.write(stackJsonSchemaText());
    return exitCodes.fine;
  },
});
