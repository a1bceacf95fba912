import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseDuration } from '../../../stack/values/units.ts';
import { chooseRevision, rollBack } from '../../apply/roll-back.ts';
import type { Run } from '../../apply/run.ts';
import { type StartStopOptions, startStop } from '../../apply/start-stop.ts';
import type { RunningStack } from '../../library/running-stack.ts';
import type { Rendering } from '../../render/rendering.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Scenario, ScenarioStep } from './scenario.ts';

/** What a step had done when it was finished. */
export interface PlayedStep {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly say: string;
  /** What was seen: an alert, a notification, a refused reload. */
  readonly seen: readonly string[];
  /** URLs of pages that show it. */
  readonly look: readonly string[];
  readonly tookMs: number;
}

interface PlayOptions {
  readonly run: Run;
  readonly stack: RunningStack;
  readonly rendering: Rendering;
  /** A copy of the scenario's folder, in which edits are made. */
  readonly folder: string;
  /** By how much pauses are shortened, and what a step lasts at least. */
  readonly speed: number;
  /** Called before a step, and after it. */
  onStart(step: Pick<PlayedStep, 'step' | 'steps' | 'say'>): void;
  onEnd(step: PlayedStep): void;
  /** Marks a change on the dashboards. */
  mark(text: string): Promise<void>;
}

/** How long a step lasts at least: it can be read then, and looked at, and the marks of two steps are apart on the dashboards. */
const leastMs = 4_000;
/** How long an alert or a notification may take. */
const timeoutMs = 180_000;
/** Between two pushes of a value that changes. */
const pushMs = 1_000;

/** Plays the steps of a scenario; rejects with a StackError when something does not happen that should. */
export async function playScenario({ steps }: Scenario, options: PlayOptions): Promise<void> {
  const { clock, signal } = options.run;
  const since = new Date(clock.now());
  for (const [at, step] of steps.entries()) {
    signal.throwIfAborted();
    const head = { step: at + 1, steps: steps.length, say: step.say };
    options.onStart(head);
    const startedAt = clock.now();
    const seen = await play(step, `${head.step}/${head.steps} ${step.say}`, since, options);
    const look = step.look.flatMap((page) => urlOf(page, options.stack) ?? []);
    const tookMs = clock.now() - startedAt;
    options.onEnd({ ...head, seen, look, tookMs });
    const restMs = leastMs / options.speed - tookMs;
    if (restMs > 0 && head.step < head.steps) await clock.sleep(restMs, signal);
  }
}

async function play(step: ScenarioStep, mark: string, since: Date, options: PlayOptions): Promise<readonly string[]> {
  const { stack, run, speed } = options;
  const changes = [step.push, step.stop, step.start, step.reload, step.rollback];
  if (changes.some((change) => change !== undefined)) await options.mark(mark);
  const seen: string[] = [];
  if (step.push !== undefined) await pushValues(step.push, options);
  if (step.stop !== undefined) await switchService('stop', step.stop, options);
  if (step.start !== undefined) await switchService('start', step.start, options);
  if (step.reload !== undefined) seen.push(await edit(step.reload, options));
  if (step.rollback === true) seen.push(await restore(options));
  if (step.pause !== undefined) await run.clock.sleep((parseDuration(step.pause) ?? 0) / speed, run.signal);
  if (step.until !== undefined) {
    await stack.waitFor(step.until, undefined, { timeoutMs });
    seen.push(`Prometheus has ${step.until}`);
  }
  if (step.alert !== undefined) {
    const { name, state } = step.alert;
    const [alert] = await stack.waitForAlert(name, { state, timeoutMs });
    const summary = alert?.annotations['summary'];
    seen.push(`alert ${name} is ${state}${summary === undefined ? '' : `: ${summary}`}`);
  }
  if (step.notification !== undefined) {
    const { alert: name, status } = step.notification;
    const { receiver, alerts } = await stack.waitForNotification(name, { status, since, timeoutMs });
    const summary = alerts.find(({ labels }) => labels['alertname'] === name)?.annotations['summary'];
    seen.push(`${receiver} was notified: ${name} ${status}${summary === undefined ? '' : `, ${summary}`}`);
  }
  return seen;
}

async function pushValues(
  { group, metrics, from = 0, to = 0, over }: NonNullable<ScenarioStep['push']>,
  { stack, run: { clock, signal }, speed }: PlayOptions,
): Promise<void> {
  const { job = 'demo', ...grouping } = group;
  const lastMs = over === undefined ? 0 : (parseDuration(over) ?? 0) / speed;
  const startedAt = clock.now();
  for (;;) {
    const part = lastMs === 0 ? 1 : Math.min(1, (clock.now() - startedAt) / lastMs);
    const text = metrics
      .replaceAll('$value', String(from + (to - from) * part))
      .replaceAll('$now', String(Math.floor(clock.now() / 1_000)));
    await stack.push(text, { job, grouping });
    if (part >= 1) return;
    await clock.sleep(pushMs, signal);
  }
}

async function switchService(verb: 'stop' | 'start', service: string, { run, stack }: PlayOptions): Promise<void> {
  const choose: StartStopOptions['choose'] = (containers) =>
    new Map([...containers].filter(([name]) => name === service));
  await startStop({ ...run, stack: stack.name, verb, choose });
}

/** Writes the files and reloads; a reload that must be refused leaves the files as they were. */
async function edit(
  { files, refused }: NonNullable<ScenarioStep['reload']>,
  { stack, folder, rendering }: PlayOptions,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  try {
    const { revision } = await stack.reload();
    if (refused) throw new StackError({ doing: 'reloading a broken edit', why: 'it was accepted' });
    return `reloaded: revision ${revision} runs`;
  } catch (error) {
    if (!refused || !(error instanceof InputError)) throw error;
    const [mistake = ''] = error.message.split('\n');
    return `refused, revision ${rendering.revision} still runs: ${mistake}`;
  }
}

async function restore({ run, stack, rendering }: PlayOptions): Promise<string> {
  const choose = (history: Parameters<typeof chooseRevision>[0]) => chooseRevision(history, undefined);
  const { plan } = await rollBack({ ...run, stack: stack.name, config: rendering.config, choose });
  return `rolled back: revision ${plan.revision} runs`;
}

/** `prometheus/alerts` is the page /alerts of Prometheus; undefined when the stack does not run the service. */
function urlOf(page: string, { urls }: RunningStack): string | undefined {
  const [service = '', ...path] = page.split('/');
  const url = urls[service];
  return url === undefined ? undefined : [url, ...path].join('/');
}
