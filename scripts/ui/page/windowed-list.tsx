import type { ComponentChildren } from 'preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A row of a list; a header can be collapsed. */
export interface ListRow {
  readonly key: string;
  /** For headers of parts of the list: whether its rows are shown. */
  readonly isExpanded?: boolean | undefined;
}

interface WindowedListProps<R extends ListRow> {
  /** What the list contains, for screen readers. */
  readonly label: string;
  readonly rows: readonly R[];
  /** The row whose details are open. */
  readonly selected?: string | undefined;
  /** Phrasing content: the row is a button. */
  render(row: R): ComponentChildren;
  /** Enter, or a click. */
  onOpen(row: R): void;
}

/** Rows above and below the visible ones that are drawn as well, so that scrolling shows no gaps. */
const overscan = 8;

/**
 * A list of which only the visible rows are in the document: ten thousand cost no more than thirty. One row can be
 * reached by Tab; the arrow keys, Home, End, Page Up and Page Down move from there.
 */
export function WindowedList<R extends ListRow>({ label, rows, selected, render, onOpen }: WindowedListProps<R>) {
  const box = useRef<HTMLDivElement>(null);
  const [{ top, height, rowHeight }, setView] = useState({ top: 0, height: 400, rowHeight: 28 });
  const [activeKey, setActiveKey] = useState<string>();
  const [moves, setMoves] = useState(0);

  const measure = useCallback(() => {
    const element = box.current;
    if (element === null) return;
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const rowHeight = Math.round(rem * Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')));
    element.style.setProperty('--row-height', `${rowHeight}px`);
    const next = { top: element.scrollTop, height: element.clientHeight || 400, rowHeight };
    setView((view) =>
      view.top === next.top && view.height === next.height && view.rowHeight === rowHeight ? view : next,
    );
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [measure]);

  const found = activeKey === undefined ? -1 : rows.findIndex(({ key }) => key === activeKey);
  const active = Math.max(0, found);
  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + overscan);
  const shown = rows.slice(first, last).map((row, at) => ({ row, at: first + at }));
  // The row with the focus stays in the document when it is scrolled out of sight.
  const activeRow = rows[active];
  if (activeRow !== undefined && (active < first || active >= last)) {
    if (active < first) shown.unshift({ row: activeRow, at: active });
    else shown.push({ row: activeRow, at: active });
  }

  // Once for each move, in the render that has its row: not later, when the user may have gone elsewhere.
  useLayoutEffect(() => {
    if (moves > 0) box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }, [moves]);

  const moveTo = (at: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
    const element = box.current;
    if (row === undefined || element === null) return;
    const y = rows.indexOf(row) * rowHeight;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + rowHeight - element.clientHeight;
    }
    setActiveKey(row.key);
    setMoves((before) => before + 1);
    measure();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const row = rows[active];
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) moveTo(to);
    else if (event.key === 'ArrowRight' && row?.isExpanded === false) onOpen(row);
    else if (event.key === 'ArrowLeft' && row?.isExpanded === true) onOpen(row);
    else if (event.key === 'ArrowLeft') {
      const header = rows.slice(0, active).findLastIndex(({ isExpanded }) => isExpanded !== undefined);
      if (header >= 0) moveTo(header);
    } else return;
    event.preventDefault();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the buttons inside
    <div class="list" ref={box} onScroll={measure} onKeyDown={onKeyDown}>
      {/* biome-ignore lint/a11y/noRedundantRoles: without it, Safari's list without bullets is none to VoiceOver */}
      <ul role="list" aria-label={label} style={{ height: `${rows.length * rowHeight}px` }}>
        {shown.map(({ row, at }) => (
          <li
            key={row.key}
            aria-setsize={rows.length}
            aria-posinset={at + 1}
            style={{ transform: `translateY(${at * rowHeight}px)` }}
          >
            <button
              type="button"
              class={row.isExpanded === undefined ? 'row' : 'row header'}
              tabIndex={at === active ? 0 : -1}
              aria-expanded={row.isExpanded}
              aria-current={row.key === selected ? 'true' : undefined}
              onFocus={() => setActiveKey(row.key)}
              onClick={() => onOpen(row)}
            >
              {render(row)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
