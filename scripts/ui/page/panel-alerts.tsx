import { computed } from '@preact/signals';
import type { PageAlert, PageRule } from '../page-state.ts';
import { plural } from './format.ts';
import { alertParts, knowsRoutes } from './freshness.tsx';
import { Columns, Nothing, Panel, PartedList, wrongIn } from './panel.tsx';
import { found, type ItemRow, rowsByPart } from './rows.ts';
import { alerts, expanded, open, rules, selection } from './store.ts';
import { Age, labelsText, type MarkState, Name, StateWord } from './texts.tsx';
import { WindowedList } from './windowed-list.tsx';

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
