import type { Proof, RenderedFile, Verdict } from '../model.ts';
import type { Reread } from '../service.ts';
import { inConfig } from '../values/container.ts';
import { matchesGoGlob } from '../values/go-glob.ts';
import { listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { sampleLabel, samplesOf } from '../values/metrics-page.ts';
import { mainConfig } from './alerts.ts';

/** A pattern of `file_sd_configs`, relative to the config directory, and the job that has it. */
export interface Discovery {
  readonly pattern: string;
  readonly job: Mapping;
}

/** The patterns of all jobs, but for those outside the config directory. */
export function discoveries(files: readonly RenderedFile[]): readonly Discovery[] {
  return mappingsIn(mainConfig(files)?.['scrape_configs'], []).flatMap(({ value: job }) =>
    mappingsIn(job['file_sd_configs'], [])
      .flatMap(({ value }) => listOf(value['files']))
      .filter((pattern) => typeof pattern === 'string')
      .map((pattern) => inConfig(pattern))
      .filter((pattern) => !/^(?:\/|\.\.\/)/.test(pattern))
      .map((pattern) => ({ pattern, job })),
  );
}

/**
 * The files of `file_sd_configs`. Prometheus watches the folders that these are in, by inotify: it does not notice that `current` links
 * to another release, and a reload makes it read only the files of jobs whose config changed (tested with 3.5.3).
 */
export function rereadFiles(files: readonly RenderedFile[]): Reread | undefined {
  const patterns = discoveries(files).map(({ pattern }) => pattern);
  if (patterns.length === 0) return undefined;
  const folders = patterns.map((pattern) => pattern.slice(0, Math.max(0, pattern.lastIndexOf('/'))));
  return {
    folders: [...new Set(folders)].filter((folder) => !/[*?[\\]/.test(folder)).sort(),
    matches: (path) => patterns.some((pattern) => matchesGoGlob(pattern, path)),
  };
}

/** The user's files that Prometheus reads again by itself: a change of them needs no reload. */
export function watchedFiles(files: readonly RenderedFile[]): readonly RenderedFile[] {
  const own = files.filter(({ namedAt }) => namedAt !== undefined);
  const reread = own.length === 0 ? undefined : rereadFiles(files);
  return reread === undefined ? [] : own.filter(({ path }) => reread.matches(path));
}

/** Prometheus exports the time of each file when it read it; a file that it refuses keeps the earlier time. */
export function fileProofs(files: readonly RenderedFile[], port: number): readonly Proof[] {
  const reread = rereadFiles(files);
  if (reread === undefined) return [];
  const watched = new Map(files.filter(({ path }) => reread.matches(path)).map((file) => [file.path, file]));
  return [
    {
      claim: 'has read the files of its file_sd_configs',
      request: { method: 'GET', port, path: '/metrics' },
      assess: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its metrics page answers ${status}` };
        const read = new Map(
          samplesOf(body, 'prometheus_sd_file_mtime_seconds').map((sample) => [
            inConfig(sampleLabel(sample, 'filename') ?? ''),
            sample.value,
          ]),
        );
        const unread = [...watched.values()].find(({ path, modified }) => {
          const time = read.get(path);
          return time === undefined || (modified !== undefined && time !== Math.floor(modified.getTime() / 1_000));
        });
        if (unread !== undefined) return { kind: 'notYet', because: `it has not read ${unread.path} yet` };
        const removed = [...read.keys()].find((path) => reread.matches(path) && !watched.has(path));
        if (removed !== undefined) return { kind: 'notYet', because: `it still uses ${removed}, which was removed` };
        return { kind: 'proven' };
      },
    },
  ];
}
