import { type Changed, changeStack } from '../apply/change.ts';
import { crashAfter } from '../apply/crash-point.ts';
import type { Run } from '../apply/run.ts';
import { startStop } from '../apply/start-stop.ts';
import { findBelongings, takeDown } from '../apply/take-down.ts';
import type { StackEdit } from '../config/edit-files.ts';
import type { VolumeSummary } from '../engine/engine.ts';
import { roleLabel, stackLabel } from '../engine/labels.ts';
import type { Rendering } from '../render/rendering.ts';
import { takeLock } from '../state/lock.ts';
import { names } from '../state/names.ts';
import { InterruptedError, StackError } from '../util/stack-error.ts';
import { listData, proveSameData } from './backup/proof.ts';
import { openVolumeHelper } from './helper.ts';

/** The name that a volume was copied from by `rename`. */
const renamedLabel = 'dev.promstack.renamed-from';
/** On the copied volumes of a stack that ran, which a killed rename has stopped. */
const ranLabel = 'dev.promstack.renamed-running';
/** In a copied volume until stack.yml has the new name; its text is `complete` once all is copied. */
const marker = '.promstack-rename';

export interface RenameOptions extends Run {
  readonly to: string;
  readonly before: Rendering;
  /** An image with a shell. */
  readonly image: string;
  /** Sets the name in stack.yml. */
  readonly edit: StackEdit;
  /** The rendering of stack.yml once it has the new name. */
  renderAfter(): Promise<Rendering>;
}

export interface Renamed {
  /** Undefined for a stack that did not run. */
  readonly changed: Changed | undefined;
  readonly copied: readonly { readonly from: string; readonly to: string }[];
}

interface Copy {
  /** The names of the volumes, and the one that both have within their stack. */
  readonly from: string;
  readonly to: string;
  readonly part: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Copies the volumes of a stack to those of another name, and starts it under that; the old volumes stay as they are. */
export async function rename(options: RenameOptions): Promise<Renamed> {
  const { engine, env, before, to, edit, report, clock, signal } = options;
  const { origin } = before;
  const stack = before.config.name;
  const { containers, volumes } = await findBelongings(engine, stack);
  const copies = copiesOf(volumes, stack, to);
  const hadRun = await refuseTaken(options, copies);
  const isRunning = containers.some(({ state }) => state === 'running');
  // A rename that was killed has stopped the stack.
  const startsAfter = isRunning || hadRun;
  const data = isRunning ? await listData(options, before.config) : undefined;
  const run = { engine, env, report, clock, waitMs: options.waitMs };
  // An interrupt must not end the way back.
  const uninterrupted = { ...run, signal: new AbortController().signal };
  let isDown = false;
  try {
    const ran = startsAfter ? { [ranLabel]: 'true' } : {};
    for (const { to: volume, labels } of copies) await engine.createVolume(volume, { ...labels, ...ran });
    if (isRunning) await startStop({ ...run, signal, stack, origin, verb: 'stop', choose: (all) => all });
    crashAfter(env, 'rename', 'stop');
    if (copies.length > 0) await copyVolumes(options, copies);
    crashAfter(env, 'rename', 'copy');
    isDown = true;
    await takeDown({ ...uninterrupted, stack, origin, volumes: false });
    crashAfter(env, 'rename', 'down');
    await edit.apply();
    crashAfter(env, 'rename', 'write');
    await removeMarkers(options, copies);
    crashAfter(env, 'rename', 'mark');
    const after = await options.renderAfter();
    const copied = copies.map(({ from, to: name }) => ({ from, to: name }));
    if (!startsAfter) return { changed: undefined, copied };
    const changed = await changeStack({ ...run, signal, rendering: after, command: 'rename', hasChanged: true });
    if (data !== undefined) await proveSameData(options, after.config, data);
    return { changed, copied };
  } catch (cause) {
    const left = await goBack();
    if (signal.aborted) throw new InterruptedError({ left, cause: signal.reason });
    const error = cause instanceof StackError ? cause : undefined;
    const why = error === undefined ? String(cause) : `${error.doing}: ${error.why}`;
    const doing = `renaming the stack ${stack} to ${to}`;
    throw new StackError({ doing, why: `${why}\n  ${left}`, tryThis: error?.tryThis, cause });
  }

  async function goBack(): Promise<string> {
    try {
      if (isDown) await edit.undo();
      await takeDown({ ...uninterrupted, stack: to, volumes: false });
      for (const copy of copies) {
        if ((await engine.findVolume(copy.to))?.labels[renamedLabel] === stack) await engine.removeVolume(copy.to);
      }
      if (!startsAfter) return 'nothing was changed';
      await changeStack({ ...uninterrupted, rendering: before, command: 'rename', hasChanged: true });
      return `the stack runs as ${stack} again, with all its data`;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `going back to ${stack} failed as well: ${why}; its data is in its volumes: \`promstack up\` starts it`;
    }
  }
}

function copiesOf(volumes: readonly VolumeSummary[], stack: string, to: string): readonly Copy[] {
  return volumes.flatMap(({ name, labels }): Copy[] => {
    if (!name.startsWith(`${stack}-`) || labels[roleLabel] === 'lock' || labels[roleLabel] === 'owner') return [];
    const part = name.slice(stack.length + 1);
    const own = Object.fromEntries(Object.entries(labels).filter(([key]) => key !== renamedLabel && key !== ranLabel));
    return [{ from: name, to: `${to}-${part}`, part, labels: { ...own, [stackLabel]: to, [renamedLabel]: stack } }];
  });
}

/** Refuses a name that something on the engine has, but for what a killed rename has left; returns whether the stack ran before that. */
async function refuseTaken(
  { engine, before, to, image, signal }: RenameOptions,
  copies: readonly Copy[],
): Promise<boolean> {
  const stack = before.config.name;
  const refuse = (what: string, tryThis: string): never => {
    throw new StackError({
      doing: `renaming the stack ${stack} to ${to}`,
      why: `${what} on the engine already`,
      tryThis,
    });
  };
  const other = 'use another name';
  const containers = await engine.listContainers({});
  const own = new Set(before.services.map(({ service }) => names.container(to, service.name)));
  const taken = containers.find(({ name, labels }) => own.has(name) || labels[stackLabel] === to);
  if (taken !== undefined) refuse(`the container ${taken.name} is`, other);
  const network = (await engine.listNetworks({})).find(({ name }) => name === names.network(to));
  if (network !== undefined) refuse(`the network ${network.name} is`, other);
  const left = (await engine.listVolumes({})).filter(
    ({ name, labels }) => labels[stackLabel] === to || copies.some((copy) => copy.to === name),
  );
  const foreign = left.find(({ labels }) => labels[renamedLabel] !== stack);
  const remove = `${other}; or \`promstack down -p ${to} --volumes\` deletes its data`;
  if (foreign !== undefined) refuse(`the volume ${foreign.name} is`, remove);
  const known = copies.filter((copy) => left.some(({ name }) => name === copy.to));
  if (known.length === 0) return false;
  // A copy that a server has written to is not what a killed rename has left.
  const script = known.map(
    ({ part }) => `[ -e /to/${part}/${marker} ] || { [ -z "$(ls -A /to/${part})" ] || exit 3; }
if grep -q complete /to/${part}/${marker} 2>/dev/null && find /to/${part} -newer /to/${part}/${marker} -type f | grep -q .; then exit 3; fi`,
  );
  await using helper = await openVolumeHelper(engine, {
    ...{ stack, what: 'rename', image, signal, script: script.join('\n') },
    mounts: known.map(({ to: volume, part }) => ({ volume, target: `/to/${part}`, readOnly: true })),
  });
  const { exitCode } = await helper.run();
  if (exitCode === 3) refuse(`data of a stack ${to} is`, remove);
  return left.some(({ labels }) => labels[ranLabel] !== undefined);
}

async function copyVolumes(options: RenameOptions, copies: readonly Copy[]): Promise<void> {
  const { engine, before, image, report, clock, signal } = options;
  const stack = before.config.name;
  await using _lock = await takeLock({ ...options, stack, command: 'rename' });
  const list = `find . -mindepth 1 ! -name ${marker} ! -type d -exec stat -c "%n %s %u %g %a" {} + | sort | md5sum`;
  const script = copies.map(
    ({ part }) => `echo copying > /to/${part}/${marker}
find /to/${part} -mindepth 1 -maxdepth 1 ! -name ${marker} -exec rm -rf {} ';'
cp -a /from/${part}/. /to/${part}/
[ "$(cd /from/${part} && ${list})" = "$(cd /to/${part} && ${list})" ] || { echo "the copy of ${part} differs" >&2; exit 1; }`,
  );
  const done = copies.map(({ part }) => `echo complete > /to/${part}/${marker}`);
  const [id, what] = ['copy', `copy ${copies.length} volumes`];
  const began = clock.now();
  report({ kind: 'started', id, what });
  await using helper = await openVolumeHelper(engine, {
    ...{ stack, what: 'rename', image, signal, script: `set -e\n${[...script, 'sync', ...done].join('\n')}` },
    mounts: copies.flatMap(({ from, to, part }) => [
      { volume: from, target: `/from/${part}`, readOnly: true },
      { volume: to, target: `/to/${part}`, readOnly: false },
    ]),
  });
  const running = helper.run();
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  running.then(over, over);
  let total: number | undefined;
  while (!isOver) {
    total ??= await kilobytes(engine, helper.id, '/from');
    const copied = await kilobytes(engine, helper.id, '/to');
    if (total !== undefined && copied !== undefined && !isOver) {
      const detail = `${Math.round(copied / 1000)} of ${Math.round(total / 1000)} MB`;
      report({ kind: 'progress', id, what, detail, fraction: Math.min(1, copied / total) });
    }
    await Promise.race([running.then(over, over), clock.sleep(500, signal).catch(() => undefined)]);
  }
  const { exitCode, output } = await running;
  if (exitCode !== 0) {
    report({ kind: 'failed', id, what, why: output });
    throw new StackError({ doing: what, why: output, tryThis: 'is there space on the disk of the engine?' });
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
}

/** The size of a folder of a running container; undefined when it has ended. */
async function kilobytes(
  engine: RenameOptions['engine'],
  container: string,
  path: string,
): Promise<number | undefined> {
  try {
    const { exitCode, stdout } = await engine.exec(container, ['du', '-sk', path]);
    return exitCode === 0 ? Number(/^\d+/.exec(stdout)?.[0]) : undefined;
  } catch {
    return undefined;
  }
}

async function removeMarkers({ engine, to, image, signal }: RenameOptions, copies: readonly Copy[]): Promise<void> {
  if (copies.length === 0) return;
  await using helper = await openVolumeHelper(engine, {
    ...{ stack: to, what: 'rename', image, signal, script: `rm -f /to/*/${marker}` },
    mounts: copies.map(({ to: volume, part }) => ({ volume, target: `/to/${part}`, readOnly: false })),
  });
  await helper.run();
}
