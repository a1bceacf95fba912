import type { ConfigFiles } from '../apply/config-files.ts';
import type { ArchiveEntry } from '../engine/engine.ts';

/** How many releases are kept in memory: the one in force, the one before and some that were refused. */
const most = 6;

/**
 * Config files that remember the releases written through them, so that they need not be read back for each change. An
 * edit by hand in the volume is not seen meanwhile: `status`, `plan` and `up` look for themselves.
 */
export function rememberingFiles(files: ConfigFiles): ConfigFiles {
  const releases = new Map<string, readonly ArchiveEntry[]>();
  const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

  return {
    place: files.place,
    readLink: files.readLink,
    get tools() {
      return files.tools;
    },
    async write(entries, cleared = []) {
      for (const folder of cleared) {
        for (const known of [...releases.keys()]) {
          if (isBelow(known, folder)) releases.delete(known);
        }
      }
      await files.write(entries, cleared);
      for (const [folder, own] of releasesIn(entries)) {
        if (cleared.some((one) => isBelow(folder, one))) releases.set(folder, own);
      }
      for (const known of [...releases.keys()].slice(0, -most)) releases.delete(known);
    },
    async read(service, path) {
      const folder = `${service}/${path}`;
      const known = releases.get(folder);
      if (known !== undefined) return known;
      const read = await files.read(service, path);
      if (read !== undefined && /^releases\/[^/]+\/[^/]+$/.test(path) && !path.endsWith('/masked'))
        releases.set(folder, read);
      return read;
    },
  };
}

/** The entries of each release folder `SERVICE/releases/PLACE/REVISION`, with paths as they are read back. */
function releasesIn(entries: readonly ArchiveEntry[]): ReadonlyMap<string, readonly ArchiveEntry[]> {
  const found = new Map<string, ArchiveEntry[]>();
  for (const entry of entries) {
    const [service = '', kind, place = '', revision = '', ...rest] = entry.path.replace(/\/$/, '').split('/');
    if (kind !== 'releases' || revision === '' || revision === 'masked') continue;
    const folder = `${service}/${kind}/${place}/${revision}`;
    const own = found.get(folder) ?? [];
    own.push({ ...entry, path: [revision, ...rest].join('/') });
    found.set(folder, own);
  }
  return found;
}
