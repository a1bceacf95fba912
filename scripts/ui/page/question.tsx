import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageError } from '../page-requests.ts';
import type { PageAlert, PageGroup, PageSilence } from '../page-state.ts';
import { bytesText, plural } from './format.ts';
import { type Answer, act } from './server.ts';
import { header, notice } from './store.ts';
import { labelsText, Text } from './texts.tsx';

/** What to ask before something is changed. */
interface Question {
  readonly title: string;
  /** What it does and whether it can be undone. */
  readonly body: ComponentChildren;
  /** The button that does it. */
  readonly confirm: string;
  readonly isDangerous?: boolean;
  send(values: FormData): Promise<Answer<{ readonly text: string }>>;
}

const question = signal<Question | undefined>(undefined);

export function askSilence({ name, labels }: PageAlert): void {
  question.value = {
    title: 'Silence this alert?',
    confirm: 'Silence',
    body: (
      <>
        <p>
          Alertmanager notifies nobody of alerts with these labels until the silence ends. The alert itself stays
          visible.
        </p>
        <p class="quoted">
          <Text text={labelsText({ alertname: name, ...labels })} />
        </p>
        <label class="field">
          For{' '}
          <select name="minutes">
            <option value="30">30 minutes</option>
            <option value="120" selected>
              2 hours
            </option>
            <option value="480">8 hours</option>
            <option value="1440">1 day</option>
            <option value="10080">7 days</option>
          </select>
        </label>
        <label class="field">
          Reason <input name="comment" required maxLength={1_000} autoComplete="off" />
        </label>
      </>
    ),
    send: (values) =>
      act('silence', {
        matchers: Object.entries({ alertname: name, ...labels }).map(
          ([label, value]) => `${label}=${JSON.stringify(value)}`,
        ),
        minutes: Number(values.get('minutes')),
        comment: String(values.get('comment')),
      }),
  };
}

export function askExpire({ id, matchers, comment }: PageSilence): void {
  question.value = {
    title: 'End this silence now?',
    confirm: 'End silence',
    body: (
      <>
        <p>Alerts that it matches are notified again from now on.</p>
        <p class="quoted">
          <Text text={matchers.join(', ')} />
        </p>
        <p class="dim">
          <Text text={comment} />
        </p>
      </>
    ),
    send: () => act('expire-silence', { id }),
  };
}

export function askDelete({ id, job, labels, series, bytes }: PageGroup): void {
  question.value = {
    title: 'Delete this group?',
    confirm: 'Delete group',
    isDangerous: true,
    body: (
      <>
        <p>
          The Pushgateway forgets {plural(series, 'series', 'series')} ({bytesText(bytes)}) of this group. They come
          back with its next push only.
        </p>
        <p class="quoted">
          <Text text={labelsText({ job, ...labels })} />
        </p>
      </>
    ),
    send: () => act('delete-group', { id }),
  };
}

export function askReload(): void {
  question.value = {
    title: 'Reload the stack?',
    confirm: 'Reload',
    body: (
      <p>
        The files of <Text text={header.value?.file ?? 'stack.yml'} /> are checked, written and reloaded as{' '}
        <code>promstack reload</code> does; containers stay. If a server refuses them, the running revision is restored.
      </p>
    ),
    send: () => act('reload', {}),
  };
}

export function askRollback(revision: string): void {
  question.value = {
    title: 'Roll back to this revision?',
    confirm: 'Roll back',
    isDangerous: true,
    body: (
      <p>
        The servers run revision <code>{revision.slice(0, 12)}</code> again. stack.yml is not edited: until it is, it
        differs from what runs, and the next <code>up</code> or an edit under <code>watch</code> applies it.
      </p>
    ),
    send: () => act('rollback', { revision }),
  };
}

export function askVerify(): void {
  question.value = {
    title: 'Send a test alert through the pipeline?',
    confirm: 'Verify',
    body: (
      <p>
        <code>promstack verify</code> pushes a canary metric, waits for its alert and for its delivery to a receiver of
        its own, and removes it afterwards. No other receiver is notified.
      </p>
    ),
    send: () => act('verify', {}),
  };
}

/** The question that is open. The element that had the focus gets it back. */
export function QuestionDialog() {
  const asked = question.value;
  return asked === undefined ? null : <Dialog key={asked.title} question={asked} />;
}

function Dialog({ question: { title, body, confirm, isDangerous = false, send } }: { readonly question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isSending, setSending] = useState(false);
  const [error, setError] = useState<PageError>();

  useEffect(() => {
    const { activeElement } = document;
    dialog.current?.showModal();
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, []);

  const submit = async (form: HTMLFormElement): Promise<void> => {
    setSending(true);
    setError(undefined);
    const answer = await send(new FormData(form));
    setSending(false);
    if ('error' in answer) setError(answer.error);
    else {
      notice.value = { state: 'ok', text: answer.value.text };
      question.value = undefined;
    }
  };

  return (
    <dialog
      ref={dialog}
      aria-labelledby="question-title"
      onClose={() => {
        question.value = undefined;
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <h2 id="question-title">{title}</h2>
        {body}
        {error !== undefined && <Failure error={error} />}
        <div class="answers">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={isDangerous ? 'dangerous' : 'primary'} disabled={isSending}>
            {isSending ? 'Waiting…' : confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** What was being done, why it failed and what to try. */
export function Failure({ error: { doing, why, tryThis } }: { readonly error: PageError }) {
  return (
    <div class="failure" role="alert">
      <p>
        <Text text={doing} />: <Text text={why} />
      </p>
      {tryThis !== undefined && (
        <p class="try">
          <Text text={tryThis} />
        </p>
      )}
    </div>
  );
}
