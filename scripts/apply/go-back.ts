import type { Desired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import { reconcile } from '../plan/reconcile.ts';
import type { Report } from '../report/event.ts';
import { createExecutors, type Workshop } from './executors.ts';
import { runPlan } from './run-plan.ts';

/** How long going back may take in all: a container made anew has its own deadline to become ready. */
const goBackMs = 180_000;

/** What going back needs. */
export interface GoBackOptions extends Workshop {
  readonly former: Desired;
  /** Services that are left as they are though they did not run before. */
  readonly leave: ReadonlySet<string>;
  readonly report: Report;
}

/**
 * Makes what ran before the desired state and carries that out, whatever signal ended the change. Answers why it could
 * not, with what runs where now.
 */
export async function goBack(options: GoBackOptions): Promise<{ readonly failed: string | undefined }> {
  const { engine, reach, files, former, leave, report, clock } = options;
  const signal = AbortSignal.timeout(goBackMs);
  try {
    const plan = reconcile(former, await observe(engine, former, reach, { files }), { leave, unrecorded: true });
    const executors = createExecutors({ ...options, desired: former });
    const outcome = await runPlan(plan.steps, executors, { report, clock, signal });
    if (outcome.failed.length === 0 && outcome.skipped.length === 0) return { failed: undefined };
    const why = outcome.failed.map(({ error }) => (error as Error).message.replaceAll('\n', '\n  '));
    return { failed: [...why, ...(await whereItStands(options))].join('\n  ') };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

/** One line a service: what runs, by looking again. */
async function whereItStands({ engine, reach, files, former }: GoBackOptions): Promise<readonly string[]> {
  const observed = await observe(engine, former, reach, { files, asked: 'all' });
  return former.services.map(({ service, release }) => {
    const found = observed.services.get(service.name);
    if (found === undefined) return `${service.name}: it has no container now`;
    if (found.container.state !== 'running') return `${service.name}: its container is ${found.container.state}`;
    if (release === undefined) return `${service.name}: it runs`;
    if (found.linked === release.revision && found.unproven === undefined) {
      return `${service.name}: it runs revision ${release.revision}, as before`;
    }
    return `${service.name}: it runs, with the files of revision ${found.linked} in place: ${found.unproven ?? 'not asked'}`;
  });
}
