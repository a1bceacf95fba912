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
      { line: 'completion bash >> ~/.bashrc', what: 'for every new bash' },
      { line: 'completion zsh >> ~/.zshrc', what: 'for every new zsh, after compinit' },
      { line: 'completion fish > ~/.config/fish/completions/promstack.fish', what: 'for every new fish' },
    ],
    syntax: (command) =>
      command.addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] as const)),
    run: async (context, _options, [shell]) => {
      const told = await describeCommands(entries);
      context.stdout.write(printers[shell]({ ...told, services: services.map((service) => service.name) }));
      return exitCodes.fine;
    },
  });
