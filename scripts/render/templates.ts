import { lstat, readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { services } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { displayPath } from '../util/display-path.ts';
import { packageRoot } from '../util/package-root.ts';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { notFound, readTextSync, type Unreadable } from '../util/read-text.ts';
import { StackError } from '../util/stack-error.ts';

/** One file below templates/<service>/. */
export interface TemplateFile {
  readonly service: string;
  /** Relative to the service's folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
  /** Whether it is promstack's own and not replaced by a file of the user's. */
  readonly isShipped: boolean;
  /** Its path as the user would type it. */
  readonly origin: string;
}

/** promstack's templates, replaced and extended by the user's, sorted by service and path. */
export interface TemplateSet {
  readonly files: readonly TemplateFile[];
  /** Problems of the user's templates folder. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads promstack's templates and the user's, which replace them; the user's folder may be missing. */
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
    files: [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file),
    diagnostics: onePerFolder(diagnostics),
  };
}

async function readFolder(folder: string, isShipped: boolean, cwd: string): Promise<TemplateSet> {
  const paths = await listFiles(folder);
  const read = await Promise.all(
    paths.filter(isTemplate).map(async (path) => {
      const absolute = join(folder, path);
      const origin = displayPath(absolute, cwd);
      const template = await readTemplate(absolute);
      if (template === undefined) return { files: [], diagnostics: [] };
      if ('because' in template) return { files: [], diagnostics: [unreadable(origin, template)] };
      const [service = '', ...rest] = path.split(sep);
      return { files: [{ service, path: rest.join('/'), ...template, isShipped, origin }], diagnostics: [] };
    }),
  );
  return { files: read.flatMap(({ files }) => files), diagnostics: read.flatMap(({ diagnostics }) => diagnostics) };
}

/** Retries, because a subfolder that is removed during the walk makes the whole walk fail. */
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
        tryThis: 'make it a readable folder, or move it away',
        cause,
      });
    }
  }
}

/** Undefined for a folder, and for what was removed after its folder was listed. */
async function readTemplate(
  path: string,
): Promise<Pick<TemplateFile, 'text' | 'isExecutable'> | Unreadable | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) return undefined;
  const text = readTextSync(path);
  if (typeof text === 'string') return { text, isExecutable: ((stats?.mode ?? 0) & 0o111) !== 0 };
  if (text.because !== notFound) return text;
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  // A file that is there by now is read the next time.
  return isLink ? { because: 'is a broken symbolic link' } : undefined;
}

function unreadable(origin: string, { because, hint }: Unreadable): Diagnostic {
  return {
    severity: 'error',
    code: 'template-unreadable',
    message: `the template ${origin} ${because}`,
    hint: `${hint ?? 'make it a readable file'}, or move it out of the templates folder`,
  };
}

/** Not a file that an editor or a file manager leaves behind. */
function isTemplate(path: string): boolean {
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
          ? `the template ${file.origin} is not in the folder of a service`
          : `templates/${file.service} is not the folder of a service`,
      hint: near === undefined ? `it is not used; ${folders}` : `it is not used; did you mean ${near}?`,
    };
  }
  if (!file.text.includes('\0')) return undefined;
  return {
    severity: 'error',
    code: 'template-no-text',
    message: `the template ${file.origin} is not UTF-8 text`,
    hint: 'templates are text files; move it out of the templates folder',
  };
}

/** One warning per unused folder, however many files are in it. */
function onePerFolder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [diagnostic.message, diagnostic])).values()];
}
