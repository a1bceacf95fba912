import type { ArchiveEntry } from '../engine/engine.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { isIntact, mirrorOf } from './mirrored.ts';

/** How many releases of a service are kept in memory: the one in force, the one before and one that was refused. */
const most = 3;

/**
 * Config files that remember the releases written through them, so that they need not be read back for each change, nor
 * written whole when most of one is as it was. An edit by hand in the volume is not seen meanwhile: `status`, `plan` and
 * `up` look for themselves.
 */
export function rememberingFiles(files: ConfigFiles): ConfigFiles {
  const releases = new Map<string, readonly ArchiveEntry[]>();

  const forget = (folders: readonly string[]): void => {
    for (const known of [...releases.keys()]) {
      if (folders.some((folder) => isBelow(known, folder))) releases.delete(known);
    }
  };
  const remember = (folder: string, entries: readonly ArchiveEntry[]): void => {
    releases.set(folder, entries);
    const own = [...releases.keys()].filter((known) => serviceOf(known) === serviceOf(folder));
    for (const known of own.slice(0, -most)) releases.delete(known);
  };
  /** Makes a release of another one, if that is quicker and the other is as it was written; answers whether it did. */
  const writeByMirror = async (folder: string, own: readonly ArchiveEntry[]): Promise<boolean> => {
    const others = [...releases].filter(([known]) => serviceOf(known) === serviceOf(folder));
    const plan = mirrorOf(own, new Map(others));
    if (plan === undefined || files.mirror === undefined) return false;
    const found = await files.mirror(plan.base, folder, plan.removed).catch(() => undefined);
    if (found === undefined || !isIntact(found, releases.get(plan.base) ?? [])) return false;
    await files.write(
      plan.written.map((entry) => ({ ...entry, path: `${folder}/${entry.path.replace(/^[^/]+\/?/, '')}` })),
    );
    return true;
  };

  return {
    locate: files.locate,
    readLink: files.readLink,
    get tools() {
      return files.tools;
    },
    async write(entries, cleared = []) {
      forget(cleared);
      const whole = releasesIn(entries).filter(({ folder }) => cleared.some((one) => isBelow(folder, one)));
      if (whole.length === 0 || files.mirror === undefined) {
        await files.write(entries, cleared);
      } else {
        await files.write([], cleared);
        const done = new Set<string>();
        for (const { folder, own } of whole) {
          if (await writeByMirror(folder, own)) done.add(folder);
        }
        const left = entries.filter(({ path }) => ![...done].some((folder) => isBelow(path, folder)));
        const halfDone = whole.map(({ folder }) => folder).filter((folder) => !done.has(folder));
        await files.write(left, halfDone);
      }
      for (const { folder, own } of whole) remember(folder, own);
    },
    async read(service, path) {
      const folder = `${service}/${path}`;
      const known = releases.get(folder);
      if (known !== undefined) return known;
      const read = await files.read(service, path);
      if (read !== undefined && isRelease(path)) remember(folder, read);
      return read;
    },
  };
}

const serviceOf = (folder: string): string => folder.slice(0, folder.indexOf('/'));

const isRelease = (path: string): boolean => /^releases\/[^/]+\/[^/]+$/.test(path) && !path.endsWith('/masked');

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The entries of each release folder `SERVICE/releases/PLACE/REVISION`, with paths as they are read back. */
function releasesIn(
  entries: readonly ArchiveEntry[],
): readonly { readonly folder: string; readonly own: readonly ArchiveEntry[] }[] {
  const found = new Map<string, ArchiveEntry[]>();
  for (const entry of entries) {
    const [service = '', kind, place = '', revision = '', ...rest] = entry.path.replace(/\/$/, '').split('/');
    if (kind !== 'releases' || revision === '' || revision === 'masked') continue;
    const folder = `${service}/${kind}/${place}/${revision}`;
    const own = found.get(folder) ?? [];
    own.push({ ...entry, path: [revision, ...rest].join('/') });
    found.set(folder, own);
  }
  return [...found].map(([folder, own]) => ({ folder, own }));
}
