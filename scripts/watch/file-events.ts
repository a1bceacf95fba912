import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { watch as chokidar, type FSWatcher } from 'chokidar';
import { isBelow, isIgnoredBelow, isRelevant, type WatchedPaths } from './watched-paths.ts';

/** Reports changes of files. */
export interface FileEvents extends AsyncDisposable {
  /** Watches exactly those of the paths that exist. Returns whether they differ from the previous ones; then changes may have been missed. */
  watch(paths: WatchedPaths): Promise<boolean>;
}

/** Reports changes of files. `onTrouble` is called with errors of the watcher. */
export function openFileEvents(onChange: (path: string) => void, onTrouble: (why: string) => void): FileEvents {
  let watched = '';
  let named: ReadonlySet<string> = new Set();
  let watchers: readonly FSWatcher[] = [];
  const open = (folders: readonly string[], depth: number | undefined): Promise<FSWatcher> =>
    new Promise((resolve) => {
      const watcher = chokidar([...folders], {
        ignoreInitial: true,
        // No wait for the second part of a replacement: the files are read a moment later anyway.
        atomic: false,
        ignored: (path) => !named.has(path) && isIgnored(path, folders),
        ...(depth === undefined ? {} : { depth }),
      });
      const notify = (path: string): void => {
        if (named.has(path) || isRelevant(path)) onChange(path);
      };
      watcher.on('all', (_, path) => notify(path));
      // Of several changes of a file within 50 ms chokidar reports only the first, so raw events are needed for the last.
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
      const [shallow, deep] = [paths.shallow, paths.deep].map((folders) =>
        folders.filter((folder) => existsSync(folder)),
      );
      const requested = JSON.stringify([shallow, deep, paths.files]);
      if (requested === watched) return false;
      named = new Set(paths.files);
      const opened = await Promise.all([
        ...(shallow?.length ? [open(shallow, 0)] : []),
        ...(deep?.length ? [open(deep, undefined)] : []),
      ]);
      await close();
      watchers = opened;
      watched = requested;
      return true;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Whether a path is ignored by all watched folders above it; the watched folders themselves never are. */
function isIgnored(path: string, folders: readonly string[]): boolean {
  if (folders.includes(path)) return false;
  const above = folders.filter((folder) => isBelow(path, folder));
  return above.length > 0 && above.every((folder) => isIgnoredBelow(path, folder));
}

/** The system reports a file's name, and the watched folder or the file itself. */
function rawPath(name: string | null, details: unknown): string {
  const watched = (details as { readonly watchedPath?: unknown }).watchedPath;
  const watchedPath = typeof watched === 'string' ? watched : '';
  return name === null || basename(watchedPath) === name ? watchedPath : join(watchedPath, name);
}
