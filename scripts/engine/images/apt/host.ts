import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandRunner } from './run.ts';
import { type Archive, distributionArchives, parseSources, type SourceFile } from './sources.ts';

/** What this host's own package manager knows. */
export interface AptHost {
  /** `bookworm`, `noble`. */
  readonly codename: string;
  /** Debian's word for the machine: `amd64`. */
  readonly architecture: string;
  readonly archives: readonly Archive[];
}

/** Reads the host's own package sources; undefined when the host has no apt. */
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
