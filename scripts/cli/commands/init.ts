import { resolve } from 'node:path';
import { stackNameProblems } from '../../../stack/values/stack-name.ts';
import { findStackFile } from '../../config/find-stack-file.ts';
import { nameFor, starterText, writeNew } from '../../config/starter.ts';
import { asTyped } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { shellWord } from '../../util/shell-word.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../exit-code.ts';
import { defineCommand } from './command.ts';
import { readStackName } from './stack-name.ts';

/** `promstack init`: a stack.yml to begin with. */
export const command = defineCommand({
  details: 'It names every key there is, with its default and what it is for, and is never written over a file.',
  examples: [
    { line: 'init', what: 'write stack.yml here' },
    { line: 'init monitoring', what: 'write monitoring/stack.yml' },
  ],
  syntax: (command) =>
    command
      .argument('[folder]', 'where to write it; here when absent')
      .option('--name <name>', "the stack's name; that of its folder when absent")
      .option('--print', 'print it instead'),
  run: async (context, { name, print }, [folder]) => {
    const path = resolve(context.cwd, context.file ?? resolve(context.cwd, folder ?? '.', 'stack.yml'));
    if (name !== undefined) checkNotReserved(await readStackName(name));
    const text = await starterText(name ?? nameFor(resolve(path, '..')));
    const { stdout, json } = context;
    if (print === true) {
      stdout.write(json ? `${JSON.stringify({ content: text })}\n` : text);
      return exitCodes.fine;
    }
    if (!(await writeNew(path, text))) {
      throw new InputError([
        misuse(`${asTyped(path, context.cwd)} is there already`, 'it is left as it is; --print shows a new one'),
      ]);
    }
    if (json) stdout.write(`${JSON.stringify({ file: path })}\n`);
    context.report({
      kind: 'note',
      text: `wrote ${asTyped(path, context.cwd)}; next: ${await nextStep(path, context.cwd)}`,
    });
    return exitCodes.fine;
  },
});

/** The call that brings the new stack up; its file is named where another one, or none, would be found. */
async function nextStep(path: string, cwd: string): Promise<string> {
  const found = await findStackFile({ cwd });
  return found.ok && found.value === path ? 'promstack up' : `promstack up -f ${shellWord(asTyped(path, cwd))}`;
}

function checkNotReserved(name: string): void {
  const problems = stackNameProblems(name, []);
  if (problems.length > 0) throw new InputError(problems.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}
