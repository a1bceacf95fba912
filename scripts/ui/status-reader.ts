import type { StackConfig } from '../../stack/config.ts';
import type { Engine } from '../engine/engine.ts';
import { type StackStatus, takeStatus } from '../inspect/status.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Clock } from '../util/clock.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import type { PageProblem } from './page-state.ts';

interface StatusReaderOptions {
  readonly engine: Engine;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** Used until the stack is rendered. */
  readonly config: StackConfig;
  /** Rejects with an InputError while the stack is invalid. */
  render(): Promise<Rendering>;
}

/** Reads what `promstack status` says; while stack.yml is invalid, by the last rendering that was valid. */
export class StatusReader {
  readonly #options: StatusReaderOptions;
  #rendering: Rendering | undefined;
  #status: StackStatus | undefined;
  #mistakes: readonly PageProblem[] = [];

  constructor(options: StatusReaderOptions) {
    this.#options = options;
  }

  async read(): Promise<void> {
    const { engine, clock, signal } = this.#options;
    const rendering = await this.#render();
    const status = await takeStatus({ engine, rendering, clock, signal });
    this.#status = this.isInvalid ? withoutEdits(status) : status;
  }

  get config(): StackConfig {
    return this.#rendering?.config ?? this.#options.config;
  }

  get status(): StackStatus | undefined {
    return this.#status;
  }

  /** Whether stack.yml cannot be rendered as it is. */
  get isInvalid(): boolean {
    return this.#mistakes.length > 0;
  }

  /** The mistakes in stack.yml and its files. */
  get mistakes(): readonly PageProblem[] {
    return this.#mistakes;
  }

  async #render(): Promise<Rendering> {
    try {
      this.#rendering = await this.#options.render();
      this.#mistakes = [];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#mistakes = error.diagnostics.map(({ severity, message, hint, where }) => ({
        state: severity === 'error' ? 'wrong' : 'notice',
        message: where === undefined ? message : `${where.file}:${where.line}:${where.column} ${message}`,
        tryThis: hint,
      }));
    }
    if (this.#rendering !== undefined) return this.#rendering;
    throw new StackError({ doing: 'reading the status', why: 'stack.yml is invalid' });
  }
}

/** Without what differs from a stack.yml that is no longer there; what was changed by hand stays. */
function withoutEdits(status: StackStatus): StackStatus {
  const edits = (status.drift ?? []).filter(({ tone }) => tone === 'notice');
  const isEdit = (of: string, text: string): boolean =>
    edits.some(({ service, message }) => service === of && message === text);
  return {
    ...status,
    problems: status.problems.filter(({ service, message }) => !isEdit(service, message)),
    drift: [],
  };
}
