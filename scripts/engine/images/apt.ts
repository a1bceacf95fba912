import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { type Archive, distributionArchives, parseSources, type SourceFile, toSourceText } from './apt-sources.ts';

/** Runs a program of this host and returns its stdout; rejects with a CommandError. */
export type CommandRunner = (
  program: string,
  argv: readonly string[],
  options?: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
) => Promise<string>;

/** A program of this host failed; the message is the line of its output that states the cause. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Runs programs of this host; the signal stops them. */
export function createRunner(signal: AbortSignal): CommandRunner {
  return async (program, argv, options = {}) => {
    try {
      const { stdout } = await execa(program, argv, { ...options, cancelSignal: signal, stdin: 'ignore' });
      return stdout;
    } catch (error) {
      if (!(error instanceof ExecaError)) throw error;
      signal.throwIfAborted();
      throw new CommandError(causeOf(error), { cause: error });
    }
  };
}

/** apt begins errors with `E:`; the first such line states the cause, the others are its consequences. */
function causeOf(error: ExecaError): string {
  const lines = String(error.stderr ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines.find((text) => /^(E|Err):/.test(text)) ?? lines.at(-1);
  return line === undefined ? error.shortMessage : line.replace(/^(E|W|Err):\s*/, '');
}

/** The configuration of apt on this host. */
export interface AptHost {
  /** `bookworm`, `noble`. */
  readonly codename: string;
  /** By Debian's name: `amd64`. */
  readonly architecture: string;
  readonly archives: readonly Archive[];
}

/** Reads this host's apt configuration; undefined when it has no apt. */
export async function readAptHost(run: CommandRunner, root = '/'): Promise<AptHost | undefined> {
  const release = await readFile(join(root, 'etc/os-release'), 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME="?([\w.-]+)"?$/m.exec(release)?.[1];
  if (codename === undefined) return undefined;
  const architecture = await run('dpkg', ['--print-architecture']).catch(() => undefined);
  if (architecture === undefined) return undefined;
  const archives = distributionArchives(parseSources(await readSourceFiles(join(root, 'etc/apt'))), codename);
  return { codename, architecture: architecture.trim(), archives };
}

async function readSourceFiles(folder: string): Promise<readonly SourceFile[]> {
  const parts = await readdir(join(folder, 'sources.list.d')).catch(() => []);
  const names = [
    'sources.list',
    ...parts.filter((name) => /\.(list|sources)$/.test(name)).map((name) => `sources.list.d/${name}`),
  ];
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8').catch(() => '') })),
  );
  return files.filter((file) => file.text !== '');
}

/** One suite of one archive, read by apt in separate folders: the host's package state is neither read nor changed. */
export interface Repository {
  /** Those of the packages that the suite has. */
  find(names: readonly string[]): Promise<readonly string[]>;
  /** The packages and all their dependencies; rejects with a CommandError when the suite lacks one. */
  resolve(names: readonly string[]): Promise<readonly string[]>;
  /** Downloads packages without their dependencies; apt verifies them by the archive's signature. */
  download(names: readonly string[]): Promise<readonly PackageFile[]>;
}

/** A downloaded package. */
export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/**
 * Packages needed only for installation: they create users, ask questions and start services, which unpacking does not.
 * apt takes them as installed, so that neither they nor their dependencies are downloaded.
 */
const installers = ['adduser', 'debconf', 'init-system-helpers', 'passwd'];

/** Fetches a suite's package lists; rejects with apt's message when they cannot be fetched or verified. */
export async function openRepository(
  folder: string,
  archive: Archive,
  suite: string,
  run: CommandRunner,
): Promise<Repository> {
  const downloads = join(folder, 'downloads');
  const env = { APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  await writeConfig(folder, archive, suite, await run('apt-config', ['dump']));
  await run('apt-get', ['update', '--quiet'], { env });

  return {
    find: async (names) => {
      const lines = await run('apt-cache', ['search', '--names-only', `^(${names.join('|')})$`], { env });
      return lines.split('\n').flatMap((line) => line.split(' - ')[0] || []);
    },
    resolve: async (names) => {
      const options = ['--yes', '--no-install-recommends', '--quiet=2', '--print-uris'];
      const lines = await run('apt-get', ['install', ...options, ...names], { env });
      // 'http://deb.debian.org/…/prometheus_3.5.3%2bds1-6_amd64.deb' prometheus_3.5.3+ds1-6_amd64.deb 18286304 …
      return [...lines.matchAll(/^'\S+' ([^_]+)_/gm)].map(([, name = '']) => name);
    },
    download: async (names) => {
      await run('apt-get', ['download', '--quiet', ...names], { env, cwd: downloads });
      return (await readdir(downloads)).map((file) => toPackageFile(downloads, file));
    },
  };
}

/** Creates apt's separate folders and configuration. From the host's it takes only how to reach archives, such as proxies. */
async function writeConfig(folder: string, archive: Archive, suite: string, hostConfig: string): Promise<void> {
  const empty = join(folder, 'empty');
  const folders = ['state/lists', 'cache/archives', 'sources', 'empty', 'downloads'];
  // apt downloads as its own user, who must be able to enter the folder.
  await chmod(folder, 0o755);
  for (const name of folders) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'status'), installers.map(toInstalled).join('\n'));
  await writeFile(join(folder, 'sources/archive.sources'), toSourceText(archive, suite));
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': empty,
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'sources'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': empty,
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::PDiffs': 'false',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  await writeFile(join(folder, 'apt.conf'), [...acquireLines(hostConfig), ...lines, ''].join('\n'));
}

/** An entry in dpkg's status file; the version satisfies every lower bound. */
function toInstalled(name: string): string {
  return `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nMulti-Arch: foreign\nVersion: 999\n`;
}

/** The lines of `apt-config dump` on how archives are reached, without hooks and additional downloads. */
export function acquireLines(hostConfig: string): readonly string[] {
  return hostConfig.split('\n').filter((line) => /^Acquire::(?!IndexTargets|Languages|PDiffs|Changelogs)/.test(line));
}

/** `busybox-static_1%3a1.38.0-3+b1_amd64.deb` */
function toPackageFile(folder: string, file: string): PackageFile {
  const [name = '', version = ''] = file.split('_');
  return { name, version: decodeURIComponent(version), path: join(folder, file) };
}
