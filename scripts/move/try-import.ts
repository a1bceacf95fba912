import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { displayPath } from '../util/display-path.ts';
import { makeFolder } from '../util/make-folder.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { writeFailure } from '../util/write-failure.ts';
import type { StackDraft } from './stack-draft.ts';

/** A draft in a folder of its own, as promstack reads it. */
export interface TriedImport extends AsyncDisposable {
  readonly text: string;
  /** Undefined when it is not valid. */
  readonly rendering: Rendering | undefined;
  /** At the places in the input. */
  readonly diagnostics: readonly Diagnostic[];
}

/** How many parts that are not valid are left out one after the other. */
const maxRounds = 200;

/**
 * Writes the draft to a temporary folder and renders it, as `check` does. Flags that promstack sets itself are left out, and with
 * `isPartial` all parts that are not valid; both are reported.
 */
export async function tryImport(
  draft: StackDraft,
  {
    header,
    env,
    isPartial,
  }: { readonly header: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly isPartial: boolean },
): Promise<TriedImport> {
  for (let round = 1; ; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-import-'));
    const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      const text = draft.text(header);
      await writeFiles(folder, draft, text);
      const { PROMSTACK_FILE: _file, PROMSTACK_NAME: _name, PROMSTACK_ENV_FILE: _envFile, ...rest } = env;
      const loading = await renderStack({ cwd: folder, env: rest, substitutes: new Map() });
      const result = loading.ok ? loading.value.rendering : loading;
      const found = result.ok ? result.warnings : result.error;
      const errors = found.filter(({ severity }) => severity === 'error');
      const taken = errors.find(({ code }) => code === 'flag-taken');
      const dropped =
        round < maxRounds &&
        (taken === undefined ? isPartial && errors.some((error) => draft.drop(error, text)) : draft.drop(taken, text));
      if (!dropped) {
        const diagnostics = found.map((diagnostic) => draft.atOrigin(diagnostic, text));
        const rendering = result.ok ? result.value : undefined;
        return { text, rendering, diagnostics, [Symbol.asyncDispose]: dispose };
      }
    } catch (error) {
      await dispose();
      throw error;
    }
    await dispose();
  }
}

async function writeFiles(folder: string, draft: StackDraft, text: string): Promise<readonly string[]> {
  const written: string[] = [];
  const files = [['stack.yml', { content: Buffer.from(text), mode: 0o644 }] as const, ...draft.files];
  try {
    for (const [path, { content, mode }] of files) {
      const target = join(folder, path);
      await makeFolder(dirname(target), path.startsWith('secrets/') ? 0o700 : 0o777);
      await writeFile(target, content, { flag: 'wx', mode });
      written.push(target);
      // The mode of a new file is limited by the umask, which may be less strict for a folder that exists.
      if (mode === 0o600) await chmod(target, mode);
    }
    return written;
  } catch (cause) {
    for (const path of written) await rm(path, { force: true });
    throw new StackError({ doing: `writing to ${folder}`, ...(await writeFailure(cause, folder)), cause });
  }
}

/** Writes the new stack, and returns the paths of its files. Files that exist are never changed: equal ones stay, others are an error. */
export async function writeImport(
  folder: string,
  draft: StackDraft,
  text: string,
  cwd: string,
): Promise<readonly string[]> {
  const existing: string[] = [];
  for (const [path, { content }] of [['stack.yml', { content: Buffer.from(text) }] as const, ...draft.files]) {
    const present = await readFile(join(folder, path)).catch(() => undefined);
    if (present === undefined) continue;
    if (path !== 'stack.yml' && present.equals(content)) draft.files.delete(path);
    else existing.push(displayPath(join(folder, path), cwd));
  }
  const [first] = existing;
  if (first !== undefined) {
    const more = existing.length === 1 ? '' : ` and ${existing.length - 1} more`;
    const message = `${first}${more} already ${existing.length === 1 ? 'exists' : 'exist'}`;
    throw new InputError([misuse(message, 'nothing was written; name an empty folder with --out')]);
  }
  return writeFiles(folder, draft, text);
}
