import { randomBytes } from 'node:crypto';
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KeyPath } from '../../stack/diagnostic.ts';
import { showPath } from '../../stack/diagnostic.ts';
import type { FoundRename } from '../../stack/renamed-keys.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { NotEditableError, withString, withTopNumber } from './edit-yaml.ts';
import type { LoadedStack } from './loaded.ts';
import type { Places } from './yaml-source.ts';

/** Strings of stack files that are changed together; nothing is written before `apply`. */
export interface StackEdit {
  /** The paths of the files. */
  readonly files: readonly string[];
  apply(): Promise<void>;
  /** Writes the text of before again; in a file that was edited since, only these strings. */
  undo(): Promise<void>;
}

export interface StringEdit {
  readonly path: KeyPath;
  readonly from: string;
  readonly to: string;
}

/** Plans edits of the files in which the keys are; throws an InputError at a key that cannot be changed alone. */
export async function planEdits(
  edits: readonly StringEdit[],
  { locate, cwd }: { readonly locate: LoadedStack['locate']; readonly cwd: string },
): Promise<StackEdit> {
  const byFile = new Map<string, { readonly before: string; after: string; readonly edits: StringEdit[] }>();
  for (const edit of edits) {
    const { path, to } = edit;
    const where = locate(path);
    if (where === undefined)
      throw new StackError({
        doing: `changing ${showPath(path)}`,
        why: 'stack.yml is not a file',
        tryThis: 'write it to a file',
      });
    const file = await realpath(resolve(cwd, where.file));
    const entry = byFile.get(file) ?? { before: await readFile(file, 'utf8'), after: '', edits: [] };
    if (entry.edits.length === 0) entry.after = entry.before;
    try {
      entry.after = withString(entry.after, path.map(String), to);
    } catch (error) {
      if (!(error instanceof NotEditableError)) throw error;
      const message = `${error.message}, so that it cannot be changed alone`;
      const hint = `write \`${showPath(path)}: ${to}\` there yourself, and run \`promstack up\``;
      throw new InputError([{ severity: 'error', code: 'not-editable', message, hint, where }]);
    }
    entry.edits.push(edit);
    byFile.set(file, entry);
  }
  return {
    files: [...byFile.keys()],
    apply: async () => {
      for (const [file, { after }] of byFile) await replace(file, after);
    },
    undo: async () => {
      for (const [file, { before, after, edits: own }] of byFile) {
        const now = await readFile(file, 'utf8');
        const kept = own.reduce((text, { path, from }) => withString(text, path.map(String), from), now);
        await replace(file, now === after ? before : kept);
      }
    },
  };
}

/** Gives keys another name where they are; nothing else of the files changes. Returns the paths of the files. */
export async function renameKeys(
  renames: readonly Pick<FoundRename, 'from' | 'to'>[],
  { locate, cwd }: { readonly locate: Places['locate']; readonly cwd: string },
): Promise<readonly string[]> {
  const places = renames.map(({ from, to }) => ({
    ...locate(from, true),
    name: String(to.at(-1)),
    old: String(from.at(-1)),
  }));
  const files = [...new Set(places.map(({ file }) => file))];
  for (const file of files) {
    const path = await realpath(resolve(cwd, file));
    const text = await readFile(path, 'utf8');
    // The last first, so that the offsets of the others stay right. An anchor may be at several of the keys.
    const own = places.filter((place) => place.file === file).toSorted((a, b) => b.offset - a.offset);
    const edited = own.reduce((before, { offset, old, name }, at) => {
      if (own[at - 1]?.offset === offset) return before;
      const start = before.indexOf(old, offset);
      return start === -1 ? before : before.slice(0, start) + name + before.slice(start + old.length);
    }, text);
    await replace(path, edited);
  }
  return files;
}

/** Writes the version of the schema into a file; throws an InputError where that changes something else. */
export async function setVersion(file: string, version: number): Promise<void> {
  const path = await realpath(file);
  try {
    await replace(path, withTopNumber(await readFile(path, 'utf8'), 'version', version));
  } catch (error) {
    if (!(error instanceof NotEditableError)) throw error;
    const hint = `write \`version: ${version}\` yourself`;
    throw new InputError([{ severity: 'error', code: 'not-editable', message: `${file}: ${error.message}`, hint }]);
  }
}

/** Replaces the text of a file as a whole, so that a crash leaves one of both. */
async function replace(file: string, text: string): Promise<void> {
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  try {
    const { mode } = await stat(file);
    await writeFile(part, text);
    await chmod(part, mode & 0o7777);
    await rename(part, file);
  } catch (cause) {
    await rm(part, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StackError({ doing: `writing ${file}`, why, tryThis: 'is it yours, and is there space?', cause });
  }
}
