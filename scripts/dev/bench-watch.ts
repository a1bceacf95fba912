/**
 * How long an edit of one rule file takes under `watch` until it is confirmed live, beside the least that a reload
 * with a check can take: `promtool check config` by exec and a POST to /-/reload. Both in turn, so that what else the
 * machine does falls on both alike.
 *
 * Run it with `npx tsx scripts/dev/bench-watch.ts [EDITS]`; it brings up stacks of its own and removes them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeStack } from '../apply/change.ts';
import { takeDown } from '../apply/take-down.ts';
import { connect } from '../engine/connect.ts';
import type { Engine } from '../engine/engine.ts';
import { names } from '../state/names.ts';
import { systemClock } from '../util/clock.ts';
import { freePort } from '../util/ports.ts';
import { stackReader } from '../watch/read-stack.ts';
import type { Synced } from '../watch/sync.ts';
import { watchStack } from '../watch/watch-stack.ts';

const edits = Number(process.argv[2] ?? 15);
const few = await measure(10);
const many = await measure(1_000);
tell('10 rule files', few);
tell('1,000 rule files', many);
console.log(`1,000 files take ${(median(many.watched) / median(few.watched)).toFixed(2)} times as long as 10`);

interface Measured {
  readonly watched: readonly number[];
  readonly bare: readonly number[];
  /** Of the bare ones, what the server itself takes to read its files again. */
  readonly reload: readonly number[];
}

async function measure(files: number): Promise<Measured> {
  const name = `bench-watch-${process.pid}-${files}`;
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  await mkdir(join(folder, 'rules'));
  const [prometheus, alertmanager, pushgateway] = [
    await freePort('127.0.0.1'),
    await freePort('127.0.0.1'),
    await freePort('127.0.0.1'),
  ];
  writeFileSync(
    join(folder, 'stack.yml'),
    [
      `name: ${name}`,
      'images: {source: auto}',
      'grafana: {enabled: false}',
      `pushgateway: {port: ${pushgateway}}`,
      `alertmanager: {port: ${alertmanager}}`,
      `prometheus: {port: ${prometheus}, rules: [rules/*.yml]}`,
      '',
    ].join('\n'),
  );
  for (let at = 0; at < files; at++) writeFileSync(join(folder, 'rules', `${at}.yml`), rule(at, 0));
  const engine = await connect({ env: process.env });
  // Checks that passed are remembered by the user's cache: what an earlier run of this proved is no help here.
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  const common = { engine, env, report: () => undefined, clock: systemClock };
  const stopping = new AbortController();
  try {
    const { rendering } = await stackReader({ file: undefined, cwd: folder, env: process.env }).read();
    if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
    const signal = AbortSignal.timeout(600_000);
    await changeStack({ ...common, rendering: rendering.value, command: 'bench', signal });

    let onSynced: (synced: Synced) => void = () => undefined;
    let onIdle = (): void => undefined;
    const idle = (): Promise<void> => new Promise((resolve) => (onIdle = resolve));
    const firstIdle = idle();
    const watching = watchStack({
      ...common,
      file: undefined,
      cwd: folder,
      signal: stopping.signal,
      onceIdle: false,
      onSynced: (synced) => onSynced(synced),
      onWarning: () => undefined,
      onIdle: () => onIdle(),
    });
    await firstIdle;
    const watched: number[] = [];
    const bare: number[] = [];
    const reload: number[] = [];
    for (let edit = 1; edit <= edits; edit++) {
      const at = edit % files;
      watched.push(
        await timed(async () => {
          const live = new Promise<Synced>((resolve) => (onSynced = resolve));
          const nowIdle = idle();
          writeFileSync(join(folder, 'rules', `${at}.yml`), rule(at, edit));
          const synced = await live;
          if (synced.kind !== 'live' || synced.changed === undefined) throw new Error(JSON.stringify(synced));
          void nowIdle;
        }),
      );
      await systemClock.sleep(300);
      const check = await timed(() => checkConfig(engine, names.container(name, 'prometheus')));
      reload.push(await timed(() => reloadPrometheus(prometheus)));
      bare.push(check + (reload.at(-1) ?? 0));
      await systemClock.sleep(100);
    }
    stopping.abort(new Error('measured'));
    await watching;
    return { watched: watched.slice(1), bare: bare.slice(1), reload: reload.slice(1) };
  } finally {
    stopping.abort(new Error('over'));
    await takeDown({ ...common, stack: name, volumes: true, signal: AbortSignal.timeout(120_000) });
    await engine[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

async function checkConfig(engine: Engine, container: string): Promise<void> {
  const id = (await engine.findContainer(container))?.id ?? '';
  const config = '/etc/promstack/current/prometheus.yml';
  const { exitCode, stdout } = await engine.exec(id, ['promtool', 'check', 'config', config]);
  if (exitCode !== 0) throw new Error(stdout);
}

async function reloadPrometheus(port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/-/reload`, { method: 'POST' });
  if (status !== 200) throw new Error(`the reload answers ${status}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function rule(at: number, edit: number): string {
  return `groups:\n  - name: g${at}\n    rules:\n      - alert: A${at}\n        expr: up{job="j${at}"} == ${edit + 2}\n        for: 5m\n        labels: {severity: page}\n`;
}

function tell(what: string, { watched, bare, reload }: Measured): void {
  const [live, least, own] = [median(watched), median(bare), median(reload)];
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  console.log(
    `${what}: edit to confirmed live ${ms(live)}; bare check and reload ${ms(least)}, of which the server's reload ${ms(own)}; ` +
      `ratio ${(live / least).toFixed(2)} (medians of ${watched.length})`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
