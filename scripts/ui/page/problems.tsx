import { computed } from '@preact/signals';
import type { PageProblem } from '../page-state.ts';
import { plural } from './format.ts';
import { header, nodes, open, type Selection } from './store.ts';
import { Brief, Mark } from './texts.tsx';

interface Shown extends PageProblem {
  readonly of: string;
  readonly opens: Selection;
}

const problems = computed<readonly Shown[]>(() => {
  const ofNodes = Object.values(nodes.value).flatMap(({ id, title, state, word, problems }) => {
    const known = problems.length > 0 || state === 'ok' || state === 'unknown' ? problems : [{ state, message: word }];
    return known.map((problem): Shown => ({ ...problem, of: title, opens: { kind: 'node', id } }));
  });
  const drift: Selection = { kind: 'drift', id: 'drift' };
  const ofStack = (header.value?.problems ?? []).map(
    (problem): Shown => ({ ...problem, of: header.value?.stack ?? 'stack', opens: drift }),
  );
  const all = [...ofNodes, ...ofStack];
  return [...all.filter(({ state }) => state === 'wrong'), ...all.filter(({ state }) => state === 'notice')];
});

/** What the whole page says in a few words. */
export const summary = computed<{ readonly state: 'ok' | 'notice' | 'wrong' | 'unknown'; readonly word: string }>(
  () => {
    if (header.value === undefined) return { state: 'unknown', word: 'waiting for the first look' };
    if (!header.value.engine.isReachable) return { state: 'unknown', word: 'engine not reachable' };
    const wrong = problems.value.filter(({ state }) => state === 'wrong').length;
    if (wrong > 0) return { state: 'wrong', word: plural(wrong, 'problem') };
    const notices = problems.value.length;
    return notices > 0 ? { state: 'notice', word: plural(notices, 'notice') } : { state: 'ok', word: 'all is well' };
  },
);

/** What is wrong, where, and what to do. */
export function Problems() {
  const stale = header.value?.stale ?? [];
  if (problems.value.length === 0 && stale.length === 0) return null;
  return (
    <section class="problems" aria-labelledby="problems-title">
      <h2 id="problems-title">
        Problems <span class="dim">{problems.value.length}</span>
      </h2>
      <ul>
        {problems.value.map(({ of, message, tryThis, state, opens }) => (
          <li key={`${of} ${message}`}>
            <button type="button" class="problem" onClick={() => open(opens)}>
              <Mark state={state} />
              <span class="hidden">{state}: </span>
              <span class="of">
                <Brief text={of} />
              </span>
              <span class="message">
                <Brief text={message} />
              </span>
              {tryThis !== undefined && (
                <span class="try">
                  <Brief text={tryThis} />
                </span>
              )}
            </button>
          </li>
        ))}
        {stale.map((text) => (
          <li key={text} class="problem">
            <Mark state="unknown" />
            <span class="of">not current</span>
            <span class="message">
              <Brief text={text} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
