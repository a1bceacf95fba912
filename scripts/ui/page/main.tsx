import { effect } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageNode } from '../page-state.ts';
import { Details } from './details.tsx';
import { Alerts, Rules } from './panel-alerts.tsx';
import { Receivers, Routes, Silences } from './panel-routing.tsx';
import { Sources, Targets } from './panel-sources.tsx';
import { Pipeline } from './pipeline.tsx';
import { Problems, summary } from './problems.tsx';
import { askReload, askVerify, QuestionDialog } from './question.tsx';
import { follow } from './server.ts';
import { close, connection, header, mayChange, nodes, notice, now, search, selection, state } from './store.ts';
import { Brief, Mark, StateWord, Text, Time } from './texts.tsx';
import { shortRevision, Timeline } from './timeline.tsx';
import { Verification } from './verification.tsx';

function App() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the pipeline
      </a>
      <TopBar />
      <Banners />
      <main id="main" tabIndex={-1}>
        {state.value === undefined ? (
          <p class="nothing" role="status">
            {connection.value.state === 'lost' ? '' : 'Reading the state of the stack…'}
          </p>
        ) : (
          <>
            <Pipeline />
            <Problems />
            <div class="panels">
              <Alerts />
              <Targets />
              <Sources />
              <Rules />
              <Routes />
              <Receivers />
              <Timeline />
              <Verification />
              <Silences />
            </div>
          </>
        )}
      </main>
      <Details />
      <QuestionDialog />
      <Announcements />
    </>
  );
}

function TopBar() {
  const { stack = 'promstack', revision, file } = header.value ?? {};
  return (
    <header class="top">
      <h1>
        <Brief text={stack} />
      </h1>
      <StateWord {...summary.value} />
      {revision !== undefined && (
        <span class="dim revision">
          revision <code>{shortRevision(revision)}</code>
        </span>
      )}
      {file !== undefined && (
        <span class="dim file">
          <Brief text={file} />
        </span>
      )}
      <Search />
      {mayChange.value && (
        <div class="buttons">
          <button type="button" onClick={askVerify}>
            Verify…
          </button>
          <button type="button" onClick={askReload} disabled={file === undefined}>
            Reload…
          </button>
        </div>
      )}
      <Live />
    </header>
  );
}

function Search() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
      if (event.key === '/' && !isTyping && document.querySelector('dialog') === null) {
        event.preventDefault();
        input.current?.focus();
      }
      if (
        event.key === 'Escape' &&
        !isTyping &&
        selection.value !== undefined &&
        document.querySelector('dialog') === null
      ) {
        close();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <search>
      <label>
        <span class="hidden">Search in all lists</span>
        <input
          ref={input}
          type="search"
          placeholder="Search  /"
          value={search.value}
          spellcheck={false}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            search.value = '';
            event.currentTarget.blur();
          }}
        />
      </label>
    </search>
  );
}

function Live() {
  const at = header.value?.at;
  const isLost = connection.value.state === 'lost';
  return (
    <span class="live dim">
      <Mark state={isLost ? 'unknown' : connection.value.state === 'open' ? 'ok' : 'running'} />
      {isLost ? 'not live' : connection.value.state === 'open' ? 'live' : 'connecting'}
      {at !== undefined && (
        <>
          {' · '}
          <Time at={isLost ? at : now.value} />
        </>
      )}
    </span>
  );
}

function Banners() {
  const engine = header.value?.engine;
  const { state: link, since } = connection.value;
  return (
    <div class="banners" role="status">
      {link === 'lost' && (
        <p class="banner">
          <Mark state="wrong" />
          <span>
            <b>The server of this page does not answer</b> since <Time at={since} />. Below is the last state it sent;
            the page connects again by itself. If <code>promstack ui</code> was started again, open the new address that
            it printed.
          </span>
        </p>
      )}
      {link !== 'lost' && engine?.isReachable === false && (
        <p class="banner">
          <Mark state="wrong" />
          <span>
            <b>The container engine cannot be reached</b> since <Time at={engine.since} />
            {engine.error !== undefined && (
              <>
                : <Text text={engine.error} />
              </>
            )}
            . Below is the last state that was read.
            {engine.tryThis !== undefined && (
              <span class="try">
                <Text text={engine.tryThis} />
              </span>
            )}
          </span>
        </p>
      )}
      {notice.value !== undefined && (
        <p class={`banner ${notice.value.state}`}>
          <Mark state={notice.value.state} />
          <Text text={notice.value.text} />
          <button
            type="button"
            class="link"
            onClick={() => {
              notice.value = undefined;
            }}
          >
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

/** Says to screen readers which nodes changed their state, and nothing else. */
function Announcements() {
  const [text, setText] = useState('');
  useEffect(() => {
    let last: Readonly<Record<string, PageNode>> = {};
    return effect(() => {
      const changed = Object.values(nodes.value).filter(({ id, state }) => (last[id]?.state ?? state) !== state);
      last = nodes.value;
      if (changed.length > 0)
        setText(changed.map(({ title, state, word }) => `${title}: ${state}, ${word}`).join('. '));
    });
  }, []);
  return (
    <p class="hidden" aria-live="polite">
      <Text text={text.slice(0, 500)} />
    </p>
  );
}

effect(() => {
  const { stack } = header.value ?? {};
  const sign = { ok: '', notice: '', wrong: '✖ ', unknown: '? ' }[summary.value.state];
  document.title = stack === undefined ? 'promstack' : `${sign}${stack.slice(0, 60)} · promstack`;
});

render(<App />, document.body);
follow();
