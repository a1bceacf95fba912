import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';
import type { PageFile } from './page-server.ts';

/** The files of the page, which `npm run build` writes to `dist/ui/`. */
const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;

/** Reads the files of the page; none when this build has no page. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = join(packageRoot(), 'dist', 'ui');
  const read = Object.entries(types).map(async ([name, type]) => {
    return [name, { type, content: await readFile(join(folder, name)) }] as const;
  });
  try {
    return new Map(await Promise.all(read));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
}
