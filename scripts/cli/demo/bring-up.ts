import { join } from 'node:path';
import type { Secret } from '../../../stack/secret.ts';
import { services } from '../../../stack/services.ts';
import { type Changed, changeStack } from '../../apply/change.ts';
import type { Run } from '../../apply/run.ts';
import { loadStack } from '../../config/load.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import { describeMissing, missingImages } from '../../engine/images/outcome.ts';
import { stackLabel } from '../../engine/labels.ts';
import { takesOneOf } from '../../plan/ports.ts';
import { render } from '../../render/render.ts';
import type { Rendering } from '../../render/rendering.ts';
import { loadTemplates } from '../../render/templates.ts';
import { passwordStore, storedPasswords } from '../../servers/grafana/password.ts';
import { specOf } from '../../state/names.ts';
import { packageRoot } from '../../util/package-root.ts';
import { freePort, isPortTaken } from '../../util/ports.ts';
import type { Result } from '../../util/result.ts';
import { InputError } from '../../util/stack-error.ts';

/** Services that the demo omits when their image is not available. */
const optional: ReadonlySet<string> = new Set(['grafana']);

export interface RunningDemo {
  readonly changed: Changed;
  readonly rendering: Rendering;
  /** Renders its files again, which may have changed. */
  render(): Promise<Rendering>;
  /** The omitted services, each with its missing image and the reason. */
  readonly leftOut: readonly { readonly service: string; readonly image: string; readonly why: string }[];
  /** The password of Grafana's admin; undefined when the demo runs without Grafana. */
  readonly password: Secret | undefined;
}

/** The name of the demo's stack; with `--name`, `promstack-demo-NAME`. */
export function demoStackName(suffix?: string): string {
  return suffix === undefined ? 'promstack-demo' : `promstack-demo-${suffix}`;
}

/**
 * Brings up the demo's stack by its name, without the optional services whose image is not available. `folder` has the
 * stack.yml of a scenario.
 */
export async function bringUpDemo(
  options: Run & { readonly name: string; readonly folder?: string | undefined },
): Promise<RunningDemo> {
  const { engine, name, report, signal, folder = join(packageRoot(), 'stack', 'demo') } = options;
  const { loaded, load } = await loadDemo(engine, name, folder);
  const templates = await loadTemplates(join(folder, 'templates'));
  const whole = valueOrThrow(render(loaded, templates));
  const required = whole.services
    .filter(({ service }) => optional.has(service.name))
    .map(({ service, container }) => ({ service: service.name, reference: container.image }));
  const missing = missingImages(await ensureImages(engine, required, whole.config.images, report, signal));
  const leftOut = missing.map((image) => ({
    service: image.service,
    image: image.reference,
    why: describeMissing([image]),
  }));
  for (const { service, why } of leftOut) {
    report({ kind: 'warning', text: `the demo runs without ${service}: ${why}` });
  }
  const without = leftOut.map(({ service }) => service);
  const rendering = without.length === 0 ? whole : valueOrThrow(render(loaded, templates, { without }));
  const changed = await changeStack({ ...options, rendering, command: 'demo' });
  const hasGrafana = rendering.config.grafana.enabled;
  const kept = passwordStore(engine, rendering.config);
  const password = hasGrafana ? (await storedPasswords({ kept })).current : undefined;
  const again = async (): Promise<Rendering> => valueOrThrow(render(await load(), templates, { without }));
  return { changed, rendering, render: again, leftOut, password };
}

/** Loads the demo's stack.yml; each service gets its current host port, its default one or a free one, in this order. */
async function loadDemo(
  engine: Engine,
  name: string,
  folder: string,
): Promise<{ readonly loaded: LoadedStack; load(): Promise<LoadedStack> }> {
  // Variables for a stack of the user's are not for the demo.
  const env = {};
  const file = join(folder, 'stack.yml');
  const { config } = valueOrThrow(await loadStack({ file, cwd: folder, env }));
  const running = await engine.listContainers({ [stackLabel]: name });
  const currentPorts = new Map(
    running.flatMap((container) => {
      const spec = specOf(container);
      return (spec?.ports ?? []).map((port) => [spec?.service, port.host]);
    }),
  );
  const usedPorts = (await engine.listContainers({})).flatMap(({ hostPorts }) => hostPorts);
  const ports: Record<string, { port: number }> = {};
  for (const service of services) {
    const host = service.hostPort(config);
    if (host === undefined) continue;
    const isTaken = takesOneOf(usedPorts, [{ bind: config.bind, host }]) || (await isPortTaken(config.bind, host));
    ports[service.name] = { port: currentPorts.get(service.name) ?? (isTaken ? await freePort(config.bind) : host) };
  }
  const load = async () => valueOrThrow(await loadStack({ file, cwd: folder, env, overrides: { name, ...ports } }));
  return { loaded: await load(), load };
}

/** A mistake in the demo's files, which ship with promstack, is reported like one in a user's. */
function valueOrThrow<T>(result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  return result.value;
}
