import { services } from '../../stack/services.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { type ConfigFiles, openConfigFiles } from '../state/config-files.ts';
import { type History, lastConfirmed, readHistory } from '../state/history.ts';
import { configWriterRole, names } from '../state/names.ts';
import { StackError } from '../util/stack-error.ts';

/** A stack as the engine alone knows it, without its stack.yml. */
export interface FoundStack {
  readonly stack: string;
  /** By service, in the order the data flows. */
  readonly containers: ReadonlyMap<string, ContainerSummary>;
  readonly files: ConfigFiles;
  readonly history: History;
}

/** Finds a stack by its name; a StackError when nothing is left of it by which its history could be read. */
export async function findStack(engine: Engine, stack: string): Promise<FoundStack> {
  const all = await engine.listContainers({ [stackLabel]: stack });
  const containers = new Map(
    services.flatMap(({ name }): [string, ContainerSummary][] => {
      const found = all.find(
        (one) =>
          one.name === names.container(stack, name) &&
          one.labels[roleLabel] === 'service' &&
          one.labels[serviceLabel] === name,
      );
      return found === undefined ? [] : [[name, found]];
    }),
  );
  const files = openConfigFiles(engine, stack);
  for (const [service, { id }] of containers) files.locate(service, id);
  const keeper = services.find(({ storesHistory }) => storesHistory === true)?.name ?? '';
  const hasConfigWriter = all.some(({ labels }) => labels[roleLabel] === configWriterRole);
  if (!containers.has(keeper) && !hasConfigWriter) {
    throw new StackError({
      doing: `reading the history of the stack ${stack}`,
      why: 'no container of it is on the engine, and the volumes that hold its history can only be read through one',
      tryThis: 'promstack up; its history goes on where it was',
    });
  }
  return { stack, containers, files, history: await readHistory(files, keeper) };
}

/** Services whose files in place are not those confirmed last: a change was cut short. */
export async function findUnconfirmed({ containers, files, history }: FoundStack): Promise<readonly string[]> {
  const confirmed = Object.entries(lastConfirmed(history)?.services ?? {}).filter(([name]) => containers.has(name));
  const looks = await Promise.all(
    confirmed.map(async ([name, { folder }]) =>
      (await files.readLink(name, 'current')) === `releases/${folder}` ? [] : [name],
    ),
  );
  return looks.flat();
}
