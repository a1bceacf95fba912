import type { ServerResponse } from 'node:http';
import type { Clock } from '../util/clock.ts';
import { changeBetween } from './page-changes.ts';
import type { Snapshot } from './page-state.ts';

/** Makes the states of a page. */
export interface StateSource {
  /** Starts what is due. */
  start(): void;
  /** Whether everything has been read once. */
  readonly isComplete: boolean;
  /** What is known now; `isNew` adds it to the past of the rates. */
  snapshot(options: { readonly isNew: boolean }): Snapshot;
  /** Nobody watches any more. */
  pause(): void;
}

/** A page that listens. */
interface Client {
  readonly response: ServerResponse;
  /** `behind`: it has not read what was sent, and gets a snapshot when it has. */
  state: 'current' | 'behind';
  behindSince: number;
}

/** The most pages that listen at once. */
export const mostClients = 16;
/** The pause between two samples: a short one until all has been seen once. */
const pauseMs = 1_000;
const firstPauseMs = 200;
/** A page that reads nothing for so long is disconnected. */
const silentMs = 10_000;

/**
 * Sends one stream of samples to all pages, and samples only while there is one.
 *
 * INVARIANTS:
 * - for a page at most one snapshot and one change wait to be read, however slow it is;
 * - one page does not hold up another, nor the samples.
 */
export class PageFeed {
  readonly #source: StateSource;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #clients = new Set<Client>();
  #last: Snapshot;
  /** As it is sent, once a page has asked for it. */
  #lastText: string | undefined;
  #wake: () => void = () => undefined;
  #pause = new AbortController();

  constructor(source: StateSource, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#source = source;
    this.#clock = clock;
    this.#signal = signal;
    this.#last = source.snapshot({ isNew: false });
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Sends the stream until the page or the feed ends; the headers have been sent. */
  add(response: ServerResponse): void {
    const client: Client = { response, state: 'current', behindSince: 0 };
    this.#clients.add(client);
    response.once('close', () => this.#clients.delete(client));
    // A connection that breaks is closed.
    response.on('error', () => this.#clients.delete(client));
    this.#sendSnapshot(client);
    this.#wake();
  }

  /** A sample at once, such as after an action. */
  hurry(): void {
    this.#pause.abort();
  }

  /** Samples until the signal aborts; rejects with an internal error. */
  async run(): Promise<void> {
    const stop = (): void => {
      this.#pause.abort();
      this.#wake();
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      while (!this.#signal.aborted) {
        if (this.#clients.size === 0) await this.#firstClient();
        if (this.#signal.aborted) break;
        this.#source.start();
        await this.#sleep(this.#source.isComplete ? pauseMs : firstPauseMs);
        this.#send();
      }
    } finally {
      this.#signal.removeEventListener('abort', stop);
      for (const { response } of this.#clients) response.destroy();
    }
  }

  async #firstClient(): Promise<void> {
    this.#source.pause();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => undefined;
  }

  async #sleep(ms: number): Promise<void> {
    this.#pause = new AbortController();
    await this.#clock.sleep(ms, AbortSignal.any([this.#pause.signal, this.#signal])).catch(() => undefined);
  }

  #send(): void {
    const before = this.#last;
    this.#last = this.#source.snapshot({ isNew: true });
    this.#lastText = undefined;
    const change = toEvent('change', changeBetween(before.state, this.#last.state));
    const now = this.#clock.now();
    for (const client of this.#clients) {
      if (client.state === 'current') this.#write(client, change);
      else if (now - client.behindSince > silentMs) client.response.destroy();
    }
  }

  #sendSnapshot(client: Client): void {
    client.state = 'current';
    this.#lastText ??= toEvent('snapshot', this.#last);
    this.#write(client, this.#lastText);
  }

  #write(client: Client, text: string): void {
    const { response } = client;
    if (response.write(text)) return;
    client.state = 'behind';
    client.behindSince = this.#clock.now();
    const sent = this.#last;
    response.once('drain', () => this.#sendIfMissed(client, sent));
  }

  /** The page has read all that was sent: what it missed since is in a snapshot. */
  #sendIfMissed(client: Client, sent: Snapshot): void {
    if (this.#last === sent) client.state = 'current';
    else this.#sendSnapshot(client);
  }
}

/** JSON has no line breaks of its own. */
function toEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
