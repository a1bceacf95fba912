import { formatExposition, type WrittenMetric } from '../../../stack/exposition/family.ts';
import { systemClock } from '../../util/clock.ts';
import { createPusher, type PusherOptions } from './pusher.ts';

/** How a batch job tells of itself. */
export interface BatchOptions extends PusherOptions {
  /** Told when the job's metrics could not be pushed; a warning of the process when absent. The job is not touched by it. */
  readonly onPushError?: (error: unknown) => void;
}

/** What a batch job may do while it runs. */
export interface BatchJob {
  /** Sets a gauge that is pushed when the job ends: `batch.set('rows_copied', 42, 'Rows copied by the last run.')`. */
  set(name: string, value: number, help?: string): void;
}

/**
 * Runs a batch job and pushes how it went, whether it succeeds or throws:
 *
 *     batch_job_success                         1 or 0
 *     batch_job_duration_seconds
 *     batch_job_last_run_timestamp_seconds      when it ended
 *     batch_job_last_success_timestamp_seconds  only pushed by a success; the last one stays through failures
 *
 * and the metrics of the registry, if one is given. The answer and the error are the job's own: a push that fails is
 * told to `onPushError` and hides neither. Alert on the age of the last success; it covers a job that never ran too.
 */
export async function withPush<T>(options: BatchOptions, run: (batch: BatchJob) => T | Promise<T>): Promise<T> {
  const { clock = systemClock, registry, onPushError = warn } = options;
  await using pusher = createPusher(options);
  const gauges = new Map<string, WrittenMetric>();
  const set: BatchJob['set'] = (name, value, help) => {
    gauges.set(name, { name, type: 'gauge', samples: [{ value }], ...(help === undefined ? {} : { help }) });
  };
  const startedAt = clock.now();
  const tell = async (succeeded: boolean) => {
    const endedAt = clock.now();
    set('batch_job_success', succeeded ? 1 : 0, 'Whether the last run succeeded.');
    set('batch_job_duration_seconds', (endedAt - startedAt) / 1000, 'How long the last run took.');
    set('batch_job_last_run_timestamp_seconds', endedAt / 1000, 'When the last run ended.');
    if (succeeded) set('batch_job_last_success_timestamp_seconds', endedAt / 1000, 'When a run last succeeded.');
    try {
      // Added, not replaced: a failed run must leave the time of the last success standing.
      await pusher.pushAdd(formatExposition([...gauges.values()]));
      if (registry !== undefined) await pusher.pushAdd();
    } catch (error) {
      onPushError(error);
    }
  };
  let result: T;
  try {
    result = await run({ set });
  } catch (error) {
    await tell(false);
    throw error;
  }
  await tell(true);
  return result;
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error.message : String(error), 'PushWarning');
}
