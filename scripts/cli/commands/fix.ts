import * as z from 'zod';
import { showPath } from '../../../stack/diagnostic.ts';
import { andList } from '../../../stack/values/words.ts';
import { renameKeys } from '../../config/edit-files.ts';
import { readStack } from '../../config/read-stack.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { filesOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Keys that a newer version has renamed work under their former names for a major version, with a warning. This gives them ' +
    'their new names, in all stack files; comments, order and everything else stay as they are. Needs no engine.',
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
    }),
  run: async (context, { check = false }) => {
    const { cwd, report, stdout } = context;
    const read = await readStack(filesOf(context));
    if (!read.ok) throw new InputError(read.error);
    const { merged, origin } = read.value;
    const { renamed, locate } = merged;
    const found = renamed.map(({ from, to, by }) => {
      const { file, line } = locate(from, true);
      return { from: showPath(from), to: showPath(to), by, file, line };
    });
    context.result({ renamed: found });
    for (const { file, line, from, to, by } of found) stdout.write(`${file}:${line}: ${from} is now ${to} (${by})\n`);
    if (found.length === 0) {
      report({ kind: 'note', isResult: true, text: 'no key has a former name' });
      return exitCodes.fine;
    }
    if (check) return exitCodes.refused;
    if (origin === undefined) throw new InputError([misuse('a pipe cannot be rewritten', 'name a file')]);
    const files = await renameKeys(renamed, { locate, cwd });
    report({ kind: 'note', isResult: true, text: `rewrote ${andList(files, '')}` });
    return exitCodes.fine;
  },
});
