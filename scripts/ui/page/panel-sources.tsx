import { computed } from '@preact/signals';
import type { PageGroup, PageTarget } from '../page-state.ts';
import { bytesText, causeText, countText } from './format.ts';
import { Columns, Nothing, Panel, PartedList, wrongIn } from './panel.tsx';
import { rowsByPart } from './rows.ts';
import { expanded, groups, targets } from './store.ts';
import { Age, labelsText, Name, StateWord } from './texts.tsx';

const groupName = ({ labels }: PageGroup): string => labelsText(labels);
const allGroups = computed(() => Object.values(groups.value));
const groupRows = computed(() =>
  rowsByPart(
    allGroups.value,
    { list: 'groups', part: ({ job }) => job, name: groupName },
    { expanded: expanded.value },
  ),
);

export function groupWord({ state, failedAt, pushedAt, expiresAt }: PageGroup): string {
  if (state === 'wrong') return failedAt !== undefined && failedAt > (pushedAt ?? 0) ? 'refused' : 'wrong';
  if (state === 'notice') return expiresAt === undefined ? 'late' : 'expires';
  return state === 'ok' ? 'pushed' : 'unknown';
}

export function Sources() {
  return (
    <Panel
      id="groups"
      title="Pushed groups"
      of="pushgateway"
      parts={['groups']}
      count={allGroups.value.length}
      wrong={wrongIn(allGroups.value)}
    >
      {groupRows.value.length === 0 ? (
        <Nothing total={allGroups.value.length} what="group" none="Nothing has been pushed." />
      ) : (
        <>
          <Columns names={['state', 'group', 'series', 'size', 'age']} />
          <PartedList<PageGroup>
            label="Pushed groups by job"
            kind="group"
            rows={groupRows.value}
            render={(group, isPart) => (
              <>
                <StateWord state={group.state} word={groupWord(group)} />
                <Name text={isPart ? groupName(group) || '(no other label)' : `${group.job} ${groupName(group)}`} />
                <span class="figure">
                  {countText(group.series)}
                  <span class="hidden"> series</span>
                </span>
                <span class="figure">{bytesText(group.bytes)}</span>
                <span class="figure">
                  <Age at={group.pushedAt} />
                  <span class="hidden"> ago</span>
                </span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}

const allTargets = computed(() => Object.values(targets.value));
const targetRows = computed(() =>
  rowsByPart(
    allTargets.value,
    { list: 'targets', part: ({ job }) => job, name: ({ instance }) => instance },
    { expanded: expanded.value },
  ),
);

export function Targets() {
  return (
    <Panel
      id="targets"
      title="Targets"
      of="prometheus"
      parts={['targets']}
      count={allTargets.value.length}
      wrong={wrongIn(allTargets.value)}
    >
      {targetRows.value.length === 0 ? (
        <Nothing total={allTargets.value.length} what="target" none="Prometheus has no targets." />
      ) : (
        <>
          <Columns names={['state', 'instance', 'error']} />
          <PartedList<PageTarget>
            label="Targets by job"
            kind="target"
            rows={targetRows.value}
            render={({ state, health, job, instance, error }, isPart) => (
              <>
                <StateWord state={state} word={health} />
                <Name text={isPart ? instance : `${job} ${instance}`} />
                <span class="reason">{error !== undefined && <Name text={causeText(error)} />}</span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}
