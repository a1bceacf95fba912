import type { PullProgress } from '../engine.ts';
import type { ProgressLine } from './json-lines.ts';

/** Adds up what the engine tells of each layer; every line counts as a sign of life, if only by the same sum again. */
export function createPullCount(): (line: ProgressLine) => PullProgress {
  const layers = new Map<string, PullProgress>();
  return ({ id, status, progressDetail }) => {
    const known = layers.get(id ?? '') ?? { doneBytes: 0, totalBytes: 0 };
    if (id !== undefined && status === 'Downloading') {
      layers.set(id, {
        doneBytes: progressDetail?.current ?? known.doneBytes,
        totalBytes: progressDetail?.total ?? known.totalBytes,
      });
    } else if (id !== undefined && status === 'Download complete') {
      layers.set(id, { ...known, doneBytes: known.totalBytes });
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
