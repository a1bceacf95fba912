import { Argument } from '@commander-js/extra-typings';
import { services } from '../../../stack/services.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { exitCodes } from '../exit-code.ts';
import { defineCommand } from './command.ts';
import { describeCommands } from './describe.ts';
import { commands } from './index.ts';

const printers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `promstack completion`: a script that makes a shell complete promstack's commands and options. */
export const command = defineCommand({
  examples: [
    { line: 'completion bash >> ~/.bashrc', what: 'for every new bash' },
    { line: 'completion zsh >> ~/.zshrc', what: 'for every new zsh, after compinit' },
    { line: 'completion fish > ~/.config/fish/completions/promstack.fish', what: 'for every new fish' },
  ],
  syntax: (command) =>
    command.addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] as const)),
  run: async (context, _options, [shell]) => {
    const told = await describeCommands(commands);
    context.stdout.write(printers[shell]({ ...told, services: services.map((service) => service.name) }));
    return exitCodes.fine;
  },
});
