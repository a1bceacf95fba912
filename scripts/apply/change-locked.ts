import type { Desired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import type { Plan } from '../plan/plan.ts';
import { preflight } from '../plan/preflight.ts';
import { reconcile } from '../plan/reconcile.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { takeLock } from '../state/lock.ts';
import type { ServiceClient } from '../state/service-client.ts';
import { StackError } from '../util/stack-error.ts';
import { carryOut } from './carry-out.ts';
import { previousState } from './previous.ts';
import { proveValid } from './prove-valid.ts';
import type { ChangeOptions, Session } from './session.ts';

/** What a change has found out before it takes the lock. */
export interface LockedOptions extends ChangeOptions {
  readonly session: Session;
  readonly desired: Desired;
  readonly reach: ServiceClient;
  readonly files: ConfigFiles;
}

/** Takes the lock, looks at the engine, and carries out what has to be done; answers with what that was. */
export async function changeLocked(options: LockedOptions): Promise<Plan> {
  const { engine, rendering, session, desired, reach, files, report, clock, signal, command, env, afterStep } = options;
  await using _lock = await takeLock(engine, desired.stack, command, report);
  // Whoever held the lock until now may have changed what was seen before.
  const observed = await observe(engine, desired, reach, { files });
  const plan = reconcile(desired, observed, { recreate: options.recreate === true });
  const { passed } = session;
  const proof = { engine, desired, rendering, observed, plan, files, passed, env, report, signal };
  if (plan.steps.length === 0) {
    if (options.judgesTests === true) await proveValid(proof);
    return plan;
  }
  if (options.filesOnly === true) refuseMoreThanFiles(plan);
  await preflight(plan, desired, observed, engine.location.isLocal);
  await proveValid(proof);
  const previous = await previousState(engine, files, observed, desired);
  report({ kind: 'phase', name: 'applying' });
  await carryOut({
    engine,
    desired,
    reach,
    clock,
    report,
    signal,
    files,
    previous,
    observed,
    plan,
    command,
    afterStep,
  });
  return plan;
}

function refuseMoreThanFiles(plan: Plan): void {
  const more = plan.changes.filter(({ action }) => action !== 'none' && action !== 'reload');
  if (more.length === 0) return;
  const lines = more.map(({ service, action, because }) => `\n    ${service}: ${action}, ${because.join('; ')}`);
  throw new StackError({
    doing: `reloading the stack ${plan.stack}`,
    why: `it takes more than new files, and a reload never makes or replaces a container:${lines.join('')}`,
    tryThis: 'promstack up does all of it',
  });
}
