import { stackJsonSchemaText } from '../../config/schema.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  details:
    'Save it next to stack.yml and start stack.yml with\n\n  # yaml-language-server: $schema=./stack.schema.json\n\n' +
    'so that editors with a YAML language server complete keys and mark mistakes.',
  examples: [{ line: 'schema > stack.schema.json', what: 'save it to a file' }],
  run: async (context) => {
    context.stdout.write(stackJsonSchemaText());
    return exitCodes.fine;
  },
});
