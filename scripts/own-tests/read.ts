import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { findByGlob } from '../config/glob.ts';
import { StackError } from '../util/stack-error.ts';

/** The folder beside stack.yml that holds the person's own tests. */
export const testsFolder = 'tests';

/** A file of the person's own tests. */
export interface OwnTest {
  /** Absolute. */
  readonly path: string;
  /** Its path as a person would type it. */
  readonly origin: string;
  readonly content: string;
}

/** Reads the YAML files right in the folder `tests` beside stack.yml, sorted by path; none when there is no such folder. */
export async function readOwnTests(folder: string, cwd: string): Promise<readonly OwnTest[]> {
  const paths = await findByGlob(folder, `${testsFolder}/*.{yml,yaml}`);
  return Promise.all(
    paths.map(async (path) => {
      const absolute = join(folder, path);
      return { path: absolute, origin: relative(cwd, absolute), content: await readText(absolute) };
    }),
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StackError({
      doing: `reading the test ${path}`,
      why: cause instanceof Error ? cause.message : String(cause),
      tryThis: 'make it a file that you may read, or take it out of the folder of tests',
      cause,
    });
  }
}
