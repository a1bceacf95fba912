import { join } from 'node:path';
import { services } from '../../../stack/services.ts';
import { loadStack } from '../../config/load.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import { takesOneOf } from '../../plan/ports.ts';
import { specOf } from '../../state/names.ts';
import { packageRoot } from '../../util/package-root.ts';
import { freePort, isPortTaken } from '../../util/ports.ts';
import type { Result } from '../../util/result.ts';

/** The name of the demo's stack, which stands in its stack.yml too; that of a further one, `promstack-demo-<further>`. */
export function demoStackName(further?: string): string {
  return further === undefined ? 'promstack-demo' : `promstack-demo-${further}`;
}

/** The folder of the demo's stack.yml, rules and templates. */
export function demoFolder(): string {
  return join(packageRoot(), 'stack', 'demo');
}

/** Loads the demo's stack.yml with a host port for each service: the one it has, else its usual one, else a free one. */
export async function loadDemo(
  engine: Engine,
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): Promise<Result<LoadedStack>> {
  const file = join(demoFolder(), 'stack.yml');
  const plain = await loadStack({ file, cwd: process.cwd(), env });
  if (!plain.ok) return plain;
  const running = await engine.listContainers({ [stackLabel]: name });
  const kept = new Map(
    running.flatMap((one) => (specOf(one)?.ports ?? []).map((port) => [specOf(one)?.service, port.host])),
  );
  const held = (await engine.listContainers({})).flatMap((one) => one.hostPorts);
  const { bind } = plain.value.config;
  const ports: Record<string, { port: number }> = {};
  for (const service of services) {
    const usual = service.hostPort(plain.value.config);
    if (usual === undefined) continue;
    const isTaken = takesOneOf(held, [{ bind, host: usual }]) || (await isPortTaken(bind, usual));
    const port = kept.get(service.name) ?? (isTaken ? await freePort(bind) : usual);
    ports[service.name] = { port };
  }
  return loadStack({ file, cwd: process.cwd(), env, overrides: { name, ...ports } });
}
