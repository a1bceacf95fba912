import { batch, computed, signal } from '@preact/signals';
import { applyChange, type EdgeHistory, type PageChange, type PageState, type Snapshot } from '../page-state.ts';

/** What is open in the side panel. */
export type Selection =
  | {
      readonly kind: 'node' | 'group' | 'target' | 'rule' | 'alert' | 'route' | 'receiver' | 'silence' | 'entry';
      readonly id: string;
    }
  | { readonly kind: 'drift'; readonly id: 'drift' }
  | { readonly kind: 'diff'; readonly id: string; readonly from: string; readonly to: string };

/** Whether the page's server sends. */
export interface Connection {
  readonly state: 'connecting' | 'open' | 'lost';
  /** When that began, by this browser's clock. */
  readonly since: number;
}

/** How much of the past the moving lines show. */
export const spanSeconds = 300;

export const state = signal<PageState | undefined>(undefined);
export const histories = signal<Readonly<Record<string, EdgeHistory>>>({});
export const connection = signal<Connection>({ state: 'connecting', since: Date.now() });
export const search = signal('');
export const selection = signal<Selection | undefined>(undefined);
/** Parts of lists and panels that the user expanded or collapsed. */
export const expanded = signal<ReadonlyMap<string, boolean>>(new Map());
/** What was done by the last action, or said by the server. */
export const notice = signal<{ readonly state: 'ok' | 'wrong'; readonly text: string } | undefined>(undefined);

/** The server's clock minus this browser's. */
let aheadMs = 0;
/** The time on the server's clock; it moves once a second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now() + aheadMs;
}, 1_000);

export const header = computed(() => state.value?.header);
export const nodes = computed(() => state.value?.nodes ?? {});
export const edges = computed(() => state.value?.edges ?? {});
export const groups = computed(() => state.value?.groups ?? {});
export const targets = computed(() => state.value?.targets ?? {});
export const rules = computed(() => state.value?.rules ?? {});
export const alerts = computed(() => state.value?.alerts ?? {});
export const routes = computed(() => state.value?.routes ?? {});
export const receivers = computed(() => state.value?.receivers ?? {});
export const silences = computed(() => state.value?.silences ?? {});
export const entries = computed(() => state.value?.entries ?? {});
export const verification = computed(() => state.value?.verify['last']);
export const mayChange = computed(() => header.value?.mayChange === true);

/** The element that had the focus when the side panel was opened. */
let opener: HTMLElement | undefined;

export function open(next: Selection): void {
  if (selection.value === undefined && document.activeElement instanceof HTMLElement) opener = document.activeElement;
  selection.value = next;
}

/** Closes the side panel; the focus goes back to what opened it. */
export function close(): void {
  selection.value = undefined;
  if (opener?.isConnected === true) opener.focus();
  else document.querySelector<HTMLElement>('main')?.focus();
  opener = undefined;
}

export function toggle(key: string, isExpanded: boolean): void {
  expanded.value = new Map([...expanded.value, [key, !isExpanded]]);
}

export function takeSnapshot({ state: next, history }: Snapshot): void {
  batch(() => {
    setTime(next.header.at);
    state.value = next;
    histories.value = history;
  });
}

export function takeChange(change: PageChange): void {
  if (state.value === undefined) return;
  const next = applyChange(state.value, change);
  batch(() => {
    setTime(change.header.at);
    state.value = next;
    histories.value = extend(histories.value, next);
  });
}

function setTime(at: number): void {
  aheadMs = at - Date.now();
  now.value = at;
}

/** Adds a point to each line and forgets the oldest. */
function extend(
  past: Readonly<Record<string, EdgeHistory>>,
  { edges, header: { at } }: PageState,
): Readonly<Record<string, EdgeHistory>> {
  return Object.fromEntries(
    Object.values(edges).map(({ id, rate }) => {
      const { at: times, rate: rates } = past[id] ?? { at: [], rate: [] };
      const first = times.findIndex((time) => time > at - (spanSeconds + 30) * 1_000);
      const from = first === -1 ? times.length : first;
      return [id, { at: [...times.slice(from), at], rate: [...rates.slice(from), rate ?? null] }];
    }),
  );
}
