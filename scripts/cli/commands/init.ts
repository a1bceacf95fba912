import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { stackNameProblems } from '../../../stack/problems.ts';
import { findStackFile } from '../../config/load.ts';
import { nameOfFolder } from '../../config/stack-name.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { packageRoot } from '../../util/package-root.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { readStackName } from './stages.ts';

export const command = defineCommand({
  details: 'Writes a stack.yml with every key, its default and its description. Never overwrites a file.',
  examples: [
    { line: 'init', what: 'write stack.yml here' },
    { line: 'init monitoring', what: 'write monitoring/stack.yml' },
  ],
  syntax: (command) =>
    command
      .argument('[folder]', 'folder to write to (default: current folder)')
      .option('--name <name>', 'name of the stack (default: name of the folder)')
      .option('--print', 'print it to stdout instead'),
  run: async (context, { name, print }, [folder]) => {
    const path = resolve(context.cwd, context.file ?? resolve(context.cwd, folder ?? '.', 'stack.yml'));
    if (name !== undefined) checkNotReserved(await readStackName(name));
    const text = await starterText(name ?? nameOfFolder(resolve(path, '..')));
    const { stdout, json } = context;
    if (print === true) {
      stdout.write(json ? `${JSON.stringify({ content: text })}\n` : text);
      return exitCodes.fine;
    }
    if (!(await writeNew(path, text))) {
      throw new InputError([
        misuse(`${displayPath(path, context.cwd)} already exists`, 'it was not changed; --print shows a new one'),
      ]);
    }
    if (json) stdout.write(`${JSON.stringify({ file: path })}\n`);
    context.report({
      kind: 'note',
      text: `wrote ${displayPath(path, context.cwd)}; next: ${await nextStep(path, context.cwd)}`,
    });
    return exitCodes.fine;
  },
});

/** The command that starts the new stack; with -f if its file would not be found by default. */
async function nextStep(path: string, cwd: string): Promise<string> {
  const file = await findStackFile({ cwd });
  return file.ok && file.value === path ? 'promstack up' : `promstack up -f ${shellWord(displayPath(path, cwd))}`;
}

function checkNotReserved(name: string): void {
  const problems = stackNameProblems(name, []);
  if (problems.length > 0) throw new InputError(problems.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}

/** The commented stack.yml to start from, with this name. */
export async function starterText(name: string): Promise<string> {
  const text = await readFile(join(packageRoot(), 'templates', 'init', 'stack.yml'), 'utf8');
  // Some names, such as 2024 or true, are not strings in YAML unless they are quoted.
  return text.replace(/^name: .*$/m, () => `name: ${stringify(name).trim()}`);
}

/** Writes a new file and its parent folders; false when it already exists. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new StackError({
      doing: `writing ${path}`,
      why: message,
      tryThis: 'use a folder with write permission',
      cause,
    });
  }
}

/** Quotes a word for a shell where needed. */
function shellWord(text: string): string {
  return /^[\w./@%+:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
