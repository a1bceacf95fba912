import { Argument } from '@commander-js/extra-typings';
import { services } from '../../../stack/services.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../completion/shells.ts';
import { exitCodes } from '../exit-code.ts';
import { type Command, defineCommand, type Entry } from './command.ts';
import { describeCommands } from './describe.ts';

const printers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `promstack completion`: a script that makes a shell complete promstack's commands and options. */
export const completionOf = (entries: readonly Entry[]): Command =>
  defineCommand({
    examples: [
      { line: 'completion bash >> ~/.bashrc', what: 'enable it in new bash sessions' },
      { line: 'completion zsh >> ~/.zshrc', what: 'enable it in new zsh sessions, after compinit' },
      { line: 'completion fish > ~/.config/fish/completions/promstack.fish', what: 'enable it in new fish sessions' },
    ],
    syntax: (command) =>
      command.addArgument(new Argument('<shell>', 'shell to complete for').choices(['bash', 'zsh', 'fish'] as const)),
    run: async (context, _options, [shell]) => {
      const told = await describeCommands(entries);
      context.stdout.write(printers[shell]({ ...told, services: services.map((service) => service.name) }));
      return exitCodes.fine;
    },
  });
