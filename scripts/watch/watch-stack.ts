import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { Engine } from '../engine/engine.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { unreachable } from '../util/unreachable.ts';
import { openFileEvents } from './file-events.ts';
import { stackReader } from './read-stack.ts';
import { sweepGroups } from './sweep.ts';
import { type Synced, syncStack } from './sync.ts';
import { warmSession } from './warm-session.ts';
import { Watch } from './watch.ts';

/** What watching a stack needs. */
export interface WatchStackOptions {
  readonly engine: Engine;
  readonly file: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** End as soon as nothing is pending. */
  readonly onceIdle: boolean;
  /** Takes what became of the files, each time that is something new. */
  onSynced(synced: Synced): void;
  /** Takes a warning, each once as long as it stays. */
  onWarning(warning: Diagnostic): void;
  /** Nothing is pending. */
  onIdle(): void;
}

/** Makes the stack run its files after each change of them, until it is told to stop; answers what became of the last ones. */
export async function watchStack(options: WatchStackOptions): Promise<Synced> {
  const { engine, clock, report, onceIdle } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const reader = stackReader(options);
  await using session = warmSession(engine);
  const telling = tellOnce(options);
  let config: StackConfig | undefined;
  let judgedTests = noTests;
  let last: { readonly read: string; readonly synced: Synced } = {
    read: '',
    synced: { kind: 'postponed', why: 'nothing was read yet' },
  };

  const watch: Watch = new Watch({
    clock,
    signal,
    async sync() {
      const { rendering, paths } = await reader.read();
      // What changes while the new folders are not watched yet would be missed: they are read once more.
      if (paths !== undefined && (await events.watch(paths))) watch.changed();
      if (rendering.ok) config = rendering.value.config;
      const read = rendering.ok ? nameOf(rendering.value) : '';
      // Read again and found the same: nothing is new since it was made live.
      if (read !== '' && last.read === read && last.synced.kind === 'live') return 'ended';
      const warnings: Diagnostic[] = rendering.ok ? [...rendering.warnings] : [];
      const quiet = withoutSteps(report, (warning) => warnings.push(warning));
      const tests = rendering.ok ? testsOf(rendering.value) : judgedTests;
      const judgesTests = tests !== judgedTests;
      const synced: Synced = rendering.ok
        ? await syncStack(rendering.value, { ...options, session, report: quiet, signal, judgesTests })
        : { kind: 'wrong', diagnostics: rendering.error };
      if (synced.kind === 'live') judgedTests = tests;
      last = { read, synced };
      telling(synced, warnings);
      return synced.kind === 'postponed' ? 'postponed' : 'ended';
    },
    onIdle() {
      options.onIdle();
      if (onceIdle) stopping.abort();
    },
  });
  await using events = openFileEvents(
    (path) => {
      reader.changed(path);
      watch.changed();
    },
    (why) => report({ kind: 'warning', text: `some files cannot be watched: ${why}` }),
  );
  const sweeping = onceIdle ? undefined : sweepGroups({ engine, config: () => config, clock, report, signal });
  try {
    await watch.run();
  } finally {
    stopping.abort();
    await sweeping;
  }
  return last.synced;
}

/** Names everything a rendering makes of the engine, and the tests that may refuse it. */
function nameOf(rendering: Rendering): string {
  const { revision, services } = rendering;
  return JSON.stringify([revision, services.map(({ container }) => container), testsOf(rendering)]);
}

/** The person's own tests, as one text. */
const testsOf = ({ written }: Rendering): string => JSON.stringify(written?.tests ?? []);
const noTests = '[]';

/** Tells what became of the files and the warnings about them, each only when it is something new. */
function tellOnce({ onSynced, onWarning }: Pick<WatchStackOptions, 'onSynced' | 'onWarning'>) {
  let lastText = '';
  let lastWarnings = new Set<string>();
  return (synced: Synced, warnings: readonly Diagnostic[]): void => {
    const told = new Map(warnings.map((warning) => [JSON.stringify(warning), warning]));
    for (const [text, warning] of told) {
      if (!lastWarnings.has(text)) onWarning(warning);
    }
    lastWarnings = new Set(told.keys());
    const text = textOf(synced);
    if (text !== lastText) onSynced(synced);
    lastText = text;
  };
}

/** What makes one end the same as another for a person. */
function textOf(synced: Synced): string {
  switch (synced.kind) {
    case 'live':
      return `live ${synced.revision} ${synced.changed === undefined ? '' : synced.tookMs}`;
    case 'wrong':
      return JSON.stringify(synced.diagnostics);
    case 'refused':
      return synced.error.message;
    case 'postponed':
      return synced.why;
    default:
      return unreachable(synced);
  }
}

/** A change under watch takes part of a second: what became of it is enough. */
function withoutSteps(report: Report, onWarning: (warning: Diagnostic) => void): Report {
  return (event) => {
    if (event.kind === 'diagnostic') onWarning(event.diagnostic);
    if (event.kind === 'note' || event.kind === 'warning') report(event);
  };
}
