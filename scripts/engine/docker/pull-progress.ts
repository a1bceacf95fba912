import type { PullProgress } from '../engine.ts';
import type { ProgressLine } from './json-lines.ts';

/** Adds up what the engine tells of each layer; undefined while a line changed nothing. */
export function createPullCount(): (line: ProgressLine) => PullProgress | undefined {
  const layers = new Map<string, PullProgress>();
  return ({ id, status, progressDetail }) => {
    if (id === undefined) return undefined;
    const known = layers.get(id) ?? { doneBytes: 0, totalBytes: 0 };
    if (status === 'Downloading') {
      layers.set(id, {
        doneBytes: progressDetail?.current ?? known.doneBytes,
        totalBytes: progressDetail?.total ?? known.totalBytes,
      });
    } else if (status === 'Download complete') {
      layers.set(id, { ...known, doneBytes: known.totalBytes });
    } else {
      return undefined;
    }
    return sum([...layers.values()]);
  };
}

function sum(layers: readonly PullProgress[]): PullProgress {
  return layers.reduce(
    (all, one) => ({ doneBytes: all.doneBytes + one.doneBytes, totalBytes: all.totalBytes + one.totalBytes }),
    { doneBytes: 0, totalBytes: 0 },
  );
}
