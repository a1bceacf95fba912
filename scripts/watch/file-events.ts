import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { watch as chokidar, type FSWatcher } from 'chokidar';
import { isBelow, isBeside, isWorthALook, type WatchedPaths } from './watched-paths.ts';

/** Reports changes of files. */
export interface FileEvents extends AsyncDisposable {
  /** Watches those of these paths that exist, and nothing else. Answers whether they differ from those before; a change until then may have been missed. */
  watch(paths: WatchedPaths): Promise<boolean>;
}

/** Changes as the system reports them. `onTrouble` is called with what cannot be watched. */
export function openFileEvents(onChange: (path: string) => void, onTrouble: (why: string) => void): FileEvents {
  let watched = '';
  let named: ReadonlySet<string> = new Set();
  let watchers: readonly FSWatcher[] = [];
  const open = (folders: readonly string[], depth: number | undefined): Promise<FSWatcher> =>
    new Promise((resolve) => {
      const watcher = chokidar([...folders], {
        ignoreInitial: true,
        // A file that is replaced is not waited for: what is read a moment later shows it.
        atomic: false,
        ignored: (path) => !named.has(path) && isBesideAll(path, folders),
        ...(depth === undefined ? {} : { depth }),
      });
      const notify = (path: string): void => {
        if (named.has(path) || isWorthALook(path)) onChange(path);
      };
      watcher.on('all', (_, path) => notify(path));
      // Of several changes of one file within 50 ms the watcher reports only the first: the last would be missed.
      watcher.on('raw', (_, path, details) => notify(rawPath(path, details)));
      watcher.on('error', (error) => onTrouble(error instanceof Error ? error.message : String(error)));
      watcher.once('ready', () => resolve(watcher));
    });
  const close = async (): Promise<void> => {
    const old = watchers;
    watchers = [];
    await Promise.all(old.map((watcher) => watcher.close()));
  };
  return {
    async watch(paths) {
      const [shallow, deep] = [paths.shallow, paths.deep].map((folders) => folders.filter((one) => existsSync(one)));
      const asked = JSON.stringify([shallow, deep, paths.files]);
      if (asked === watched) return false;
      named = new Set(paths.files);
      const opened = await Promise.all([
        ...(shallow?.length ? [open(shallow, 0)] : []),
        ...(deep?.length ? [open(deep, undefined)] : []),
      ]);
      await close();
      watchers = opened;
      watched = asked;
      return true;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Whether a path is ignored for each watched folder above it; the watched folders themselves never are. */
function isBesideAll(path: string, folders: readonly string[]): boolean {
  if (folders.includes(path)) return false;
  const above = folders.filter((folder) => isBelow(path, folder));
  return above.length > 0 && above.every((folder) => isBeside(path, folder));
}

/** The system names a file by its name alone, and by the folder that is watched, or the file itself. */
function rawPath(name: string | null, details: unknown): string {
  const watched = (details as { readonly watchedPath?: unknown }).watchedPath;
  const at = typeof watched === 'string' ? watched : '';
  return name === null || basename(at) === name ? at : join(at, name);
}
