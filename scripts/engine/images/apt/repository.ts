import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandRunner } from './run.ts';
import { type Archive, toSourceText } from './sources.ts';

/** One suite of one archive, read by apt in folders of its own: nothing of the host's package state is read or changed. */
export interface Repository {
  readonly archive: Archive;
  readonly suite: string;
  /** What the suite tells of those of the packages that it has. */
  show(names: readonly string[]): Promise<readonly PackageFacts[]>;
  /** Downloads packages; apt checks them against the archive's signature. */
  download(names: readonly string[]): Promise<readonly PackageFile[]>;
}

/** What a suite tells of one package. */
interface PackageFacts {
  readonly name: string;
  /** Names in its Depends and Pre-Depends, every alternative. */
  readonly dependsOn: readonly string[];
}

/** A package as a file. */
export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/** Fetches a suite's package lists; rejects with apt's own words when they cannot be had or trusted. */
export async function openRepository(
  folder: string,
  archive: Archive,
  suite: string,
  run: CommandRunner,
): Promise<Repository> {
  const downloads = join(folder, 'downloads');
  const env = { APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  await layOut(folder, archive, suite, await run('apt-config', ['dump']));
  await run('apt-get', ['update', '--quiet'], { env });

  return {
    archive,
    suite,
    // apt-cache fails only when it has none of them, which is an answer here.
    show: async (names) =>
      parseShown(await run('apt-cache', ['show', '--no-all-versions', ...names], { env }).catch(() => '')),
    download: async (names) => {
      await run('apt-get', ['download', '--quiet', ...names], { env, cwd: downloads });
      const files = await readdir(downloads);
      return files.map((file) => toPackageFile(downloads, file));
    },
  };
}

/** apt's private folders, and a configuration that takes from the host's only how to reach archives: proxies, timeouts. */
async function layOut(folder: string, archive: Archive, suite: string, hostConfig: string): Promise<void> {
  const empty = join(folder, 'empty');
  const folders = ['state/lists', 'cache/archives', 'sources', 'empty', 'downloads'];
  // apt fetches as a user of its own, who must be able to pass through.
  await chmod(folder, 0o755);
  for (const name of folders) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'status'), '');
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
  await writeFile(join(folder, 'apt.conf'), [...reachLines(hostConfig), ...lines, ''].join('\n'));
}

/** The lines of `apt-config dump` on how archives are reached; hooks and lists of what else to fetch stay out. */
export function reachLines(hostConfig: string): readonly string[] {
  return hostConfig.split('\n').filter((line) => /^Acquire::(?!IndexTargets|Languages|PDiffs|Changelogs)/.test(line));
}

function parseShown(text: string): readonly PackageFacts[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const name = /^Package: (.+)$/m.exec(stanza)?.[1];
    if (name === undefined) return [];
    const depends = [...stanza.matchAll(/^(?:Pre-)?Depends: (.+)$/gm)].map((match) => match[1] ?? '');
    return [{ name, dependsOn: depends.flatMap((list) => packageNames(list)) }];
  });
}

/** The names in `libc6 (>= 2.34), debconf (>= 0.5) | debconf-2.0, python3:any`. */
function packageNames(list: string): readonly string[] {
  return list.split(/[,|]/).flatMap((item) => /^\s*([a-z0-9][a-z0-9.+-]*)/.exec(item)?.[1] ?? []);
}

/** `busybox-static_1%3a1.38.0-3+b1_amd64.deb` */
function toPackageFile(folder: string, file: string): PackageFile {
  const [name = '', version = ''] = file.split('_');
  return { name, version: decodeURIComponent(version), path: join(folder, file) };
}
