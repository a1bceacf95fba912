import type { StackConfig } from '../../stack/config.ts';
import type { Engine } from '../engine/engine.ts';
import { openServers, type Servers } from '../servers/servers.ts';

/** The connections to the servers of a stack, which are opened again when its containers change. */
export class StackServers implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  #servers: Promise<Servers> | undefined;
  #former: Promise<Servers> | undefined;

  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  async open(config: StackConfig): Promise<Servers> {
    this.#servers ??= openServers(this.#engine, config, this.#signal);
    const opening = this.#servers;
    try {
      return await opening;
    } catch (error) {
      if (this.#servers === opening) this.#servers = undefined;
      throw error;
    }
  }

  /** Other connections are opened; requests that are under way end on the former ones, which are closed the next time. */
  async retire(): Promise<void> {
    const former = this.#former;
    this.#former = this.#servers;
    this.#servers = undefined;
    (await former?.catch(() => undefined))?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.retire();
    await this.retire();
  }
}
