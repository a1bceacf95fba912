import type { ComponentChildren, VNode } from 'preact';
import type { NodeId, NodeState, PartName } from '../page-state.ts';
import { countText, plural } from './format.ts';
import { NotCurrent, partsState, Unread } from './freshness.tsx';
import type { ItemRow, PartRow } from './rows.ts';
import { expanded, nodes, open, search, selection, toggle } from './store.ts';
import { Mark, Name, Text } from './texts.tsx';
import { WindowedList } from './windowed-list.tsx';

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

export function wrongIn(items: readonly { readonly state: NodeState }[]): number {
  return items.filter(({ state }) => state === 'wrong').length;
}

/** The names of the columns; each row says what its values are by itself. */
export function Columns({ names }: { readonly names: readonly string[] }) {
  return (
    <div class="columns" aria-hidden="true">
      {names.map((name) => (
        <span key={name}>{name}</span>
      ))}
    </div>
  );
}

export function Nothing({
  total,
  what,
  none,
}: {
  readonly total: number;
  readonly what: string;
  readonly none: string;
}) {
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
export function PartedList<T extends { readonly id: string }>({
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
