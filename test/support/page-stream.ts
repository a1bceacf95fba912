import { applyChange, type PageChange, type PageState, type Snapshot } from '../../scripts/ui/page-state.ts';
import { eventually } from './eventually.ts';

/** The live stream of a page, read as a browser does. */
export interface PageStream extends AsyncDisposable {
  /** Undefined before the first snapshot. */
  readonly state: PageState | undefined;
  /** How many snapshots have come. */
  readonly snapshots: number;
  /** Waits until the state is such that the check passes, and returns what it returns. */
  until<T>(check: (state: PageState) => T, deadlineMs?: number): Promise<T>;
}

/** Opens the stream at a URL. */
export async function openPageStream(url: string): Promise<PageStream> {
  const controller = new AbortController();
  const { body, status } = await fetch(url, { signal: controller.signal });
  if (body === null || status !== 200) throw new Error(`${url} answers ${status}`);
  let state: PageState | undefined;
  let snapshots = 0;
  const take = (name: string | undefined, data: string): void => {
    if (name === 'snapshot') {
      snapshots += 1;
      ({ state } = JSON.parse(data) as Snapshot);
    } else if (state !== undefined) state = applyChange(state, JSON.parse(data) as PageChange);
  };
  const reading = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        take(name, data);
      }
    }
  })().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return {
    get state() {
      return state;
    },
    get snapshots() {
      return snapshots;
    },
    until: (check, deadlineMs) =>
      eventually(() => {
        if (state === undefined) throw new Error('no snapshot has come');
        return check(state);
      }, deadlineMs),
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await reading;
    },
  };
}
