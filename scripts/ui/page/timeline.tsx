import { computed } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { NodeState, PageEntry } from '../page-state.ts';
import { plural } from './format.ts';
import { partsState } from './freshness.tsx';
import { Panel } from './panel.tsx';
import { found } from './rows.ts';
import { entries, header, open, selection } from './store.ts';
import { Brief, type MarkState, Name, StateWord, Text, Time } from './texts.tsx';
import { WindowedList } from './windowed-list.tsx';

const newestFirst = computed(() => Object.values(entries.value).toSorted((a, b) => b.at - a.at));

interface Row {
  readonly key: string;
  readonly entry?: PageEntry;
}

const rows = computed<readonly Row[]>(() => [
  { key: 'drift' },
  ...found(newestFirst.value, ({ revision, who, command, changed, why, mistakes }) =>
    [revision, who, command, ...changed, why, ...mistakes.map(({ message }) => message)].join(' '),
  ).map((entry) => ({ key: entry.id, entry })),
]);

/** The revisions between which a difference can be asked, newest first. */
const revisions = computed(() => [
  ...new Set(
    newestFirst.value.flatMap(({ kind, place, revision }) =>
      kind === 'revision' && place !== 'past' && revision !== undefined ? [revision] : [],
    ),
  ),
]);

export function shortRevision(revision: string): string {
  return revision.slice(0, 12);
}

export function entryState({ kind, place }: PageEntry): { readonly state: MarkState; readonly word: string } {
  if (kind === 'refused') return { state: 'wrong', word: 'rolled back' };
  if (kind === 'invalid') return { state: 'wrong', word: 'refused' };
  return place === 'current' ? { state: 'ok', word: 'running' } : { state: 'past', word: 'past' };
}

/** Whether what runs differs from what it should be. */
export const driftState = computed<{ readonly state: NodeState; readonly word: string }>(() => {
  const { readAt, why } = partsState(['drift']);
  if (readAt === undefined || why !== undefined) return { state: 'unknown', word: 'drift unknown' };
  return header.value?.drift.length === 0 ? { state: 'ok', word: 'no drift' } : { state: 'notice', word: 'drift' };
});

/** What it is compared with. */
const origin = computed(() =>
  header.value?.file === undefined ? 'the last confirmed revision' : 'what stack.yml says',
);

/** What was applied, what was refused and what differs now. */
export function Timeline() {
  return (
    <Panel id="timeline" title="Revisions" parts={['history']} count={newestFirst.value.length}>
      <WindowedList
        label="Revisions, newest first"
        rows={rows.value}
        selected={
          selection.value?.kind === 'entry' || selection.value?.kind === 'drift' ? selection.value.id : undefined
        }
        onOpen={({ entry }) =>
          open(entry === undefined ? { kind: 'drift', id: 'drift' } : { kind: 'entry', id: entry.id })
        }
        render={({ entry }) => (entry === undefined ? <Now /> : <Entry entry={entry} />)}
      />
      {revisions.value.length > 1 && <Compare />}
    </Panel>
  );
}

function Now() {
  const differences = header.value?.drift.length ?? 0;
  const { why } = partsState(['drift']);
  const { state, word } = driftState.value;
  return (
    <>
      <StateWord state={state} word={word} />
      <span class="figure">now</span>
      <span class="rest">
        {state === 'unknown' ? (
          <Name text={why === undefined ? 'Not compared yet' : `Not compared: ${why}`} />
        ) : differences === 0 ? (
          `What runs is ${origin.value}`
        ) : (
          `${plural(differences, 'difference')} from ${origin.value}`
        )}
      </span>
    </>
  );
}

function Entry({ entry }: { readonly entry: PageEntry }) {
  const { at, revision, command, who, changed, why, mistakes } = entry;
  const mistake = mistakes.find(({ severity }) => severity === 'error') ?? mistakes[0];
  return (
    <>
      <StateWord {...entryState(entry)} />
      <span class="figure">
        <Time at={at} />
      </span>
      <span class="rest">
        {revision !== undefined && <Text text={revision.slice(0, 8)} class="code" />}
        <b>
          <Brief text={command} />
        </b>
        {who !== undefined && (
          <span class="dim">
            by <Brief text={who} />
          </span>
        )}
        <Name
          text={
            mistake === undefined
              ? (why ?? changed.join(', '))
              : `${mistake.place === undefined ? '' : `${mistake.place} `}${mistake.message}`
          }
        />
      </span>
    </>
  );
}

/** Asks for the difference between two revisions. */
function Compare() {
  const [newest = '', second = ''] = revisions.value;
  const [from, setFrom] = useState<string>();
  const [to, setTo] = useState<string>();
  const [a, b] = [from ?? second, to ?? newest];
  return (
    <form
      class="compare"
      onSubmit={(event) => {
        event.preventDefault();
        open({ kind: 'diff', id: `${a}..${b}`, from: a, to: b });
      }}
    >
      <RevisionChoice label="From" value={a} onChange={setFrom} />
      <RevisionChoice label="to" value={b} onChange={setTo} />
      <button type="submit">Compare</button>
    </form>
  );
}

function RevisionChoice({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  onChange(revision: string): void;
}) {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {revisions.value.map((revision) => (
          <option key={revision} value={revision}>
            {shortRevision(revision)}
          </option>
        ))}
      </select>
    </label>
  );
}
