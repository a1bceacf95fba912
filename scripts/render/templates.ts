import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { exporters, metricsPages } from '../../stack/exporters/exporters.ts';
import { services } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { displayPath } from '../util/display-path.ts';
import { packageRoot } from '../util/package-root.ts';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { isFolder, notFound, readTextSync, type Unreadable } from '../util/read-text.ts';
import { StackError } from '../util/stack-error.ts';

/** One file below templates/<service>/ or templates/exporters/<kind>/. */
export interface TemplateFile {
  /** The folder below templates/. */
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
  /** The user's files that are in no folder of a service. */
  readonly strays: readonly TemplateFile[];
  /** Problems of the user's templates folder. */
  readonly diagnostics: readonly Diagnostic[];
}

const exportersFolder = 'exporters';

/** The folders below templates/ that services and exporters have. */
const folders = [
  ...services.map(({ name }) => name),
  ...[...exporters, ...metricsPages].map(({ kind }) => `${exportersFolder}/${kind}`),
];

/** Reads promstack's templates and the user's, which replace them; the user's folder may be missing. */
export async function loadTemplates(userFolder: string | undefined, cwd = process.cwd()): Promise<TemplateSet> {
  const [shipped, own] = await Promise.all([
    readFolder(join(packageRoot(), 'templates'), true, cwd),
    userFolder === undefined ? { files: [], diagnostics: [] } : readFolder(userFolder, false, cwd),
  ]);
  const files = new Map<string, TemplateFile>();
  const diagnostics = [...shipped.diagnostics, ...own.diagnostics];
  for (const file of [...shipped.files, ...own.files]) {
    const problem = file.isShipped || !folders.includes(file.service) ? undefined : problemOf(file);
    if (problem !== undefined) diagnostics.push(problem);
    else if (folders.includes(file.service)) files.set(`${file.service}/${file.path}`, file);
  }
  return {
    files: [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file),
    strays: own.files.filter(({ service }) => !folders.includes(service)),
    diagnostics,
  };
}

async function readFolder(folder: string, isShipped: boolean, cwd: string): Promise<Omit<TemplateSet, 'strays'>> {
  const paths = await listFiles(folder);
  const read = await Promise.all(
    paths.filter(isTemplate).map(async (path) => {
      const absolute = join(folder, path);
      const origin = displayPath(absolute, cwd);
      const template = await readTemplate(absolute);
      if (template === undefined) return { files: [], diagnostics: [] };
      if ('because' in template) return { files: [], diagnostics: [unreadable(origin, template)] };
      const steps = path.split(sep);
      const depth = steps[0] === exportersFolder && steps.length > 2 ? 2 : 1;
      const [service, rest] = [steps.slice(0, depth).join('/'), steps.slice(depth)];
      return { files: [{ service, path: rest.join('/'), ...template, isShipped, origin }], diagnostics: [] };
    }),
  );
  return { files: read.flatMap(({ files }) => files), diagnostics: read.flatMap(({ diagnostics }) => diagnostics) };
}

/** The paths of all files below a folder, also through links; what is removed during the walk is left out. */
async function listFiles(folder: string, below = ''): Promise<readonly string[]> {
  const path = join(folder, below);
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const inner = entries.map(async (entry) => {
      const name = join(below, entry.name);
      const isInner = entry.isDirectory() || (entry.isSymbolicLink() && (await isLinkToFolder(join(folder, name))));
      return isInner ? listFiles(folder, name) : [name];
    });
    return (await Promise.all(inner)).flat();
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    if (isAbsence(cause) && (below !== '' || !(await pathExists(path)))) return [];
    throw new StackError({
      doing: `reading the templates in ${path}`,
      why: cause instanceof Error ? cause.message : String(cause),
      tryThis: 'make it a readable folder, or move it away',
      cause,
    });
  }
}

async function isLinkToFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  );
}

/** Undefined for what was removed after its folder was listed, or is a folder now. */
async function readTemplate(
  path: string,
): Promise<Pick<TemplateFile, 'text' | 'isExecutable'> | Unreadable | undefined> {
  const stats = await stat(path).catch(() => undefined);
  const text = readTextSync(path);
  if (typeof text === 'string') return { text, isExecutable: ((stats?.mode ?? 0) & 0o111) !== 0 };
  return text.because === notFound || text.because === isFolder ? undefined : text;
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

/** A warning for each file and folder in `templates/` that nothing uses. */
export function warnOfStrays(strays: readonly TemplateFile[]): readonly Diagnostic[] {
  const warnings = strays.map((file): Diagnostic => {
    const near = closest(file.service, folders);
    const all = `the folders in templates/ are ${folders.join(', ')}`;
    return {
      severity: 'warning',
      code: 'template-of-no-service',
      message:
        file.path === ''
          ? `the template ${file.origin} is not in the folder of a service`
          : `templates/${file.service} is not the folder of a service`,
      hint: near === undefined ? `it is not used; ${all}` : `it is not used; did you mean ${near}?`,
    };
  });
  // One a folder, however many files are in it.
  return [...new Map(warnings.map((warning) => [warning.message, warning])).values()];
}

function problemOf(file: TemplateFile): Diagnostic | undefined {
  if (!file.text.includes('\0')) return undefined;
  return {
    severity: 'error',
    code: 'template-no-text',
    message: `the template ${file.origin} is not UTF-8 text`,
    hint: 'templates are text files; move it out of the templates folder',
  };
}
