import { hostname } from 'node:os';
import { configMount } from '../../stack/values/container.ts';
import { userName } from '../apply/lock.ts';
import type { Engine } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import { hashFiles } from '../plan/files-hash.ts';
import { carrierRoot, names } from '../plan/names.ts';
import { type HistoryEntry, readHistory, writeHistory } from './history.ts';

/** Adds the desired revision to the stack's history as confirmed; `former` tells which files are new to it. */
export async function recordRevision(
  engine: Engine,
  desired: Desired,
  told: { readonly former: Desired | undefined; readonly command: string; readonly at: Date },
): Promise<void> {
  const keeper = keeperOf(desired);
  if (keeper === undefined) return;
  const carrier = names.carrier(desired.stack);
  const folder = `${carrierRoot}/${keeper}`;
  const entry: HistoryEntry = {
    revision: desired.revision,
    at: told.at.toISOString(),
    who: `${userName()}@${hostname()}`,
    command: told.command,
    changed: changedFiles(told.former, desired),
    services: Object.fromEntries(
      desired.services.flatMap(({ service, release }) => (release === undefined ? [] : [[service.name, release.revision]])),
    ),
  };
  await writeHistory(engine, carrier, folder, [...(await readHistory(engine, carrier, folder)), entry]);
}

/** The service whose config volume holds the history; undefined when the stack has none that can. */
export function keeperOf(desired: Pick<Desired, 'services'>): string | undefined {
  return desired.services.find((one) => one.service.keepsState === true)?.service.name;
}

/** Where the keeper's own container sees the history. */
export const historyMount = configMount;

/** `service/path` of each file that one state has and the other has not, or has otherwise. */
function changedFiles(former: Desired | undefined, desired: Desired): string[] {
  const before = filesOf(former);
  const after = filesOf(desired);
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();
}

function filesOf(state: Desired | undefined): Map<string, string> {
  return new Map(
    (state?.services ?? []).flatMap(({ service, release }) =>
      (release?.files ?? []).map((file): [string, string] => [`${service.name}/${file.path}`, hashFiles([file])]),
    ),
  );
}
