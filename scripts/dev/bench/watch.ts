import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeStack } from '../../apply/change.ts';
import { takeDown } from '../../apply/take-down.ts';
import { connect } from '../../engine/connect.ts';
import type { Engine } from '../../engine/engine.ts';
import { names } from '../../state/names.ts';
import { systemClock } from '../../util/clock.ts';
import { freePort } from '../../util/ports.ts';
import { stackReader } from '../../watch/read-stack.ts';
import type { Synced } from '../../watch/sync.ts';
import { watchStack } from '../../watch/watch-stack.ts';
import { budget, median, printTable, rounds, type Timings, timed } from './measure.ts';

/**
 * The time from an edit of a rule file under `watch` until it is confirmed live, next to the minimum for a check and a
 * reload: `promtool check config` by exec and a POST to /-/reload. Both in turn, so that other load on the machine
 * affects both.
 */
export async function benchWatch(): Promise<void> {
  for (const [files, limit] of [
    [10, 2.5],
    [1_000, 2],
  ] as const) {
    const series = await measure(files);
    printTable(`an edit of one of ${files} rule files`, series);
    const [live, check, reload] = [...series.values()].map(median) as [number, number, number];
    budget('edit to confirmed live / bare check and reload', live / (check + reload), limit);
  }
}

async function measure(files: number): Promise<ReadonlyMap<string, Timings>> {
  const name = `bench-watch-${process.pid}-${files}`;
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const port = await writeStack(folder, name, files);
  await using engine = await connect({ env: process.env });
  // In a separate cache: checks that passed in an earlier bench would be skipped.
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  const stopping = new AbortController();
  const common = { engine, env, report: () => undefined, clock: systemClock };
  try {
    const { rendering } = await stackReader({ file: undefined, cwd: folder, env }).read();
    if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
    const signal = AbortSignal.timeout(600_000);
    await changeStack({ ...common, rendering: rendering.value, command: 'bench', signal });

    let onSynced: (synced: Synced) => void = () => undefined;
    let onIdle: () => void = () => undefined;
    const idle = new Promise<void>((resolve) => (onIdle = resolve));
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
    await idle;

    const [live, checks, reloads]: [number[], number[], number[]] = [[], [], []];
    for (let edit = 1; edit <= rounds * 2; edit++) {
      const edited = async (): Promise<void> => {
        const done = new Promise<Synced>((resolve) => (onSynced = resolve));
        await writeFile(join(folder, 'rules', `${edit % files}.yml`), rule(edit % files, edit));
        const synced = await done;
        if (synced.kind !== 'live' || synced.changed === undefined) throw new Error(JSON.stringify(synced));
      };
      live.push(await timed(edited));
      await systemClock.sleep(300);
      checks.push(await timed(() => checkConfig(engine, names.container(name, 'prometheus'))));
      reloads.push(await timed(() => reloadPrometheus(port)));
      await systemClock.sleep(100);
    }
    stopping.abort(new Error('measured'));
    await watching;
    const warm = (series: Timings): Timings => series.slice(1);
    return new Map([
      ['edit to confirmed live', warm(live)],
      ['promtool check config', warm(checks)],
      ["the server's reload", warm(reloads)],
    ]);
  } finally {
    stopping.abort(new Error('over'));
    await takeDown({ ...common, stack: name, volumes: true, signal: AbortSignal.timeout(120_000) });
    await rm(folder, { recursive: true });
  }
}

/** Returns Prometheus's port. */
async function writeStack(folder: string, name: string, files: number): Promise<number> {
  const port = async (): Promise<number> => freePort('127.0.0.1');
  const prometheus = await port();
  await writeFile(
    join(folder, 'stack.yml'),
    `name: ${name}
images: {source: auto}
grafana: {enabled: false}
pushgateway: {port: ${await port()}}
alertmanager: {port: ${await port()}}
prometheus: {port: ${prometheus}, rules: [rules/*.yml]}
`,
  );
  await mkdir(join(folder, 'rules'));
  for (let at = 0; at < files; at++) await writeFile(join(folder, 'rules', `${at}.yml`), rule(at, 0));
  return prometheus;
}

function rule(at: number, edit: number): string {
  return `groups:
  - name: g${at}
    rules:
      - alert: A${at}
        expr: up{job="j${at}"} == ${edit + 2}
        for: 5m
        labels: {severity: page}
`;
}

async function checkConfig(engine: Engine, container: string): Promise<void> {
  const id = (await engine.findContainer(container))?.id ?? '';
  const config = '/etc/promstack/current/prometheus.yml';
  const { exitCode, stdout } = await engine.exec(id, ['promtool', 'check', 'config', config]);
  if (exitCode !== 0) throw new Error(stdout);
}

async function reloadPrometheus(port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/-/reload`, { method: 'POST' });
  if (status !== 200) throw new Error(`the reload returned ${status}`);
}
