import type { History, HistoryEntry } from '../../state/history.ts';
import type { SwarmRecord } from '../../state/swarm/records.ts';
import type { RecordedTarget } from './observe.ts';
import { pathOf } from './release.ts';

/** The records of a swarm as a history; what is in it and the records have the same order. */
export function toHistory(records: readonly SwarmRecord<RecordedTarget>[]): History {
  let confirmed: RecordedTarget | undefined;
  const entries = records.map((record): HistoryEntry => {
    const { revision, at, who, command, version, state, target } = record;
    const changed = changedFiles(confirmed, target);
    if (state === 'confirmed') confirmed = target;
    const unfinished = 'promstack ended before it was confirmed';
    const refused = state === 'begun' ? unfinished : record.refused;
    return { revision, at, who, command, version, changed: [...changed], services: {}, ...(refused && { refused }) };
  });
  return { sequence: records.at(-1)?.sequence ?? 0, entries };
}

function changedFiles(before: RecordedTarget | undefined, after: RecordedTarget | undefined): readonly string[] {
  const filesOf = (target: RecordedTarget | undefined): ReadonlyMap<string, string> =>
    new Map(
      (target?.services ?? []).flatMap(({ service, files }) =>
        files.flatMap((file) =>
          file.isStamp === true ? [] : [[`${service}/${pathOf(file)}`, `${file.name} ${file.mode}`] as const],
        ),
      ),
    );
  const [old, now] = [filesOf(before), filesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
}
