import { expect, test } from 'vitest';
import type { ArchiveEntry, ContainerSummary } from '../../../scripts/engine/engine.ts';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { followTargets } from '../../../scripts/watch/targets.ts';
import { stackSchema } from '../../../stack/config.ts';
import { fakeEngine } from '../../support/engine.ts';
import { SteeredTime } from '../../support/steered-time.ts';

const config = stackSchema.parse({ name: 'mon', discovery: { labels: true } });
const app = (name: string): ContainerSummary => container(name, { 'prometheus.io/scrape': 'true' });

function container(name: string, labels: Readonly<Record<string, string>>): ContainerSummary {
  const summary = { id: name, name, image: 'x', imageId: 'x', state: 'running', status: '', createdAt: 0 } as const;
  return { ...summary, labels, hostPorts: [], networks: ['mon'] };
}

/** A follower of an engine whose containers, events and failures a test sets; it ends with the scope. */
function following({ discovers = true } = {}) {
  const time = new SteeredTime();
  const stopping = new AbortController();
  const reports: Event[] = [];
  const state = {
    apps: [] as readonly ContainerSummary[],
    isAway: false,
    listings: 0,
    connections: 0,
    files: [] as readonly ArchiveEntry[],
    config: discovers ? config : stackSchema.parse({ name: 'mon' }),
  };
  let notify: (event: string | undefined) => void = () => undefined;
  const away = (doing: string): EngineError =>
    new EngineError({ code: 'unreachable', doing, message: 'connection refused' });
  const engine = fakeEngine({
    listContainers: async () => {
      state.listings += 1;
      if (state.isAway) throw away('listing containers');
      return [container('mon-prometheus', { 'dev.promstack.stack': 'mon' }), ...state.apps];
    },
    inspectContainer: async () => ({ restartPolicy: 'no', networks: {}, exposedPorts: [8080] }),
    getFiles: async () =>
      state.files.map((entry) => ({ ...entry, path: entry.path.replace('prometheus/', '') }) as ArchiveEntry),
    putFiles: async (_, _directory, entries) => {
      state.files = entries;
    },
    async *containerEvents(signal) {
      if (state.isAway) throw away('following the events of the engine');
      state.connections += 1;
      signal.addEventListener('abort', () => notify(undefined), { once: true });
      yield 'connected';
      for (;;) {
        const event = await new Promise<string | undefined>((resolve) => {
          notify = resolve;
        });
        if (event === undefined) return;
        yield event;
      }
    },
  });
  const report = (event: Event): unknown => reports.push(event);
  const follower = followTargets({
    engine,
    config: () => state.config,
    clock: time,
    report,
    signal: stopping.signal,
  });
  return {
    state,
    follower,
    texts: () => reports.map((event) => ('text' in event ? event.text : event.kind)),
    emit: (event: string) => notify(event),
    drop: () => notify(undefined),
    /** Lets time pass in steps of 10 ms, between which everything else runs. */
    async pass(ms: number): Promise<void> {
      for (let passed = 0; passed < ms; passed += 10) {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        time.pass(10);
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** The names in the file that each of the links points to. */
    written: () =>
      state.files.flatMap((link) => {
        if (link.kind !== 'link') return [];
        const file = state.files.find(({ path }) => path === `prometheus/discovered/${link.to}`);
        const text = file?.kind === 'file' ? file.content.toString() : '';
        return [[...text.matchAll(/"instance": "(.*):8080"/g)].map(([, name]) => name).join(' ')];
      }),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await follower.ended;
    },
  };
}

test('targets must be written when the watch begins, to another file than the one being read, and again after an event', async () => {
  await using watch = following();
  watch.state.apps = [app('a')];
  await watch.pass(600);
  expect(watch.written()).toEqual(['a', 'a']);
  watch.state.apps = [app('a'), app('b')];
  const [, , before] = watch.state.files;
  watch.emit('start');
  await watch.pass(600);
  expect(watch.written()).toEqual(['a b', 'a b']);
  expect(watch.state.files.map(({ path }) => path)).not.toContain(before?.path);
  watch.state.apps = [app('b')];
  watch.emit('die');
  await watch.pass(600);
  expect(watch.written()).toEqual(['b', 'b']);
  expect(watch.texts()).toEqual([
    'discovered 1 target: a:8080',
    'discovered 1 target: b:8080',
    '1 target gone: a:8080',
  ]);
});

test('a storm of events must list the containers about once a second, and right at its end', async () => {
  await using watch = following();
  await watch.pass(600);
  watch.state.listings = 0;
  for (let at = 0; at < 500; at++) {
    watch.state.apps = [app(`app-${at}`)];
    watch.emit(at % 2 === 0 ? 'die' : 'start');
    await watch.pass(10);
  }
  await watch.pass(1_000);
  expect(watch.written()).toEqual(['app-499', 'app-499']);
  expect(watch.state.listings).toBeGreaterThan(3);
  expect(watch.state.listings).toBeLessThan(9);
});

test('containers must be listed after a lost connection, and every 30 seconds without an event', async () => {
  await using watch = following();
  await watch.pass(600);
  watch.state.apps = [app('a')];
  watch.drop();
  await watch.pass(2_000);
  expect([watch.state.connections, watch.written()[0]]).toEqual([2, 'a']);
  watch.state.apps = [app('b')];
  await watch.pass(31_000);
  expect([watch.state.connections, watch.written()[0]]).toEqual([2, 'b']);
});

test('an engine that is away must be reported once, and its events followed again when it is back', async () => {
  await using watch = following();
  watch.state.apps = [app('a')];
  await watch.pass(600);
  watch.state.isAway = true;
  watch.drop();
  watch.emit('die');
  watch.follower.changed();
  await watch.pass(8_000);
  watch.state.apps = [app('b')];
  watch.state.isAway = false;
  await watch.pass(4_000);
  expect([watch.state.connections, watch.written()[0]]).toEqual([2, 'b']);
  expect(watch.texts()).toEqual([
    'discovered 1 target: a:8080',
    'the discovered targets cannot be updated: connection refused',
    'discovered 1 target: b:8080',
    '1 target gone: a:8080',
  ]);
});

test('a container that cannot be scraped must be reported once while that lasts', async () => {
  await using watch = following();
  const wrong = container('a', { 'prometheus.io/scrape': 'true', 'prometheus.io/port': 'x' });
  const text = /^the container a is not scraped: its label prometheus\.io\/port is "x"\n {2}try: /;
  watch.state.apps = [wrong];
  await watch.pass(600);
  watch.emit('start');
  await watch.pass(600);
  expect(watch.texts()).toEqual([expect.stringMatching(text)]);
  watch.state.apps = [];
  watch.emit('die');
  await watch.pass(600);
  watch.state.apps = [wrong];
  watch.emit('start');
  await watch.pass(600);
  expect(watch.texts()).toEqual([expect.stringMatching(text), expect.stringMatching(text)]);
});

test('a stack without discovery must not ask the engine, until an edit turns it on', async () => {
  await using watch = following({ discovers: false });
  await watch.pass(40_000);
  expect([watch.state.listings, watch.state.connections]).toEqual([0, 0]);
  watch.state.apps = [app('a')];
  watch.state.config = config;
  watch.follower.changed();
  await watch.pass(600);
  expect([watch.state.connections, watch.written()[0]]).toEqual([1, 'a']);
});
