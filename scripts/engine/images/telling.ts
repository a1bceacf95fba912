import type { Report } from '../../util/event.ts';

/** Tells of a piece of work from its beginning to its end. */
export interface Telling {
  progress(detail: string, fraction?: number): void;
  done(detail: string): void;
  failed(why: string): void;
}

/** Begins to tell of getting an image. */
export function beginTelling(report: Report, reference: string): Telling {
  const id = `image:${reference}`;
  const what = `image ${reference}`;
  const startedAt = performance.now();
  report({ kind: 'started', id, what });
  return {
    progress: (detail, fraction) =>
      report({ kind: 'progress', id, what, detail, ...(fraction === undefined ? {} : { fraction }) }),
    done: (detail) => report({ kind: 'done', id, what, tookMs: performance.now() - startedAt, detail }),
    failed: (why) => report({ kind: 'failed', id, what, why }),
  };
}
