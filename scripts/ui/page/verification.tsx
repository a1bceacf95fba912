import type { PageHop, PageVerify } from '../page-state.ts';
import { tookText } from './format.ts';
import { Panel } from './panel.tsx';
import { mayChange, verification } from './store.ts';
import { type MarkState, StateWord, Text, Time } from './texts.tsx';

const marks: Readonly<Record<PageHop['outcome'], MarkState>> = {
  waiting: 'unknown',
  running: 'running',
  passed: 'ok',
  failed: 'wrong',
  skipped: 'unknown',
};

const words: Readonly<Record<PageVerify['state'], readonly [MarkState, string]>> = {
  running: ['running', 'running'],
  passed: ['ok', 'passed'],
  failed: ['wrong', 'failed'],
};

/** The last check of the pipeline, hop by hop: each bar begins where the one above ends. */
export function Verification() {
  const check = verification.value;
  return (
    <Panel id="verification" title="Pipeline check">
      {check === undefined ? (
        <p class="nothing">
          {mayChange.value ? 'Not run yet: Verify' : <code>promstack verify</code>} sends a test alert through the whole
          pipeline and times each hop.
        </p>
      ) : (
        <Check check={check} />
      )}
    </Panel>
  );
}

function Check({ check: { state, startedAt, hops, error, tryThis } }: { readonly check: PageVerify }) {
  const totalMs = Math.max(
    1,
    hops.reduce((sum, { tookMs }) => sum + tookMs, 0),
  );
  const [mark, word] = words[state];
  let spentMs = 0;
  return (
    <>
      <p class="outcome">
        <StateWord state={mark} word={word} />
        <span class="dim">
          started <Time at={startedAt} />, {state === 'running' ? '' : 'took '}
          {tookText(totalMs === 1 ? 0 : totalMs)}
          {state === 'running' && ' so far'}
        </span>
      </p>
      {error !== undefined && (
        <p class="reason">
          <Text text={error} />
          {tryThis !== undefined && (
            <span class="try">
              <Text text={tryThis} />
            </span>
          )}
        </p>
      )}
      <ol class="hops">
        {hops.map(({ name, claim, outcome, tookMs, detail, why, tryThis }) => {
          const from = spentMs / totalMs;
          spentMs += tookMs;
          return (
            <li key={name} class={outcome}>
              <StateWord state={marks[outcome]} word={outcome} />
              <span class="hop">
                <b>
                  <Text text={name} />
                </b>{' '}
                <Text text={claim} />
              </span>
              <span class="figure">{outcome === 'waiting' ? '' : tookText(tookMs)}</span>
              <span class="bar-line" aria-hidden="true">
                {outcome !== 'waiting' && outcome !== 'skipped' && (
                  <span
                    class="bar"
                    style={{ marginInlineStart: `${from * 98}%`, width: `max(2px, ${(tookMs / totalMs) * 98}%)` }}
                  />
                )}
              </span>
              {(detail ?? why) !== undefined && (
                <span class="reason">
                  <Text text={why ?? detail ?? ''} />
                </span>
              )}
              {tryThis !== undefined && (
                <span class="try">
                  <Text text={tryThis} />
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </>
  );
}
