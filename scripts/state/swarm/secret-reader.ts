import { randomBytes } from 'node:crypto';
import type { Engine } from '../../engine/engine.ts';
import { roleLabel } from '../../engine/labels.ts';
import type { MountedFile, SwarmFile, SwarmServiceSpec, SwarmTask } from '../../engine/swarm/swarm.ts';
import type { Clock } from '../../util/clock.ts';
import { addSecret } from '../../util/redaction.ts';
import { StackError } from '../../util/stack-error.ts';
import { type ClientImages, imageHere } from './client-image.ts';

/** The stack of what exists for the time of a command only, and is none of its services. */
export const helperStackLabel = 'dev.promstack.swarm.stack';
export const helperRole = 'reach';

/** How long its task lives, also when promstack was killed. */
const lifeSeconds = 60;
/** How long a node may take to start it. */
const startMs = 30_000;
const pauseMs = 100;
const user = 65_534;

export interface SecretReading {
  readonly stack: string;
  readonly image: ClientImages;
  readonly secrets: readonly Pick<SwarmFile, 'name' | 'id'>[];
  /** Makes what was read known to the redaction; by default the whole text. */
  readonly onRead?: ((name: string, text: string) => void) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Reads secrets of the swarm, by their names. Its managers show them to nobody but tasks: so one with them runs for a moment on the
 * node of this engine, without a network, and promstack reads its files. They are in its memory only, and in no log.
 */
export async function readSecrets(engine: Engine, reading: SecretReading): Promise<ReadonlyMap<string, string>> {
  const { stack, secrets, clock, signal, onRead = (_, text) => addSecret(text) } = reading;
  if (secrets.length === 0) return new Map();
  const { swarm } = engine;
  await removeLeftReaders(engine, stack, 'ended');
  const image = await imageHere(engine, reading.image, signal);
  const [{ node = '' }, nodes] = await Promise.all([swarm.membership(), swarm.listNodes()]);
  const own = nodes.find(({ id }) => id === node);
  if (own?.isActive === false) throw unreadable(stack, `the node ${own.name} takes no tasks`);
  const name = `${stack}-reach-${randomBytes(4).toString('hex')}`;
  const files = secrets.map((secret, at): MountedFile => {
    return { kind: 'secret', name: secret.name, target: `/run/secrets/${at}`, uid: user, gid: user, mode: 0o400 };
  });
  const labels = { [helperStackLabel]: stack, [roleLabel]: helperRole };
  const spec: SwarmServiceSpec = {
    ...{ name, alias: name, image, entrypoint: ['sleep', String(lifeSeconds)], args: [], env: {}, hostname: name },
    ...{ user: `${user}:${user}`, replicas: 1, constraints: [`node.id==${node}`], files, mounts: [], ports: [] },
    ...{ networks: [], stopTimeoutSeconds: 0, isRestarted: false, containerLabels: labels, labels },
  };
  const ids = new Map(secrets.map((secret) => [secret.name, secret.id]));
  await swarm.createService(spec, { network: undefined, networks: new Map(), files: ids, parallelism: 1 });
  try {
    const container = await containerOf(engine, name, clock, signal);
    const read = secrets.map(async (secret, at): Promise<readonly [string, string]> => {
      const { exitCode, stdout, stderr } = await engine.exec(container, ['cat', `/run/secrets/${at}`], { signal });
      if (exitCode !== 0) throw unreadable(stack, stderr.trim());
      onRead(secret.name, stdout);
      return [secret.name, stdout];
    });
    return new Map(await Promise.all(read));
  } finally {
    await remove(engine, name);
  }
}

/** Waits for the container of a service with one task, which is to run on the node of the engine. */
async function containerOf(engine: Engine, service: string, clock: Clock, signal: AbortSignal): Promise<string> {
  const { swarm } = engine;
  for (const end = clock.now() + startMs; ; ) {
    const found = await engine.listContainers({ 'com.docker.swarm.service.name': service });
    const running = found.find(({ state }) => state === 'running');
    if (running !== undefined) return running.id;
    const [own] = (await swarm.listServices({ [roleLabel]: helperRole })).filter(({ name }) => name === service);
    const tasks: readonly SwarmTask[] = own === undefined ? [] : await swarm.listTasks([own.id]);
    const failed = tasks.find(({ state }) => ['failed', 'rejected', 'complete'].includes(state));
    const why = (failed ?? tasks[0])?.why;
    if (failed !== undefined || clock.now() > end) throw unreadable(service, why ?? 'its task has not started');
    await clock.sleep(pauseMs, signal);
  }
}

function unreadable(service: string, why: string): StackError {
  return new StackError({
    doing: `reading secrets of the swarm in a task on this node (${service})`,
    why,
    tryThis:
      'use a manager that takes tasks (docker node ls), and whose node has the images of the stack: DOCKER_HOST=ssh://MANAGER',
  });
}

async function remove({ swarm }: Engine, service: string): Promise<void> {
  const left = await swarm.listServices({ [roleLabel]: helperRole });
  for (const each of left) if (each.name === service) await swarm.removeService(each);
}

/** Removes the services that promstacks that were killed have left: those whose task has ended, or all of a stack that is taken down. */
export async function removeLeftReaders({ swarm }: Engine, stack: string, which: 'all' | 'ended'): Promise<void> {
  for (const service of await swarm.listServices({ [helperStackLabel]: stack, [roleLabel]: helperRole })) {
    const tasks = await swarm.listTasks([service.id]);
    const isEnded = tasks.length > 0 && tasks.every(({ state }) => ['complete', 'failed', 'rejected'].includes(state));
    if (which === 'all' || isEnded) await swarm.removeService(service);
  }
}
