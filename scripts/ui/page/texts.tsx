import type { NodeState } from '../page-state.ts';
import { durationText, timeText, visible, webAddress } from './format.ts';
import { now } from './store.ts';

/** The states of a node, `muted` for an alert that notifies nobody, `running` for a step of a check, `past` for a revision. */
export type MarkState = NodeState | 'muted' | 'running' | 'past';

/** The shape of a state; the word beside it says the same. */
export function Mark({ state }: { readonly state: MarkState }) {
  return (
    <svg class={`mark ${state}`} viewBox="0 0 12 12" aria-hidden="true">
      {state === 'ok' && (
        <>
          <circle cx="6" cy="6" r="5.5" class="fill" />
          <path d="M3.4 6.2 5.2 8 8.6 4.3" class="sign" />
        </>
      )}
      {state === 'notice' && (
        <>
          <path d="M6 .6 11.7 11H.3Z" class="fill" />
          <path d="M6 4.4v3M6 8.9v.6" class="sign" />
        </>
      )}
      {state === 'wrong' && (
        <>
          <rect x=".5" y=".5" width="11" height="11" rx="1.5" class="fill" />
          <path d="M3.7 3.7 8.3 8.3M8.3 3.7 3.7 8.3" class="sign" />
        </>
      )}
      {state === 'unknown' && <circle cx="6" cy="6" r="4.9" class="line" stroke-dasharray="2.1 1.75" />}
      {state === 'past' && <circle cx="6" cy="6" r="2.6" class="fill" />}
      {state === 'muted' && (
        <>
          <circle cx="6" cy="6" r="4.9" class="line" />
          <path d="M2.6 9.4 9.4 2.6" class="line" />
        </>
      )}
      {state === 'running' && (
        <>
          <circle cx="6" cy="6" r="4.9" class="line" />
          <path d="M6 2.8V6l2.2 1.6" class="line" />
        </>
      )}
    </svg>
  );
}

/** A shape and its word. */
export function StateWord({ state, word }: { readonly state: MarkState; readonly word: string }) {
  return (
    <span class={`state ${state}`}>
      <Mark state={state} />
      <span class="word">
        <Brief text={word} />
      </span>
    </span>
  );
}

/** A text of others: isolated, so that its direction ends with it, and with invisible characters shown. */
export function Text({ text, ...rest }: { readonly text: string; readonly class?: string }) {
  return <bdi {...rest}>{visible(text)}</bdi>;
}

/** As many characters as a line or two can show; the details have all of a text. */
const maxShown = 200;

/** A text that its place shows the beginning of. */
export function Brief({ text }: { readonly text: string }) {
  return <Text text={text.length > maxShown ? `${text.slice(0, maxShown)}…` : text} />;
}

/** A text that is cut where its line ends. */
export function Name({ text, code = false }: { readonly text: string; readonly code?: boolean }) {
  const isLong = text.length > maxShown;
  const shown = visible(isLong ? `${text.slice(0, maxShown)}…` : text);
  return (
    <bdi class={code ? 'name code' : 'name'} title={isLong ? undefined : shown}>
      {shown}
    </bdi>
  );
}

/** `job="backup" instance="a"` */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}

export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const all = Object.entries(labels);
  if (all.length === 0) return <p class="dim">none</p>;
  return (
    <dl class="pairs">
      {all.map(([name, value]) => (
        <div key={name}>
          <dt>
            <Text text={name} />
          </dt>
          <dd>
            <Linked text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A text that is a link when it is the address of a web page. */
export function Linked({ text, label }: { readonly text: string; readonly label?: string }) {
  const href = webAddress(text);
  if (href === undefined) return <Text text={text} />;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      <Text text={label ?? text} />
    </a>
  );
}

/** `5 s`, which grows. */
export function Age({ at }: { readonly at: number | undefined }) {
  if (at === undefined) return <span class="dim">never</span>;
  return <time dateTime={isoTime(at)}>{durationText(now.value - at)}</time>;
}

export function Time({ at }: { readonly at: number }) {
  return <time dateTime={isoTime(at)}>{timeText(at, now.value)}</time>;
}

function isoTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
