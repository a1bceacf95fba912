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
import { loadTemplates } from '../../render/templates.ts';
import { currentPassword, passwordStore } from '../../servers/grafana/password.ts';
import { specOf } from '../../state/names.ts';
import { packageRoot } from '../../util/package-root.ts';
import { freePort, isPortTaken } from '../../util/ports.ts';
import type { Result } from '../../util/result.ts';
import { InputError } from '../../util/stack-error.ts';

/** Services the demo runs without when their image is not available. */
const optional: ReadonlySet<string> = new Set(['grafana']);

/** The demo as it runs. */
export interface RunningDemo {
  readonly changed: Changed;
  /** Services that were left out, with the image that is missing and why. */
  readonly leftOut: readonly { readonly service: string; readonly image: string; readonly why: string }[];
  /** The password of Grafana's admin; undefined when the demo runs without Grafana. */
  readonly password: Secret | undefined;
}

/** The name of the demo's stack, the one in its stack.yml; of a further one, `promstack-demo-<further>`. */
export function demoStackName(further?: string): string {
  return further === undefined ? 'promstack-demo' : `promstack-demo-${further}`;
}

/** Brings up the demo's stack by its name, without the optional services whose image is not available. */
export async function bringUpDemo(options: Run & { readonly name: string }): Promise<RunningDemo> {
  const { engine, name, env, report, signal } = options;
  const loaded = await loadDemo(engine, env, name);
  const templates = await loadTemplates(join(loaded.folder, 'templates'));
  const whole = valueOrThrow(render(loaded, templates));
  const wanted = whole.services
    .filter(({ service }) => optional.has(service.name))
    .map(({ service, container }) => ({ service: service.name, reference: container.image }));
  const missing = missingImages(await ensureImages(engine, wanted, whole.config.images, report, signal));
  const leftOut = missing.map((one) => ({ service: one.service, image: one.reference, why: describeMissing(one) }));
  for (const { service, why } of leftOut) {
    report({ kind: 'warning', text: `the demo runs without ${service}: ${why}` });
  }
  const without = leftOut.map(({ service }) => service);
  const rendering = without.length === 0 ? whole : valueOrThrow(render(loaded, templates, { without }));
  const changed = await changeStack({ ...options, rendering, command: 'demo' });
  const hasGrafana = rendering.config.grafana.enabled;
  const password = hasGrafana ? await currentPassword({ kept: passwordStore(engine, rendering.config) }) : undefined;
  return { changed, leftOut, password };
}

/** Loads the demo's stack.yml; each service gets the host port it has, else its usual one, else a free one. */
async function loadDemo(
  engine: Engine,
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): Promise<LoadedStack> {
  const file = join(packageRoot(), 'stack', 'demo', 'stack.yml');
  const { config } = valueOrThrow(await loadStack({ file, cwd: process.cwd(), env }));
  const running = await engine.listContainers({ [stackLabel]: name });
  const present = new Map(
    running.flatMap((one) => (specOf(one)?.ports ?? []).map((port) => [specOf(one)?.service, port.host])),
  );
  const held = (await engine.listContainers({})).flatMap((one) => one.hostPorts);
  const ports: Record<string, { port: number }> = {};
  for (const service of services) {
    const usual = service.hostPort(config);
    if (usual === undefined) continue;
    const isTaken = takesOneOf(held, [{ bind: config.bind, host: usual }]) || (await isPortTaken(config.bind, usual));
    ports[service.name] = { port: present.get(service.name) ?? (isTaken ? await freePort(config.bind) : usual) };
  }
  return valueOrThrow(await loadStack({ file, cwd: process.cwd(), env, overrides: { name, ...ports } }));
}

/** The demo's own files ship with promstack: a mistake in them is reported like one in a user's. */
function valueOrThrow<T>(result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  return result.value;
}
