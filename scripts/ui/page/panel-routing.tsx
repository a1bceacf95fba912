import { computed } from '@preact/signals';
import type { PageReceiver, PageRoute } from '../page-state.ts';
import { countText } from './format.ts';
import { Columns, Nothing, Panel, wrongIn } from './panel.tsx';
import { found, type ItemRow, sorted } from './rows.ts';
import { open, receivers, routes, selection, silences } from './store.ts';
import { Age, Name, StateWord, Time } from './texts.tsx';
import { type ListRow, WindowedList } from './windowed-list.tsx';

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
