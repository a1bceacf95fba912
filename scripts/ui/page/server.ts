import type { PageActions, PageError } from '../page-requests.ts';
import type { PageChange, Snapshot } from '../page-state.ts';
import { connection, takeChange, takeSnapshot } from './store.ts';

/** How long to wait before the next attempt, by the number of those that failed. */
const pausesMs = [500, 1_000, 2_000, 5_000];
/** The server sends at least a change of the header this often, unless it hangs. */
const silentMs = 20_000;

/** Follows the server's events for as long as the page is open, and connects again whenever they end. */
export function follow(): void {
  let failed = 0;
  const connect = (): void => {
    const events = new EventSource(address('events'));
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      failed = 0;
      if (connection.value.state !== 'open') connection.value = { state: 'open', since: Date.now() };
      clearTimeout(watchdog);
      watchdog = setTimeout(lose, silentMs);
    };
    const lose = (): void => {
      clearTimeout(watchdog);
      events.close();
      if (connection.value.state !== 'lost') connection.value = { state: 'lost', since: Date.now() };
      setTimeout(connect, pausesMs[Math.min(failed, pausesMs.length - 1)]);
      failed += 1;
    };
    events.addEventListener('snapshot', ({ data }: MessageEvent<string>) => {
      takeSnapshot(JSON.parse(data) as Snapshot);
      heard();
    });
    events.addEventListener('change', ({ data }: MessageEvent<string>) => {
      takeChange(JSON.parse(data) as PageChange);
      heard();
    });
    events.addEventListener('error', lose);
  };
  connect();
}

/** An answer of the server, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly error: PageError };

export async function get<T>(path: string, query: Readonly<Record<string, string>>): Promise<Answer<T>> {
  return answer<T>(`read the ${path}`, `${path}?${new URLSearchParams(query)}`, {});
}

export async function act<Name extends keyof PageActions>(
  name: Name,
  body: PageActions[Name],
): Promise<Answer<{ readonly text: string }>> {
  return answer(name.replaceAll('-', ' '), name, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-promstack-page': '1' },
    body: JSON.stringify(body),
  });
}

async function answer<T>(doing: string, path: string, init: RequestInit): Promise<Answer<T>> {
  try {
    const response = await fetch(address(path), init);
    const content = (await response.json()) as unknown;
    return response.ok ? { value: content as T } : { error: content as PageError };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { error: { doing, why: `the server of this page did not answer (${why})` } };
  }
}

/** Relative to the page, whose address has the token. */
function address(path: string): string {
  return new URL(`api/${path}`, document.baseURI).href;
}
