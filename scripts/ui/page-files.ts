import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';
import type { PageFile } from './page-server.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Reads the files of the page, which `npm run build` writes to `dist/ui/`; none when this build has no page. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = join(packageRoot(), 'dist', 'ui');
  try {
    const names = (await readdir(folder)).filter((name) => types[extname(name)] !== undefined);
    const read = names.map(async (name) => {
      return [name, { type: types[extname(name)] ?? '', content: await readFile(join(folder, name)) }] as const;
    });
    return new Map(await Promise.all(read));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
}
