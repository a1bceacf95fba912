import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';
import { findByGlob } from './glob.ts';

/** The folder beside stack.yml that holds the person's own tests. */
const testsFolder = 'tests';

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
  const tests = await Promise.all(
    paths.map(async (path): Promise<OwnTest[]> => {
      const absolute = join(folder, path);
      const content = await readText(absolute);
      return content === undefined ? [] : [{ path: absolute, origin: relative(cwd, absolute), content }];
    }),
  );
  return tests.flat();
}

/** Undefined for a file that has gone since its folder was listed. */
async function readText(path: string): Promise<string | undefined> {
  try {
    // A pipe would be waited for.
    if (!(await stat(path)).isFile()) throw new Error('it is no regular file');
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isAbsence(cause) && !(await pathExists(path))) return undefined;
    throw new StackError({
      doing: `reading the test ${path}`,
      why: cause instanceof Error ? cause.message : String(cause),
      tryThis: 'make it a file that you may read, or take it out of the folder of tests',
      cause,
    });
  }
}
