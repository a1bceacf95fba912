import { randomBytes, randomInt } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa, type Result } from 'execa';
import { stringify } from 'yaml';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { isPortTaken } from '../../scripts/util/ports.ts';
import { removeNetwork } from './engine.ts';
import { withCheckedJson } from './json-output.ts';

/** The built program. */
export const binary = join(packageRoot(), 'dist', 'scripts', 'promstack.cjs');

/** The result of a run of the program. */
export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a stack.yml with a unique name and free ports; disposing it removes the stack with its volumes. */
export interface StackFolder extends AsyncDisposable {
  readonly name: string;
  readonly path: string;
  readonly ports: Readonly<Record<'pushgateway' | 'prometheus' | 'alertmanager' | 'grafana' | 'sink', number>>;
  /** Writes a file below the folder in one step, so that a watch never reads half of it, and creates its parent folders. */
  write(file: string, content: string): Promise<void>;
  /** Writes stack.yml: these keys laid over the folder's name, ports and image source. */
  configure(keys: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs the program in the folder and never throws for its exit code. */
  run(...args: readonly string[]): Promise<Run>;
  /** Starts the program in the folder without waiting for it. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<typeof spawnProgram>;
  url(service: keyof StackFolder['ports'], path?: string): string;
}

/** Creates a stack folder; `keys` override its defaults, which are without Grafana and with the sink. */
export async function stackFolder(keys: Readonly<Record<string, unknown>> = {}): Promise<StackFolder> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  const [pushgateway = 0, prometheus = 0, alertmanager = 0, grafana = 0, sink = 0] = await freePorts(5);
  const ports = { pushgateway, prometheus, alertmanager, grafana, sink };
  const write = async (file: string, content: string): Promise<void> => {
    const target = join(path, file);
    const fresh = `${path}.${randomBytes(4).toString('hex')}.new`;
    await mkdir(dirname(target), { recursive: true });
    const former = await stat(target).catch(() => undefined);
    await writeFile(fresh, content);
    if (former !== undefined) await chmod(fresh, former.mode);
    await rename(fresh, target);
  };
  const configure = (more: Readonly<Record<string, unknown>>): Promise<void> =>
    write('stack.yml', stringify(layOver(defaults(name, ports), more)));
  const run = async (...args: readonly string[]): Promise<Run> => toRun(await spawnProgram(binary, path, args));
  await configure(keys);
  return {
    name,
    path,
    ports,
    write,
    configure,
    run,
    start: (args, env = {}) => spawnProgram(binary, path, args, env),
    url: (service, below = '') => `http://127.0.0.1:${ports[service]}${below}`,
    [Symbol.asyncDispose]: async () => {
      const down = await run('down', '--name', name, '--volumes', '--yes', '--json');
      await rm(path, { recursive: true, force: true });
      if (down.exitCode !== 0 && !(await removeLeftNetworks(name, down)))
        throw new Error(`the stack ${name} could not be removed: ${down.stdout}`);
    },
  };
}

/**
 * Removes what a `down` has left that failed only because the engine still counts endpoints of removed containers in a network. False
 * when it failed for another reason.
 */
async function removeLeftNetworks(name: string, { stdout }: Run): Promise<boolean> {
  if (!stdout.includes('is still connected to it')) return false;
  await using engine = await connect({ env: process.env });
  const labels = { [stackLabel]: name };
  if ((await engine.listContainers(labels)).length > 0) return false;
  for (const network of await engine.listNetworks(labels)) await removeNetwork(engine, network);
  // A failed step of `down` keeps the others from starting.
  for (const volume of await engine.listVolumes(labels)) await engine.removeVolume(volume.name);
  return true;
}

/** The result of a finished process. */
export function toRun(result: Pick<Result, 'exitCode' | 'stdout' | 'stderr'>): Run {
  return { exitCode: result.exitCode ?? -1, stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? '') };
}

/** Starts a built program in a folder; never throws for its exit code. */
export function spawnProgram(
  program: string,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const running = execa('node', [program, ...args], {
    cwd,
    reject: false,
    env: { NO_COLOR: '1', ...env },
    stripFinalNewline: false,
  });
  // Other programs are earlier versions.
  return program === binary ? withCheckedJson(args, running) : running;
}

function defaults(name: string, ports: StackFolder['ports']): Record<string, unknown> {
  return {
    name,
    images: { source: 'auto' },
    pushgateway: { port: ports.pushgateway },
    prometheus: { port: ports.prometheus },
    alertmanager: { port: ports.alertmanager },
    grafana: { enabled: false, port: ports.grafana },
    sink: { enabled: true, port: ports.sink },
  };
}

/** Maps are merged, everything else is replaced. */
function layOver(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? layOver(below, value) : value;
  }
  return merged;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Below those that the system hands out by itself. */
const firstPort = 20_000;
const portCount = 12_000;
const claimMs = 30 * 60_000;

/** Ports that nobody listens on, and that no other test gets for half an hour: tests run beside each other. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const claims = join(tmpdir(), 'promstack-test-ports');
  await mkdir(claims, { recursive: true });
  const ports: number[] = [];
  while (ports.length < count) {
    const port = firstPort + randomInt(portCount);
    if ((await claim(join(claims, String(port)))) && !(await isPortTaken('127.0.0.1', port))) ports.push(port);
  }
  return ports;
}

/** Creating a folder is atomic: only one of two concurrent calls succeeds. */
async function claim(folder: string): Promise<boolean> {
  const age = await stat(folder).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
  if (age !== undefined && age > claimMs) await rmdir(folder).catch(() => undefined);
  return mkdir(folder).then(
    () => true,
    () => false,
  );
}
