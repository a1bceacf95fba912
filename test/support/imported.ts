import { join } from 'node:path';
import { importStack } from '../../scripts/move/import-stack.ts';
import { tryImport } from '../../scripts/move/try-import.ts';
import { folderWith } from './config.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** The stack.yml that an import of these paths writes, and what is wrong with it, as `FILE:LINE: MESSAGE`. */
export async function imported(
  cwd: string,
  {
    paths = ['.'],
    isPartial = false,
    name,
    env = {},
  }: { paths?: string[]; isPartial?: boolean; name?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const draft = await importStack({ paths: paths.map((path) => join(cwd, path)), cwd, env, name, out: cwd });
  await using tried = await tryImport(draft, { header: [], env, isPartial });
  const { text, diagnostics } = tried;
  const messages = [...draft.findings.problems, ...diagnostics]
    .filter(({ severity }) => severity === 'error')
    .map(({ where, message }) => `${where?.file}:${where?.line}: ${message}`);
  return { draft, text, diagnostics, errors: [...new Set(messages)] };
}

/** The same for files in a folder of their own. */
export async function importedFrom(files: Files, options: Parameters<typeof imported>[1] = {}) {
  await using folder = await folderWith(files);
  return await imported(folder.path, { name: 'shop', ...options });
}
