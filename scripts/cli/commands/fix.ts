import { resolve } from 'node:path';
import * as z from 'zod';
import { showPath } from '../../../stack/diagnostic.ts';
import { schemaVersion, versionIn } from '../../../stack/schema-version.ts';
import { andList } from '../../../stack/values/words.ts';
import { renameKeys, setVersion } from '../../config/edit-files.ts';
import { type ReadStack, readStack } from '../../config/read-stack.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { filesOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Keys that a newer version has renamed work under their former names for a major version, with a warning. This gives them ' +
    'their new names, in all stack files, and writes the version of the schema; comments, order and everything else stay as they are. ' +
    'Needs no engine.',
  examples: [
    { line: 'fix', what: 'rewrite stack.yml' },
    { line: 'fix --check', what: 'for CI: exit 1 if there is something to rewrite' },
  ],
  syntax: (blank) => blank.option('--check', 'write nothing, and exit 1 if there is something to rewrite'),
  json: () =>
    z.strictObject({
      renamed: z.array(
        z.strictObject({ from: z.string(), to: z.string(), by: z.string(), file: z.string(), line: z.int() }),
      ),
      version: z
        .strictObject({
          from: z.int().nullable().describe('null when the file has none'),
          to: z.int(),
          file: z.string(),
        })
        .optional()
        .describe('the version of the schema, where that of the file is older or absent'),
    }),
  run: async (context, { check = false }) => {
    const { cwd, report, stdout } = context;
    const note = (text: string): void => report({ kind: 'note', isResult: true, text });
    const read = await readStack(filesOf(context));
    if (!read.ok) throw new InputError(read.error);
    const { merged, origin } = read.value;
    const { renamed, locate } = merged;
    const found = renamed.map(({ from, to, by }) => {
      const { file, line } = locate(from, true);
      return { from: showPath(from), to: showPath(to), by, file, line };
    });
    const version = olderVersion(read.value, cwd);
    const isCurrent = version === undefined || version.from === null;
    context.result({ renamed: found, version });
    for (const { file, line, from, to, by } of found) stdout.write(`${file}:${line}: ${from} is now ${to} (${by})\n`);
    if (version !== undefined && !isCurrent)
      stdout.write(`${version.file}: version ${version.from} is now ${version.to}\n`);
    if (found.length === 0) note('no key has a former name');
    if (check) return found.length === 0 && isCurrent ? exitCodes.fine : exitCodes.refused;
    if (found.length === 0 && version === undefined) return exitCodes.fine;
    if (origin === undefined) throw new InputError([misuse('a pipe cannot be rewritten', 'name a file')]);
    const files = await renameKeys(renamed, { locate, cwd });
    if (version !== undefined) await setVersion(resolve(cwd, version.file), version.to);
    if (files.length > 0) note(`rewrote ${andList(files, '')}`);
    if (version !== undefined) note(`wrote version: ${version.to} to ${version.file}`);
    return exitCodes.fine;
  },
});

/** The version to write, and the file that has it, or else the first; undefined when it is written. */
function olderVersion(
  { merged: { value, locate }, paths: [first] }: ReadStack,
  cwd: string,
): { readonly from: number | null; readonly to: number; readonly file: string } | undefined {
  const isWritten = Object.hasOwn(Object(value), 'version');
  const from = versionIn(value) ?? null;
  // What is not a version is left to `check`.
  if (isWritten && (from === null || from === schemaVersion)) return undefined;
  return { from, to: schemaVersion, file: isWritten ? locate(['version']).file : displayPath(first, cwd) };
}
