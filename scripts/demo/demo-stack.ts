import { createServer } from 'node:net';
import { join } from 'node:path';
import { services } from '../../stack/services.ts';
import { loadStack } from '../config/load.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { Engine } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { specOf } from '../plan/observe.ts';
import { packageRoot } from '../util/package-root.ts';
import type { Result } from '../util/result.ts';

/** The demo's stack, by the name its stack.yml gives it. */
export const demoStackName = 'promstack-demo';

/** The folder of the demo's stack.yml, rules and templates. */
export function demoFolder(): string {
  return join(packageRoot(), 'templates', 'demo');
}

/** Loads the demo's stack.yml with a host port for each service: the one it has, else its usual one, else a free one. */
export async function loadDemo(
  engine: Engine,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Result<LoadedStack>> {
  const file = join(demoFolder(), 'stack.yml');
  const plain = await loadStack({ file, cwd: process.cwd(), env });
  if (!plain.ok) return plain;
  const running = await engine.listContainers({ [stackLabel]: demoStackName });
  const kept = new Map(
    running.flatMap((one) => (specOf(one)?.ports ?? []).map((port) => [specOf(one)?.service, port.host])),
  );
  const held = new Set((await engine.listContainers({})).flatMap((one) => one.hostPorts));
  const overrides: Record<string, { port: number }> = {};
  for (const service of services) {
    const usual = service.hostPort(plain.value.config);
    if (usual === undefined) continue;
    const port = kept.get(service.name) ?? (held.has(usual) || !(await isFree(usual)) ? await freePort() : usual);
    overrides[service.name] = { port };
  }
  return loadStack({ file, cwd: process.cwd(), env, overrides });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port the system says is free; it can be taken until it is used, and then `up` says by whom. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
