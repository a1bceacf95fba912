import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import { stackNameProblems } from '../../../stack/problems.ts';
import { stackJsonSchemaText } from '../../config/schema.ts';
import { findStackFile, findStackFiles } from '../../config/stack-file.ts';
import { nameOfFolder } from '../../config/stack-name.ts';
import { displayPath } from '../../util/display-path.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { misuse } from '../../util/misuse.ts';
import { packageRoot } from '../../util/package-root.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { readStackName } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Writes a short stack.yml to start from, and its JSON Schema, by which editors with a YAML language server complete ' +
    'keys and mark mistakes. Never overwrites a file.',
  examples: [
    { line: 'init', what: 'write stack.yml here' },
    { line: 'init monitoring --full', what: 'write monitoring/stack.yml with every key, its default and description' },
  ],
  syntax: (command) =>
    command
      .argument('[folder]', 'folder to write to (default: current folder)')
      .option('--name <name>', 'name of the stack (default: name of the folder)')
      .option('--full', 'write every key with its default and its description')
      .option('--no-schema', 'write no JSON Schema')
      .option('--print', 'print it to stdout instead'),
  json: () =>
    z.strictObject({
      files: z.array(z.string()).describe('paths of the new files'),
      content: z.string().optional().describe('of stack.yml, with --print'),
    }),
  run: async (context, { name, full, schema: hasSchema, print }, [folder]) => {
    const { cwd, stdout } = context;
    const [file, ...further] = context.file;
    if (further.length > 0) throw new InputError([misuse('init writes one file', 'use -f once')]);
    const path = resolve(cwd, file ?? resolve(cwd, folder ?? '.', 'stack.yml'));
    if (name !== undefined) checkNotReserved(await readStackName(name));
    const text = await starterText(name ?? nameOfFolder(dirname(path)), { isFull: full === true, hasSchema });
    if (print === true) {
      context.result({ files: [], content: text });
      stdout.write(text);
      return exitCodes.fine;
    }
    const existing = file === undefined ? await findStackFile(dirname(path), cwd) : undefined;
    const present = existing?.ok === true ? existing.value : path;
    if (existing?.ok === true || !(await writeNew(path, text))) {
      const message = `${displayPath(present, cwd)} already exists`;
      throw new InputError([misuse(message, 'it was not changed; --print shows a new one')]);
    }
    const files = [path];
    if (hasSchema) {
      const schemaPath = join(dirname(path), schemaFile);
      if (await writeNew(schemaPath, stackJsonSchemaText())) files.push(schemaPath);
      else context.report({ kind: 'note', text: `${displayPath(schemaPath, cwd)} already exists; it was not changed` });
    }
    context.result({ files });
    const written = files.map((file) => displayPath(file, cwd)).join(' and ');
    context.report({ kind: 'note', isResult: true, text: `wrote ${written}; next: ${await nextStep(path, context)}` });
    return exitCodes.fine;
  },
});

/** The JSON Schema, beside stack.yml. */
const schemaFile = 'stack.schema.json';

/** The command that starts the new stack; with -f if its file would not be found by default. */
async function nextStep(path: string, { cwd, env }: Pick<Context, 'cwd' | 'env'>): Promise<string> {
  const found = await findStackFiles({ cwd, env });
  return found.ok && found.value.paths.join() === path
    ? 'promstack up'
    : `promstack up -f ${shellWord(displayPath(path, cwd))}`;
}

function checkNotReserved(name: string): void {
  const problems = stackNameProblems(name, []);
  if (problems.length > 0) throw new InputError(problems.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}

/** The commented stack.yml to start from, with this name. */
export async function starterText(
  name: string,
  { isFull = false, hasSchema = false }: { readonly isFull?: boolean; readonly hasSchema?: boolean } = {},
): Promise<string> {
  const template = join(packageRoot(), 'templates', 'init', isFull ? 'full.yml' : 'stack.yml');
  const text = await readFile(template, 'utf8');
  const modeline = hasSchema ? `# yaml-language-server: $schema=./${schemaFile}\n` : '';
  // Some names, such as 2024 or true, are not strings in YAML unless they are quoted.
  return modeline + text.replace(/^name: .*$/m, () => `name: ${stringify(name).trim()}`);
}

/** Writes a new file and its parent folders; false when it already exists. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await makeFolder(dirname(path));
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
