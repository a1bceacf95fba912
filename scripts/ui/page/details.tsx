import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { AlertDetails, ReceiverDetails, RouteDetails, SilenceDetails } from './details-alerts.tsx';
import { DiffDetails, DriftDetails, EntryDetails } from './details-history.tsx';
import { GroupDetailsView, NodeDetails, RuleDetailsView, TargetDetailsView } from './details-sources.tsx';
import {
  alerts,
  close,
  entries,
  groups,
  nodes,
  receivers,
  routes,
  rules,
  type Selection,
  selection,
  silences,
  targets,
} from './store.ts';

/** The side panel: all there is to know of what is selected. */
export function Details() {
  const selected = selection.value;
  const box = useRef<HTMLElement>(null);
  const key = selected === undefined ? undefined : `${selected.kind} ${selected.id}`;

  useEffect(() => {
    if (key === undefined) return;
    box.current?.scrollTo(0, 0);
    box.current?.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
  }, [key]);

  if (selected === undefined) return null;
  return (
    <aside
      class={selected.kind === 'diff' ? 'details wide' : 'details'}
      ref={box}
      aria-labelledby="details-title"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <button type="button" class="close" onClick={close}>
        Close <kbd>Esc</kbd>
      </button>
      <Selected key={key} selected={selected} />
    </aside>
  );
}

function Selected({ selected }: { readonly selected: Selection }) {
  const { kind, id } = selected;
  switch (kind) {
    case 'node':
      return shown(nodes.value[id], (node) => <NodeDetails node={node} />);
    case 'group':
      return shown(groups.value[id], (group) => <GroupDetailsView group={group} />);
    case 'target':
      return shown(targets.value[id], (target) => <TargetDetailsView target={target} />);
    case 'rule':
      return shown(rules.value[id], (rule) => <RuleDetailsView rule={rule} />);
    case 'alert':
      return shown(alerts.value[id], (alert) => <AlertDetails alert={alert} />);
    case 'route':
      return shown(routes.value[id], (route) => <RouteDetails route={route} />);
    case 'receiver':
      return shown(receivers.value[id], (receiver) => <ReceiverDetails receiver={receiver} />);
    case 'silence':
      return shown(silences.value[id], (silence) => <SilenceDetails silence={silence} />);
    case 'entry':
      return shown(entries.value[id], (entry) => <EntryDetails entry={entry} />);
    case 'drift':
      return <DriftDetails />;
    case 'diff':
      return <DiffDetails from={selected.from} to={selected.to} />;
  }
}

/** What was open may be gone by now. */
function shown<T>(item: T | undefined, view: (item: T) => ComponentChildren) {
  if (item !== undefined) return <>{view(item)}</>;
  return (
    <>
      <h2 id="details-title" tabIndex={-1}>
        Gone
      </h2>
      <p class="dim">It is not there any more.</p>
    </>
  );
}
