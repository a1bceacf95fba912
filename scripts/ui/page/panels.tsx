import { computed } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import type {
  NodeId,
  NodeState,
  PageAlert,
  PageGroup,
  PageReceiver,
  PageRoute,
  PageRule,
  PageTarget,
  PartName,
} from '../page-state.ts';
import { bytesText, causeText, countText, plural } from './format.ts';
import { alertParts, knowsRoutes, NotCurrent, partsState, Unread } from './freshness.tsx';
import { found, type ItemRow, type PartRow, rowsByPart, sorted } from './rows.ts';
import {
  alerts,
  expanded,
  groups,
  nodes,
  open,
  receivers,
  routes,
  rules,
  search,
  selection,
  silences,
  targets,
  toggle,
} from './store.ts';
import { Age, labelsText, Mark, type MarkState, Name, StateWord, Text, Time } from './texts.tsx';
import { type ListRow, WindowedList } from './windowed-list.tsx';

/** A part of the page that can be collapsed; absent in a stack without the server that it is of. */
export function Panel({
  id,
  title,
  of,
  parts = [],
  count,
  wrong = 0,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly of?: NodeId;
  /** What it is made of. */
  readonly parts?: readonly PartName[];
  readonly count?: number | undefined;
  readonly wrong?: number;
  readonly children: ComponentChildren;
}) {
  const isExpanded = expanded.value.get(id) ?? true;
  if (of !== undefined && nodes.value[of] === undefined) return null;
  const { readAt, why } = partsState(parts);
  const isRead = parts.length === 0 || readAt !== undefined;
  return (
    <section class={isRead && why === undefined ? `panel ${id}` : `panel old ${id}`} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>
        <button
          type="button"
          aria-expanded={isExpanded}
          aria-controls={`${id}-body`}
          onClick={() => toggle(id, isExpanded)}
        >
          <span class="turner" aria-hidden="true" />
          {title}
          {count !== undefined && isRead && <span class="dim"> {countText(count)}</span>}
          {wrong > 0 && why === undefined && <span class="bad"> · {countText(wrong)} wrong</span>}
        </button>
      </h2>
      <div id={`${id}-body`} hidden={!isExpanded}>
        {isExpanded && (
          <>
            <NotCurrent parts={parts} />
            {isRead ? children : <Unread parts={parts} />}
          </>
        )}
      </div>
    </section>
  );
}

function wrongIn(items: readonly { readonly state: NodeState }[]): number {
  return items.filter(({ state }) => state === 'wrong').length;
}

/** The names of the columns; each row says what its values are by itself. */
function Columns({ names }: { readonly names: readonly string[] }) {
  return (
    <div class="columns" aria-hidden="true">
      {names.map((name) => (
        <span key={name}>{name}</span>
      ))}
    </div>
  );
}

function Nothing({ total, what, none }: { readonly total: number; readonly what: string; readonly none: string }) {
  return (
    <p class="nothing">
      {total === 0 ? (
        none
      ) : (
        <>
          None of {plural(total, what)} matches “<Text text={search.value.slice(0, 60)} />
          ”.
        </>
      )}
    </p>
  );
}

/** A list whose parts can be collapsed. */
function PartedList<T extends { readonly id: string }>({
  label,
  rows,
  kind,
  render,
}: {
  readonly label: string;
  readonly rows: readonly (ItemRow<T> | PartRow)[];
  readonly kind: 'group' | 'target' | 'rule';
  render(item: T, isPart: boolean): VNode;
}) {
  const selected = selection.value?.kind === kind ? selection.value.id : undefined;
  return (
    <WindowedList<ItemRow<T> | PartRow>
      label={label}
      rows={rows}
      selected={selected}
      onOpen={(row) => ('item' in row ? open({ kind, id: row.item.id }) : toggle(row.key, row.isExpanded))}
      render={(row) => ('item' in row ? render(row.item, row.isInPart === true) : <Part part={row} />)}
    />
  );
}

function Part({ part: { title, state, total, wrong } }: { readonly part: PartRow }) {
  return (
    <>
      <span class="turner" aria-hidden="true" />
      <Mark state={state} />
      <Name text={title === '' ? '(no name)' : title} />
      <span class="dim">{countText(total)}</span>
      {wrong > 0 && <span class="bad">{countText(wrong)} wrong</span>}
    </>
  );
}

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

/** An alert that notifies nobody is muted, whatever its state in Prometheus is. */
export function alertState({ activity, mutedBy }: PageAlert): { readonly state: MarkState; readonly word: string } {
  const whole = mutedBy.find(({ receivers }) => receivers === undefined);
  if (whole !== undefined) {
    const words = { silence: 'silenced', inhibition: 'inhibited', 'time interval': 'muted' } as const;
    return { state: 'muted', word: words[whole.kind] };
  }
  return activity === 'pending' ? { state: 'notice', word: 'pending' } : { state: 'wrong', word: activity };
}

const alertOrder: Readonly<Record<MarkState, number>> = {
  wrong: 0,
  notice: 1,
  running: 2,
  unknown: 2,
  muted: 3,
  past: 4,
  ok: 4,
};
const allAlerts = computed(() => Object.values(alerts.value));
const alertRows = computed(() =>
  found(allAlerts.value, ({ name, labels }) => `${name} ${labelsText(labels)}`)
    .map((item): ItemRow<PageAlert> => ({ key: item.id, item }))
    .toSorted(
      ({ item: a }, { item: b }) =>
        alertOrder[alertState(a).state] - alertOrder[alertState(b).state] || (b.since ?? 0) - (a.since ?? 0),
    ),
);

export function Alerts() {
  const firing = allAlerts.value.filter((alert) => alertState(alert).state === 'wrong').length;
  return (
    <Panel id="alerts" title="Alerts" parts={alertParts.value} count={allAlerts.value.length}>
      {alertRows.value.length === 0 ? (
        <Nothing total={allAlerts.value.length} what="alert" none="No alert is pending or firing." />
      ) : (
        <>
          <Columns names={['state', `alert${firing > 0 ? `, ${firing} firing` : ''}`, 'notifies', 'since']} />
          <WindowedList
            label="Alerts"
            rows={alertRows.value}
            selected={selection.value?.kind === 'alert' ? selection.value.id : undefined}
            onOpen={({ item }) => open({ kind: 'alert', id: item.id })}
            render={({ item }) => (
              <>
                <StateWord {...alertState(item)} />
                <span class="twofold">
                  <Name text={item.name} />
                  <Name text={otherLabels(item)} />
                </span>
                <span class="reason">
                  <span class="hidden">notifies </span>
                  <Name text={item.receivers.join(', ') || (knowsRoutes.value ? 'nobody' : 'not known')} />
                </span>
                <span class="figure">{item.since !== undefined && <Age at={item.since} />}</span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}

function otherLabels({ labels }: PageAlert): string {
  return labelsText(Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'alertname')));
}

const allRules = computed(() => Object.values(rules.value));
const ruleRows = computed(() =>
  rowsByPart(
    allRules.value,
    { list: 'rules', part: ruleGroup, name: ({ name }) => name },
    { expanded: expanded.value },
  ),
);

function ruleGroup({ group, file }: PageRule): string {
  return file === '' ? group : `${group} · ${file}`;
}

export function ruleWord({ state, health, activity }: PageRule): string {
  return state === 'wrong' && health !== 'ok' ? 'failing' : activity;
}

export function Rules() {
  return (
    <Panel
      id="rules"
      title="Rules"
      of="prometheus"
      parts={['rules']}
      count={allRules.value.length}
      wrong={wrongIn(allRules.value)}
    >
      {ruleRows.value.length === 0 ? (
        <Nothing total={allRules.value.length} what="rule" none="Prometheus has no rules." />
      ) : (
        <>
          <Columns names={['state', 'rule', 'alerts or error']} />
          <PartedList<PageRule>
            label="Rules by group"
            kind="rule"
            rows={ruleRows.value}
            render={(rule) => (
              <>
                <StateWord state={rule.state} word={ruleWord(rule)} />
                <Name text={rule.name} />
                <span class="reason">
                  {rule.error === undefined ? (
                    rule.active > 0 && plural(rule.active, 'alert')
                  ) : (
                    <Name text={rule.error} />
                  )}
                </span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}

interface RouteRow extends ListRow {
  readonly item: PageRoute;
  readonly depth: number;
}

const allRoutes = computed(() => Object.values(routes.value));
const routeRows = computed<readonly RouteRow[]>(() => {
  const shown = new Set(found(allRoutes.value, ({ matchers, receiver }) => `${matchers.join(' ')} ${receiver}`));
  const children = new Map<string | undefined, PageRoute[]>();
  for (const route of allRoutes.value) children.set(route.parent, [...(children.get(route.parent) ?? []), route]);
  const below = (parent: string | undefined, depth: number): readonly RouteRow[] =>
    (children.get(parent) ?? []).flatMap((item) => [
      ...(shown.has(item) ? [{ key: item.id, item, depth }] : []),
      ...below(item.id, depth + 1),
    ]);
  return below(undefined, 0);
});

export function matchersText({ matchers, parent }: PageRoute): string {
  return matchers.join(', ') || (parent === undefined ? 'every alert' : 'every other alert');
}

export function Routes() {
  return (
    <Panel id="routes" title="Routes" of="alertmanager" parts={['routes', 'alerts']} count={allRoutes.value.length}>
      {routeRows.value.length === 0 ? (
        <Nothing total={allRoutes.value.length} what="route" none="Alertmanager has no routes." />
      ) : (
        <>
          <Columns names={['matches', 'notifies', 'alerts']} />
          <WindowedList
            label="Routes"
            rows={routeRows.value}
            selected={selection.value?.kind === 'route' ? selection.value.id : undefined}
            onOpen={({ item }) => open({ kind: 'route', id: item.id })}
            render={({ item, depth }) => (
              <>
                <span class="branch" style={{ paddingInlineStart: `${Math.min(depth, 8) * 1.1}rem` }}>
                  {item.mutedBy !== undefined && <StateWord state="muted" word="muted" />}
                  <Name text={matchersText(item)} code={item.matchers.length > 0} />
                </span>
                <span>
                  <span class="hidden">notifies </span>
                  <Name text={item.receiver} />
                </span>
                <span class="figure">
                  {item.alerts > 0 ? countText(item.alerts) : <span class="dim">0</span>}
                  <span class="hidden"> alerts</span>
                </span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}

/** A number that the server does not say. */
function Unknown() {
  return (
    <span class="dim">
      <span aria-hidden="true">?</span>
      <span class="hidden">an unknown number</span>
    </span>
  );
}

const allReceivers = computed(() => Object.values(receivers.value));
const receiverRows = computed(() =>
  sorted(
    found(allReceivers.value, ({ name, integrations }) => `${name} ${integrations.join(' ')}`),
    ({ name }) => name,
  ).map((item): ItemRow<PageReceiver> => ({ key: item.id, item })),
);

export function Receivers() {
  return (
    <Panel
      id="receivers"
      title="Receivers"
      of="alertmanager"
      parts={['routes', 'alerts', 'notifications']}
      count={allReceivers.value.length}
      wrong={wrongIn(allReceivers.value)}
    >
      {receiverRows.value.length === 0 ? (
        <Nothing total={allReceivers.value.length} what="receiver" none="Alertmanager has no receivers." />
      ) : (
        <>
          <Columns names={['state', 'receiver', 'delivered', 'failed', 'last']} />
          <WindowedList
            label="Receivers"
            rows={receiverRows.value}
            selected={selection.value?.kind === 'receiver' ? selection.value.id : undefined}
            onOpen={({ item }) => open({ kind: 'receiver', id: item.id })}
            render={({ item: { name, state, word, integrations, delivered, failed, notifications, unknown } }) => (
              <>
                <StateWord state={state} word={word} />
                <span class="twofold">
                  <Name text={name} />
                  <Name text={integrations.join(', ')} />
                </span>
                <span class="figure">
                  {delivered === undefined ? <Unknown /> : countText(delivered)}
                  <span class="hidden"> delivered</span>
                </span>
                <span class={failed === undefined || failed === 0 ? 'figure dim' : 'figure bad'}>
                  {failed === undefined ? <Unknown /> : countText(failed)}
                  <span class="hidden"> failed</span>
                </span>
                <span class="figure">
                  {notifications[0] !== undefined ? (
                    <Age at={notifications[0].at} />
                  ) : (
                    <span class="dim">{unknown === undefined ? 'never' : '?'}</span>
                  )}
                </span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}

const allSilences = computed(() => Object.values(silences.value).toSorted((a, b) => a.endsAt - b.endsAt));
const silenceRows = computed(() =>
  found(allSilences.value, ({ matchers, by, comment }) => `${matchers.join(' ')} ${by} ${comment}`).map((item) => ({
    key: item.id,
    item,
  })),
);

export function Silences() {
  if (allSilences.value.length === 0) return null;
  return (
    <Panel id="silences" title="Silences" of="alertmanager" parts={['alerts']} count={allSilences.value.length}>
      {silenceRows.value.length === 0 ? (
        <Nothing total={allSilences.value.length} what="silence" none="Nothing is silenced." />
      ) : (
        <>
          <Columns names={['state', 'matches', 'by', 'until']} />
          <WindowedList
            label="Silences"
            rows={silenceRows.value}
            selected={selection.value?.kind === 'silence' ? selection.value.id : undefined}
            onOpen={({ item }) => open({ kind: 'silence', id: item.id })}
            render={({ item: { state, matchers, by, endsAt } }) => (
              <>
                <StateWord state="muted" word={state} />
                <Name text={matchers.join(', ')} code />
                <span class="reason">
                  <span class="hidden">by </span>
                  <Name text={by} />
                </span>
                <span class="figure">
                  <span class="hidden">until </span>
                  <Time at={endsAt} />
                </span>
              </>
            )}
          />
        </>
      )}
    </Panel>
  );
}
