import { configMount } from '../../stack/values/container.ts';
import { toEntries } from '../check/archive.ts';
import { checkRendering } from '../check/check.ts';
import { checkedCache, remembering } from '../check/checked-cache.ts';
import { containerRunner } from '../check/container-runner.ts';
import { execRunner, type Staged } from '../check/exec-runner.ts';
import { hostRunner, noImage } from '../check/host-runner.ts';
import { withOwnTests } from '../check/own-tests/own-tests.ts';
import { type CheckJob, type FindImage, filesOf } from '../check/runner.ts';
import { type PassedFiles, sparing } from '../check/sparing.ts';
import type { Engine } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendering } from '../render/rendering.ts';
import type { ConfigFiles, FileTools } from '../state/config-files.ts';
import { configWriterRoot } from '../state/names.ts';
import type { Report } from '../util/event.ts';
import { InputError } from '../util/stack-error.ts';

/** Where a running container sees files that are only being checked: no server reads there. */
const checkFolder = 'check';

/** What a proof needs to know of the change it is for. */
export interface ProofOptions {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly rendering: Rendering;
  readonly observed: Observed;
  readonly files: ConfigFiles;
  /** Files that passed before in the same session; absent in a single change. */
  readonly passed: PassedFiles | undefined;
  readonly plan: Plan;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Proves the files of every service that the plan touches (of all where it has no steps) valid with the image that will
 * run them: inside the running container where it is of that image, else in a throw-away one. Throws an InputError with
 * everything that is wrong.
 */
export async function proveValid(options: ProofOptions): Promise<void> {
  const { engine, desired, plan, files, passed, env, report, signal } = options;
  const { rendering, diagnostics } = await withOwnTests(options.rendering);
  const touched = new Set(plan.changes.flatMap(({ service, action }) => (action === 'none' ? [] : [service])));
  const services = rendering.services.filter(({ service }) => plan.steps.length === 0 || touched.has(service.name));
  // The shipped tests speak of shipped rules alone, which nothing here can have changed.
  const tests = rendering.tests.filter((test) => test.isShipped !== true);
  const images = new Map(
    rendering.services.map(({ service, container }) => {
      const wanted = desired.services.find((one) => one.service === service);
      return [container.image, { ref: wanted?.spec.image ?? container.image, id: wanted?.imageId ?? '' }];
    }),
  );
  const findImage: FindImage = async (reference) => images.get(reference);
  const inContainer = containerRunner(engine, desired.stack, findImage, hostRunner(env, noImage));
  const open = execRunner(withTools(engine, files.tools), (job) => stageForCheck(options, job), inContainer);
  const remembered = remembering(open, checkedCache(env), findImage);
  report({ kind: 'phase', name: 'checking' });
  const byTools = await checkRendering(
    { ...rendering, services, tests },
    passed === undefined ? remembered : sparing(remembered, passed, findImage),
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
  const folder = `${job.service}/${checkFolder}`;
  const put = (): Promise<void> =>
    // Nothing of an earlier check may be left that a glob could find.
    files.write(toEntries(filesOf(job), folder, job.user), [folder]);
  if (files.tools !== undefined && files.tools.imageId === wanted?.imageId) {
    await put();
    return { container: files.tools.container, directory: `${configWriterRoot}/${folder}` };
  }
  if (observed.configWriter === undefined || found?.state !== 'running' || found.imageId !== wanted?.imageId)
    return undefined;
  await put();
  return { container: found.id, directory: `${configMount}/${checkFolder}` };
}

/** The engine, but that programs in the tools' container run by the quick way. */
function withTools(engine: Engine, tools: FileTools | undefined): Engine {
  if (tools === undefined) return engine;
  return {
    ...engine,
    exec: (id, argv, options) =>
      id === tools.container ? tools.exec(argv, options?.signal) : engine.exec(id, argv, options),
  };
}
