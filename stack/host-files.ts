import type { KeyPath, Problem } from './diagnostic.ts';
import type { RenderedFile } from './model.ts';
import { isSecretFile, type SecretFiles, secretKeyOf } from './secrets/secret-files.ts';
import type { FileProblem } from './service.ts';
import { configDir, inConfig } from './values/container.ts';
import { matchesGoGlob } from './values/go-glob.ts';
import { isCollection } from './values/mapping.ts';
import { parseYaml } from './values/parse.ts';
import { quoted } from './values/words.ts';

/** A server whose config names files. */
interface FileReader {
  /** Its section in stack.yml: `exporters.blackbox`. */
  readonly section: string;
  readonly title: string;
  readonly secretFiles?: SecretFiles | undefined;
  /** The entries of the key `files`; undefined for a service without it. */
  readonly globs?: readonly string[] | undefined;
  /** Paths that are not reported. */
  isKnown?(path: string): boolean;
}

/** Files that the images have, and what promstack puts into each container. */
const inContainer =
  /^(?:\/etc\/promstack\/|\/etc\/ssl\/(?:certs\/?|cert\.pem|certs\/ca-certificates\.crt)$|\/etc\/pki\/tls\/certs\/ca-bundle\.crt$|\/(?:usr|proc|dev|bin)\/)/;

/** Folders of other setups, whose files have their place beside stack.yml here. */
const elsewhere =
  /^\/(?:etc\/(?:prometheus|alertmanager|grafana|ssl\/certs|ssl\/private|ssl)|(?:var\/)?run\/secrets)\//;

/** Paths of files that are on the host: they do not exist in the container, which some servers notice only when they need them. */
export function hostFileProblems(value: unknown, path: KeyPath, server: FileReader): readonly Problem[] {
  if (isCollection(value)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      hostFileProblems(inner, [...path, Array.isArray(value) ? Number(key) : key], server),
    );
  }
  const keys = path.filter((step) => typeof step === 'string');
  const key = keys.at(-1) ?? '';
  // A server writes its logs itself.
  const isFile =
    (key.endsWith('_file') && !key.endsWith('_log_file')) ||
    (key === 'files' && path[1] !== 'files') ||
    key === 'scrape_config_files';
  if (typeof value !== 'string' || !isFile || value === '' || inContainer.test(value)) return [];
  const hint = server.isKnown?.(value) === true ? undefined : hintFor(value, keys, server);
  if (hint === undefined) return [];
  const what = value.startsWith('/') || !isPlaced(value, server.globs) ? 'does not exist' : 'is not found by this path';
  const message = `the file ${quoted(value)} ${what} in ${server.title}'s container`;
  return [{ code: 'file-of-host', path, severity: 'warning', message, hint }];
}

function hintFor(
  value: string,
  keys: readonly string[],
  { section, secretFiles, globs }: FileReader,
): string | undefined {
  const isAbsolute = value.startsWith('/');
  // Alertmanager opens only the files of its HTTP clients relative to its config.
  const isRelative = secretFiles?.paths !== 'absolute' || keys.includes('http_config');
  const own = isAbsolute
    ? elsewhere.test(value)
      ? value.replace(elsewhere, '')
      : value.split('/').slice(2).slice(-2).join('/')
    : value;
  const here = isRelative ? own : `${configDir}/${own}`;
  if (!isAbsolute && isPlaced(value, globs)) return isRelative ? undefined : `write "${here}"`;
  const secretKey = secretFiles === undefined ? undefined : secretKeyOf(keys, secretFiles);
  if (secretKey !== undefined && secretFiles !== undefined && isSecretFile(keys, secretFiles)) {
    const source = elsewhere.test(value) ? own : value;
    return `write "${secretKey}: !file ${source}", and promstack copies the file into it`;
  }
  // Of other relative paths the server's own tool knows whether they exist.
  if (globs === undefined || (!isAbsolute && secretKey === undefined)) return undefined;
  const copy = isAbsolute ? 'copy it to the folder of stack.yml, ' : '';
  return `${copy}write "files: [${own}]" under "${section}"${isAbsolute || !isRelative ? ` and "${here}" here` : ''}`;
}

const isPlaced = (path: string, globs: readonly string[] = []): boolean =>
  globs.some((pattern) => {
    const glob = inConfig(pattern);
    const isWide = /\*\*|\{/.test(glob) && path.startsWith(glob.slice(0, glob.search(/[*?[{]/)));
    return isWide || matchesGoGlob(glob, path);
  });

/** The same for config files that replace promstack's; what they have from stack.yml is reported there. */
export function hostFilesIn(
  files: readonly RenderedFile[],
  paths: readonly (string | undefined)[],
  server: FileReader,
  section: unknown,
): readonly FileProblem[] {
  const inSection = JSON.stringify(section);
  const isKnown = (path: string): boolean => inSection.includes(JSON.stringify(path));
  return files.flatMap((file) =>
    paths.includes(file.path) && file.isShipped !== true
      ? hostFileProblems(parseYaml(file.content, { valid: true }), [], { ...server, isKnown }).map((problem) => {
          return { ...problem, file, canBeIgnored: true };
        })
      : [],
  );
}
