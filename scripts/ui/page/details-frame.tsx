import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageError } from '../page-requests.ts';
import type { PageProblem } from '../page-state.ts';
import { Failure } from './question.tsx';
import { type Answer, get } from './server.ts';
import { Mark, type MarkState, StateWord, Text } from './texts.tsx';

/** What a name stands for, the name, and its state. */
export function Title({
  kind,
  name,
  state,
  word,
}: {
  readonly kind: string;
  readonly name: string;
  readonly state?: MarkState;
  readonly word?: string;
}) {
  return (
    <div class="title">
      <p class="dim">
        <Text text={kind} />
      </p>
      <h2 id="details-title" tabIndex={-1}>
        <Text text={name === '' ? '(no name)' : name} />
      </h2>
      {state !== undefined && <StateWord state={state} word={word ?? state} />}
    </div>
  );
}

export function Section({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** A fact and its value, in two columns. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== '' && value !== false);
  return (
    <dl class="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>
            <Text text={name} />
          </dt>
          <dd>{typeof value === 'string' ? <Text text={value} /> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function ProblemList({ problems }: { readonly problems: readonly PageProblem[] }) {
  return (
    <ul class="plain">
      {problems.map(({ state, message, tryThis }) => (
        <li key={message} class="problem">
          <Mark state={state} />
          <span class="hidden">{state}: </span>
          <span class="message">
            <Text text={message} />
          </span>
          {tryThis !== undefined && (
            <span class="try">
              <Text text={tryThis} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const refreshMs = 5_000;

/** Details that the server sends on request, read again every few seconds while they are open. */
export function useDetails<T>(
  path: string,
  query: Readonly<Record<string, string>>,
  { isLive = true }: { readonly isLive?: boolean } = {},
): { readonly value?: T; readonly error?: PageError } {
  const [answer, setAnswer] = useState<Answer<T>>();
  const key = JSON.stringify(query);
  useEffect(() => {
    let isOpen = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      const next = await get<T>(path, JSON.parse(key) as Record<string, string>);
      if (!isOpen) return;
      // What was read before stays while the server does not answer.
      setAnswer((last) => ('error' in next && last !== undefined && 'value' in last ? last : next));
      if (isLive) timer = setTimeout(() => void read(), refreshMs);
    };
    void read();
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, [path, key, isLive]);
  return answer ?? {};
}

export function Loaded<T>({
  details: { value, error },
  children,
}: {
  readonly details: { readonly value?: T; readonly error?: PageError };
  children(value: T): ComponentChildren;
}) {
  if (value !== undefined) return <>{children(value)}</>;
  return error === undefined ? <p class="dim">Reading…</p> : <Failure error={error} />;
}
