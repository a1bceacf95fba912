import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { services } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { displayPath } from '../util/display-path.ts';
import { packageRoot } from '../util/package-root.ts';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';

/** One file below templates/<service>/. */
export interface TemplateFile {
  readonly service: string;
  /** Below the service's folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
  /** Whether it is promstack's own, and no file of the person's stands in its place. */
  readonly isShipped: boolean;
  /** Its path as a person would type it. */
  readonly origin: string;
}

/** promstack's templates with the person's laid over them, sorted by service and path. */
export interface TemplateSet {
  readonly files: readonly TemplateFile[];
  /** What is odd about the person's folder, and what in it cannot be used. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads promstack's own templates and, over them, those of the person's folder; a folder that is not there holds none. */
export async function loadTemplates(userFolder: string | undefined, cwd = process.cwd()): Promise<TemplateSet> {
  const [shipped, own] = await Promise.all([
    readFolder(join(packageRoot(), 'templates'), true, cwd),
    userFolder === undefined ? { files: [], diagnostics: [] } : readFolder(userFolder, false, cwd),
  ]);
  const names = services.map((service) => service.name);
  const files = new Map<string, TemplateFile>();
  const diagnostics = [...shipped.diagnostics, ...own.diagnostics];
  for (const file of [...shipped.files, ...own.files]) {
    const problem = file.isShipped ? undefined : problemOf(file, names);
    if (problem !== undefined) diagnostics.push(problem);
    else if (names.includes(file.service)) files.set(`${file.service}/${file.path}`, file);
  }
  return {
    files: [...files].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, file]) => file),
    diagnostics: onePerFolder(diagnostics),
  };
}

async function readFolder(folder: string, isShipped: boolean, cwd: string): Promise<TemplateSet> {
  const paths = await listFiles(folder);
  const read = await Promise.all(
    paths.filter(isWanted).map(async (path) => {
      const absolute = join(folder, path);
      const origin = displayPath(absolute, cwd);
      const found = await readTemplate(absolute);
      if (found === undefined) return { files: [], diagnostics: [] };
      if ('because' in found) return { files: [], diagnostics: [unreadable(origin, found.because)] };
      const [service = '', ...rest] = path.split(sep);
      return { files: [{ service, path: rest.join('/'), ...found, isShipped, origin }], diagnostics: [] };
    }),
  );
  return { files: read.flatMap(({ files }) => files), diagnostics: read.flatMap(({ diagnostics }) => diagnostics) };
}

/** A folder that goes away while it is walked through makes that fail, though all the others are still there. */
async function listFiles(folder: string): Promise<readonly string[]> {
  for (let triesLeft = 5; ; triesLeft--) {
    try {
      return await readdir(folder, { recursive: true });
    } catch (cause) {
      if (isAbsence(cause)) {
        if (!(await pathExists(folder))) return [];
        if (triesLeft > 0) continue;
      }
      throw new StackError({
        doing: `reading the templates in ${folder}`,
        why: cause instanceof Error ? cause.message : String(cause),
        tryThis: 'make it a folder that you may read, or move it away',
        cause,
      });
    }
  }
}

/** Undefined for what is no file, or has gone since its folder was listed. */
async function readTemplate(
  path: string,
): Promise<Pick<TemplateFile, 'text' | 'isExecutable'> | { readonly because: string } | undefined> {
  try {
    const about = await stat(path);
    if (!about.isFile()) return undefined;
    return { text: await readFile(path, 'utf8'), isExecutable: (about.mode & 0o111) !== 0 };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!isAbsence(error)) return { because: code ?? String(error) };
    // Anything else has come back in the meantime; the next read gets it.
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    return isLink ? { because: 'it is a link to nothing' } : undefined;
  }
}

function unreadable(origin: string, because: string): Diagnostic {
  return {
    severity: 'error',
    code: 'template-unreadable',
    message: `the template ${origin} cannot be read: ${because}`,
    hint: 'make it a file that you may read, or take it out of the templates folder',
  };
}

/** Not what editors and file managers leave beside a person's files. */
function isWanted(path: string): boolean {
  return !path.split(sep).some((part) => part.startsWith('.') || part.endsWith('~'));
}

function problemOf(file: TemplateFile, names: readonly string[]): Diagnostic | undefined {
  if (!names.includes(file.service)) {
    const near = closest(file.service, names);
    const folders = `the folders in templates/ are ${names.join(', ')}`;
    return {
      severity: 'warning',
      code: 'template-of-no-service',
      message:
        file.path === ''
          ? `the template ${file.origin} lies in no service's folder`
          : `templates/${file.service} is no service's folder`,
      hint: near === undefined ? `it is not used; ${folders}` : `it is not used; did you mean ${near}?`,
    };
  }
  if (!file.text.includes('\ufffd') && !file.text.includes('\0')) return undefined;
  return {
    severity: 'error',
    code: 'template-no-text',
    message: `the template ${file.origin} is not UTF-8 text`,
    hint: 'templates are text files; take it out of the templates folder',
  };
}

/** A folder with many files that are not used is told of once. */
function onePerFolder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((told) => [told.message, told])).values()];
}
