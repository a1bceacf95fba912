import { configMount } from '../../stack/values/container.ts';
import { toEntries } from '../check/archive.ts';
import { checkRendering } from '../check/check.ts';
import { checkedCache, remembering } from '../check/checked-cache.ts';
import { containerRunner } from '../check/container-runner.ts';
import { execRunner, type Staged } from '../check/exec-runner.ts';
import { hostRunner } from '../check/host-runner.ts';
import { type CheckJob, type FindImage, filesOf } from '../check/runner.ts';
import type { Engine } from '../engine/engine.ts';
import { withOwnTests } from '../own-tests/own-tests.ts';
import type { Desired } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Report } from '../report/event.ts';
import { InputError } from '../util/stack-error.ts';
import type { ConfigFiles } from './config-files.ts';

/** Where a running container sees files that are only being checked: no server reads there. */
const checkFolder = 'check';

/** What a proof needs to know of the change it is for. */
export interface ProofOptions {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly rendering: Rendering;
  readonly observed: Observed;
  readonly files: ConfigFiles;
  readonly plan: Plan;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Proves the files of every service that the plan touches valid with the image that will run them: inside the running
 * container where it is of that image, else in a throw-away one. Throws an InputError with everything that is wrong.
 */
export async function proveValid(options: ProofOptions): Promise<void> {
  const { engine, desired, plan, env, report, signal } = options;
  const { rendering, diagnostics } = await withOwnTests(options.rendering);
  const touched = new Set(plan.changes.flatMap(({ service, action }) => (action === 'none' ? [] : [service])));
  const services = rendering.services.filter(({ service }) => touched.has(service.name));
  // The shipped tests speak of shipped rules alone, which nothing here can have changed.
  const tests = rendering.tests.filter((test) => test.isShipped !== true);
  const images = new Map(
    rendering.services.map(({ service, container }) => {
      const wanted = desired.services.find((one) => one.service === service);
      return [container.image, { ref: wanted?.spec.image ?? container.image, id: wanted?.imageId ?? '' }];
    }),
  );
  const findImage: FindImage = async (reference) => images.get(reference);
  const inContainer = containerRunner(engine, desired.stack, findImage, hostRunner(env, 'the image is not present'));
  const open = execRunner(engine, (job) => stageForCheck(options, job), inContainer);
  report({ kind: 'phase', name: 'checking' });
  const byTools = await checkRendering(
    { ...rendering, services, tests },
    remembering(open, checkedCache(env), findImage),
    report,
    signal,
    rendering,
  );
  const found = [...diagnostics, ...byTools];
  const errors = found.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new InputError(errors);
  for (const diagnostic of found) report({ kind: 'diagnostic', diagnostic });
}

/** Puts a job's files where the running container sees them; undefined when it does not run the image that will. */
async function stageForCheck({ files, desired, observed }: ProofOptions, job: CheckJob): Promise<Staged | undefined> {
  const wanted = desired.services.find(({ service }) => service.name === job.service);
  const found = observed.services.get(job.service)?.container;
  if (observed.carrier === undefined || found?.state !== 'running' || found.imageId !== wanted?.imageId)
    return undefined;
  const folder = `${job.service}/${checkFolder}`;
  // Nothing of an earlier check may be left that a glob could find.
  await files.write(toEntries(filesOf(job), folder, job.user), [folder]);
  return { container: found.id, directory: `${configMount}/${checkFolder}` };
}
