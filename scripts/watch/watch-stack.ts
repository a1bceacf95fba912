import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { Run } from '../apply/run.ts';
import type { FileOptions } from '../config/stack-file.ts';
import type { Rendering } from '../render/rendering.ts';
import { certificateNeeds } from '../state/internal-ca.ts';
import { nameOfUnnamed } from '../state/origin.ts';
import { rememberedFinder } from '../state/remembered.ts';
import type { Report } from '../util/event.ts';
import { unreachable } from '../util/unreachable.ts';
import { openFileEvents } from './file-events.ts';
import { stackReader } from './read-stack.ts';
import { type Synced, syncStack, type TakeOverOptions } from './sync.ts';
import { followTargets } from './targets.ts';
import { Watch } from './watch.ts';

export interface WatchStackOptions extends Run, Omit<FileOptions, 'signal'>, TakeOverOptions {
  /** Stop as soon as nothing is pending. */
  readonly onceIdle: boolean;
  /** Called with the result of each read of the files that differs from the previous result. */
  onSynced(synced: Synced): void;
  /** Called with each warning, once while it persists. */
  onWarning(warning: Diagnostic): void;
  /** Called when nothing is pending. */
  onIdle(): void;
}

/** Certificates of the internal CA are looked at this often without an edit. */
const certificatesMs = 3_600_000;

/** Applies the files after each change until the signal aborts; returns the last result. */
export async function watchStack(options: WatchStackOptions): Promise<Synced> {
  const { engine, clock, report, onceIdle } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  // Decided once: the engine may be away later.
  let name: Promise<string> | undefined;
  const reader = stackReader({
    ...options,
    findRemembered: rememberedFinder(engine),
    nameUnnamed: (origin, folderName) => {
      name ??= nameOfUnnamed(engine, origin, folderName);
      return name;
    },
  });
  const notify = notifyOnce(options);
  let liveConfig: StackConfig | undefined;
  let lastTests = noTests;
  /** Whether an hour has passed, and not only an edit been made. */
  let isHourly = false;
  let usesInternalCa = false;
  let last: { readonly read: string; readonly synced: Synced } = {
    read: '',
    synced: { kind: 'postponed', why: 'nothing was read yet' },
  };

  const watch: Watch = new Watch({
    clock,
    signal,
    async sync() {
      const { rendering, paths } = await reader.read();
      // A change before the new folders are watched would be missed, so they are read once more.
      if (paths !== undefined && (await events.watch(paths))) watch.changed();
      const read = rendering.ok ? identityOf(rendering.value) : '';
      const isSame = read !== '' && last.read === read && last.synced.kind === 'live';
      // The same files are already live; certificates may have to be renewed for them.
      if (isSame && !isHourly) return 'ended';
      isHourly = false;
      const warnings: Diagnostic[] = rendering.ok ? [...rendering.warnings] : [];
      const quiet = withoutSteps(report, (warning) => warnings.push(warning));
      const tests = rendering.ok ? testsOf(rendering.value) : lastTests;
      const runTests = tests !== lastTests;
      const synced: Synced = rendering.ok
        ? await syncStack(rendering.value, { ...options, report: quiet, signal, runTests, followsTargets: !onceIdle })
        : { kind: 'wrong', diagnostics: rendering.error };
      if (synced.kind === 'live' && rendering.ok) {
        lastTests = tests;
        liveConfig = rendering.value.config;
        usesInternalCa = hasInternalCa(rendering.value);
        targets?.changed();
      }
      last = { read, synced };
      if (!isSame || synced.kind !== 'live' || synced.changed !== undefined) notify(synced, warnings);
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
  const targets = onceIdle ? undefined : followTargets({ engine, config: () => liveConfig, clock, report, signal });
  const lookHourly = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(certificatesMs, signal).catch(() => undefined);
      if (!usesInternalCa) continue;
      isHourly = true;
      watch.changed();
    }
  };
  const hours = lookHourly();
  try {
    await watch.run();
  } finally {
    stopping.abort();
    await Promise.all([targets?.ended, hours]);
  }
  return last.synced;
}

/** Identifies a rendering by all that is applied to the engine, and by its tests. */
function identityOf(rendering: Rendering): string {
  const { revision, services } = rendering;
  return JSON.stringify([revision, services.map(({ container }) => container), testsOf(rendering)]);
}

const hasInternalCa = ({ services }: Rendering): boolean =>
  certificateNeeds(services.map(({ service, container, files }) => ({ service, spec: container, release: { files } })))
    .length > 0;

/** The user's own tests, as one string. */
const testsOf = ({ written }: Rendering): string => JSON.stringify(written?.tests ?? []);
const noTests = '[]';

/** Passes on only new results and warnings. */
function notifyOnce({ onSynced, onWarning }: Pick<WatchStackOptions, 'onSynced' | 'onWarning'>) {
  let lastText = '';
  let lastWarnings = new Set<string>();
  return (synced: Synced, warnings: readonly Diagnostic[]): void => {
    const current = new Map(warnings.map((warning) => [JSON.stringify(warning), warning]));
    for (const [text, warning] of current) {
      if (!lastWarnings.has(text)) onWarning(warning);
    }
    lastWarnings = new Set(current.keys());
    const text = textOf(synced);
    if (text !== lastText) onSynced(synced);
    lastText = text;
  };
}

/** Results with the same text are equal for the user. */
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

/** A change under watch takes less than a second, so only its result is reported. */
function withoutSteps(report: Report, onWarning: (warning: Diagnostic) => void): Report {
  return (event) => {
    if (event.kind === 'diagnostic') onWarning(event.diagnostic);
    if (event.kind === 'note' || event.kind === 'warning') report(event);
  };
}
