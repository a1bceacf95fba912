/**
 * promstack as a library: each stage is a function that takes the result of the previous stage.
 *
 * ```ts
 * const loaded = await loadStack({ cwd: process.cwd(), env: process.env });
 * if (!loaded.ok) throw new InputError(loaded.error);
 * const rendering = render(loaded.value, await loadTemplates(undefined));
 * ```
 *
 * Nothing here prints: progress is reported as events to a `Report`.
 */

import type { ConnectOptions } from './engine/connect.ts';
import type { Engine } from './engine/engine.ts';

export type { StackConfig } from '../stack/config.ts';
export type { Diagnostic, SourceRange } from '../stack/diagnostic.ts';
export type { Family, MetricType, Sample } from '../stack/exposition/family.ts';
export { formatExposition, type WrittenMetric } from '../stack/exposition/family.ts';
export { type Exposition, type ExpositionOptions, parseExposition } from '../stack/exposition/parse-exposition.ts';
export type {
  CheckCommand,
  CheckFinding,
  ContainerSpec,
  HealthIndicator,
  HttpRequest,
  HttpResponse,
  Mount,
  PortSpec,
  Reading,
  RenderedFile,
  Resources,
} from '../stack/model.ts';
export { Secret } from '../stack/secret.ts';
export type { Service } from '../stack/service.ts';
export { enabledServices, findService, services } from '../stack/services.ts';
export { type Changed, type ChangeOptions, changeStack } from './apply/change.ts';
export { type RollBackOptions, type RolledBack, rollBack } from './apply/roll-back.ts';
export type { Run } from './apply/run.ts';
export { type TakeDownOptions, type TakenDown, takeDown } from './apply/take-down.ts';
export { checkRendering } from './check/check.ts';
export { containerRunner } from './check/container-runner.ts';
export { hostRunner } from './check/host-runner.ts';
export type { CheckJob, CheckRun, CheckRunner, FindImage, OpenRunner } from './check/runner.ts';
export { printDiagnostics } from './cli/print/diagnostics.ts';
export { type LoadOptions, loadStack } from './config/load.ts';
export type { LoadedStack, LoadedUserFile, StackOrigin } from './config/loaded.ts';
export { stackJsonSchema } from './config/schema.ts';
export type { ConnectOptions } from './engine/connect.ts';
export * from './engine/engine.ts';
export { ensureImages, findImages } from './engine/images/ensure.ts';
export type { ImageOutcome, RequiredImage } from './engine/images/outcome.ts';
export type { Notification } from './inspect/notifications.ts';
export type { ServiceStatus, StatusProblem } from './inspect/probe.ts';
export { type StackStatus, takeStatus } from './inspect/status.ts';
export { type OpenOptions, openStack } from './library/open-stack.ts';
export type { PushGroup, RunningStack, WaitOptions } from './library/running-stack.ts';
export type { StackFiles, StackInput } from './library/stack-source.ts';
export { type StartOptions, startStack } from './library/start-stack.ts';
export { OtherOriginError } from './plan/origin.ts';
export type { Change, Plan, Step } from './plan/plan.ts';
export { planStack } from './plan/plan-stack.ts';
export { type RenderOptions, render } from './render/render.ts';
export type { Rendering, ServiceRendering } from './render/rendering.ts';
export { loadTemplates, type TemplateSet } from './render/templates.ts';
export type { QueriedSample, RunningAlert } from './servers/prometheus.ts';
export {
  type BatchJob,
  type BatchOptions,
  createPusher,
  type MetricsSource,
  type Pusher,
  type PusherOptions,
  withPush,
} from './servers/pushgateway/pusher.ts';

export { type Clock, systemClock } from './util/clock.ts';
export type { Event, Report } from './util/event.ts';
export type { Result } from './util/result.ts';
export { InputError, InterruptedError, StackError } from './util/stack-error.ts';
export { version } from './util/version.ts';
export { type WatchStackOptions, watchStack } from './watch/watch-stack.ts';

/** Connects to a container engine; rejects with a StackError that lists every address tried. Loads the Docker client on demand. */
export async function connect(options: ConnectOptions): Promise<Engine> {
  const { connect: connectEngine } = await import('./engine/connect.ts');
  return connectEngine(options);
}
