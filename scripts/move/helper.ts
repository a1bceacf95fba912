import { randomBytes } from 'node:crypto';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { baseLabels, roleLabel, stackLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';

/** A container that runs a script on volumes as root, without network; disposing it removes it. */
export interface VolumeHelper extends AsyncDisposable {
  readonly id: string;
  /** Runs the script once, and again at each further call; returns its exit code and the end of its output. */
  run(): Promise<{ readonly exitCode: number; readonly output: string }>;
}

/** What the script may do beyond an ordinary user: all files belong to other users. */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'];

/** Removes the helpers that killed commands of a kind have left; none may be under way. */
export async function removeHelpers(engine: Engine, stack: string, what: string): Promise<void> {
  const all = await engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'check' });
  const left = all.filter(({ name }) => name.startsWith(`${stack}-${what}-`) && /-[0-9a-f]{8}$/.test(name));
  for (const { id } of left) await engine.removeContainer(id);
}

/** Creates a helper whose script gets `args` as `$1` and so on; a killed command leaves it to the next `up` or the next command of its kind, which remove it. */
export async function openVolumeHelper(
  engine: Engine,
  {
    stack,
    what,
    image,
    script,
    args = [],
    mounts,
    signal,
  }: {
    readonly stack: string;
    /** For its name: `backup`. */
    readonly what: string;
    readonly image: string;
    readonly script: string;
    readonly args?: readonly string[] | undefined;
    readonly mounts: readonly { readonly volume: string; readonly target: string; readonly readOnly: boolean }[];
    readonly signal: AbortSignal;
  },
): Promise<VolumeHelper> {
  const id = await engine.createHelper({
    name: `${stack}-${what}-${randomBytes(4).toString('hex')}`,
    image,
    user: '0:0',
    entrypoint: ['/bin/sh'],
    args: ['-c', script, 'sh', ...args],
    labels: baseLabels(stack, 'check'),
    capabilities,
    mounts,
  });
  return {
    id,
    run: async () => {
      const exit = engine.nextExit(id, signal);
      exit.catch(() => undefined);
      const since = new Date();
      signal.throwIfAborted();
      await engine.startContainer(id);
      const exitCode = await exit;
      const lines: string[] = [];
      for await (const { text } of engine.logs(id, { tail: 5, since })) lines.push(text);
      return { exitCode, output: lines.join('\n') };
    },
    [Symbol.asyncDispose]: () => engine.removeContainer(id),
  };
}

/** An image of the stack that has a shell. */
export async function shellImage(engine: Engine, containers: readonly ContainerSummary[]): Promise<string> {
  for (const { id, image } of containers) {
    if (await engine.hasProgram(id, '/bin/sh')) return image;
  }
  throw new StackError({
    doing: 'copying the data',
    why: 'no image of the stack has a shell',
    tryThis: 'use an image with busybox for one service, such as the default images',
  });
}
