import { describeCommands } from '../../cli/commands/describe.ts';
import { commands } from '../../cli/commands/index.ts';
import { stackJsonSchema } from '../../config/json-schema.ts';
import { keyRows } from './keys.ts';
import { commandsMarkdown, keysMarkdown } from './markdown.ts';
import { between } from './markers.ts';

/** README.md with its references of commands and of stack.yml's keys as the code has them. */
export async function withReferences(readme: string): Promise<string> {
  const { commands: described, globals } = await describeCommands(commands);
  const withCommands = between(readme, 'commands', commandsMarkdown(described, globals));
  return between(withCommands, 'keys', keysMarkdown(keyRows(stackJsonSchema())));
}
