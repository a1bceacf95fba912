import * as z from 'zod';
import { andList, counted } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Pin, type Pins, pinOf } from '../../engine/images/pins.ts';
import { hasVisibleSteps } from '../../plan/plan.ts';
import { planStack } from '../../plan/plan-stack.ts';
import type { Rendering } from '../../render/rendering.ts';
import { findContainers } from '../../state/find-stack.ts';
import { changedPins, lockFilePath, readLockFile, writeLockFile } from '../../state/lock-file.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { table } from '../print/table.ts';
import { defineCommand } from './command.ts';
import { renderAndConnect } from './stages.ts';

export const lock = defineCommand({
  details:
    'Pins each image of the running stack: by its digest in a registry, by the versions of its packages when promstack built ' +
    'it, or by its id when it was loaded from a file. Only a stack that runs as stack.yml says is pinned: its images have been ' +
    'validated together. `promstack up --locked` takes these images and no others, wherever their tags are then.',
  examples: [
    { line: 'images lock', what: 'write stack.lock beside stack.yml' },
    { line: 'images lock --check', what: 'exit 1 if the running images are not those of stack.lock' },
  ],
  syntax: (blank) => blank.option('--check', 'compare with stack.lock and write nothing'),
  json: () =>
    z.strictObject({
      file: z.string(),
      images: z.array(
        z.strictObject({
          name: z.string().describe('of stack.yml, or the default'),
          image: z.string().describe('the one that runs'),
          digest: z.string().optional().describe('in a registry'),
          packages: z.string().optional().describe('of an image that promstack built'),
          id: z.string().describe('on this engine'),
        }),
      ),
      changed: z.array(z.string()).describe('names of the images whose pins differ from those of the file before'),
    }),
  run: async (context, { check = false }) => {
    const connected = await renderAndConnect(context, { needsSecrets: false });
    await using engine = connected.engine;
    const { rendering } = connected;
    const path = requireLockPath(rendering);
    const pins = await pinsOf(engine, rendering);
    const before = await readLockFile(path, context.cwd);
    const changed = changedPins(before, pins);
    if (!check && changed.length > 0) await writeLockFile(path, pins);
    const images = [...pins].map(([name, pin]) => ({ name, ...pin }));
    context.result({ file: path, images, changed: [...changed] });
    const { dim } = context.stdout.colours;
    const rows = images.map(({ name, ...pin }) => [name, pin.image === name ? '' : pin.image, pinText(pin)]);
    const columns = context.stdout.columns();
    context.stdout.write(table([['IMAGE', 'RUNS AS', 'PINNED BY'].map(dim), ...rows], { columns }));
    const file = displayPath(path, context.cwd);
    if (changed.length === 0) {
      context.report({ kind: 'note', isResult: true, text: `${file} has these images` });
      return exitCodes.fine;
    }
    if (check) {
      const text = `${file} ${before === undefined ? 'does not exist' : `has other images than run: ${andList(changed, '')}`}`;
      context.report({ kind: 'warning', isResult: true, text });
      return exitCodes.refused;
    }
    const text = `wrote ${file}: ${counted(pins.size, 'image')}, ${changed.length === pins.size ? 'all' : changed.length} new`;
    context.report({ kind: 'note', isResult: true, text });
    return exitCodes.fine;
  },
});

/** `sha256:21a2…`, or the first packages. */
function pinText({ digest, packages, id }: Pin): string {
  if (digest !== undefined) return `digest ${digest.slice(0, 19)}`;
  const count = packages?.split(', ').length;
  return count === undefined ? `id ${id.slice(0, 19)}` : `the versions of ${count} packages`;
}

/** The path of stack.lock; only a stack with a file has one. */
export function requireLockPath({ origin }: Pick<Rendering, 'origin'>): string {
  if (origin !== undefined) return lockFilePath(origin);
  throw new InputError([
    misuse('stack.lock is beside a stack.yml, and there is none', 'run it in the folder of stack.yml'),
  ]);
}

/** The pins of a stack that runs as stack.yml says; throws a StackError for any other. */
export async function pinsOf(engine: Engine, rendering: Rendering): Promise<Pins> {
  const stack = rendering.config.name;
  const doing = `pinning the images of ${stack}`;
  const containers = await findContainers(engine, stack);
  const { plan } = await planStack({ engine, rendering, recreate: false });
  if (hasVisibleSteps(plan)) {
    const why = 'it does not run as stack.yml says, so that its images have not been validated';
    throw new StackError({
      doing,
      why,
      tryThis: '`promstack plan` shows the differences, `promstack up` applies them',
    });
  }
  const pins = new Map<string, Pin>();
  for (const { service, container } of rendering.services) {
    const running = containers.get(service.name);
    const image = running && (await engine.findImage(running.imageId));
    if (running === undefined || image === undefined) {
      const why = `the image of ${service.name} is no longer on the engine`;
      throw new StackError({ doing, why, tryThis: '`promstack up`' });
    }
    pins.set(container.image, pinOf(running.image, image));
  }
  return pins;
}
