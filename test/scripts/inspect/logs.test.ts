import { expect, test } from 'vitest';
import type { LogLine } from '../../../scripts/engine/log-line.ts';
import { compareTimes, followLogs, readLogs, type ServiceLine } from '../../../scripts/inspect/logs.ts';
import { SteeredTime } from '../../support/steered-time.ts';

type Options = { tail?: number; follow?: boolean; since?: Date; signal?: AbortSignal };

const at = (time: string, text: string): LogLine => ({ stream: 'stderr', time: `2026-01-31T12:00:${time}Z`, text });

/** An engine whose containers have logs; a followed log continues with the lines of `push` until `end`. */
function fakeEngine(logs: Record<string, LogLine[]>) {
  const asked: { id: string; options: Options }[] = [];
  const waiting = new Map<string, { push(line: LogLine): void; end(): void }>();
  async function* lines(id: string, options: Options): AsyncGenerator<LogLine> {
    asked.push({ id, options });
    const all = logs[id];
    if (all === undefined) throw new Error(`no container ${id}`);
    const since = options.since?.getTime() ?? 0;
    yield* all.filter((line) => Date.parse(line.time) >= since).slice(options.tail === undefined ? 0 : -options.tail);
    if (options.follow !== true) return;
    const queue: (LogLine | undefined)[] = [];
    let wake = () => {};
    const put = (line: LogLine | undefined) => {
      queue.push(line);
      wake();
    };
    waiting.set(id, { push: put, end: () => put(undefined) });
    options.signal?.addEventListener('abort', () => put(undefined), { once: true });
    for (;;) {
      while (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const line = queue.shift();
      if (line === undefined) return;
      yield line;
    }
  }
  return { engine: { logs: lines }, asked, waiting };
}

const find = (ids: Record<string, string | undefined>) => async (service: string) => ids[service];

test('the lines of all services must be sorted by time', async () => {
  const { engine } = fakeEngine({
    p: [at('01.5', 'p1'), at('03', 'p2')],
    a: [at('01.499999999', 'a1'), at('02', 'a2')],
  });
  const lines = await readLogs(
    {
      engine,
      services: ['prometheus', 'alertmanager', 'absent'],
      find: find({ prometheus: 'p', alertmanager: 'a' }),
      signal: new AbortController().signal,
    },
    { tail: 2 },
  );
  expect(lines.map(({ service, text }) => `${service} ${text}`)).toEqual([
    'alertmanager a1',
    'prometheus p1',
    'alertmanager a2',
    'prometheus p2',
  ]);
});

test('following must continue in a new container after the last line, without duplicates', async () => {
  const time = new SteeredTime(Date.parse('2026-01-31T12:00:10Z'));
  const { engine, asked, waiting } = fakeEngine({
    old: [at('01.25', 'old 1')],
    new: [at('01.25', 'seen'), at('20', 'new 1')],
  });
  const ids: Record<string, string | undefined> = { prometheus: 'old' };
  const controller = new AbortController();
  const seen: ServiceLine[] = [];
  const following = followLogs(
    { engine, services: ['prometheus'], find: async (service) => ids[service], clock: time, signal: controller.signal },
    { tail: 5 },
    (line) => seen.push(line),
  );
  const texts = () => seen.map((line) => line.text);
  await until(() => waiting.has('old'));
  waiting.get('old')?.push(at('11', 'old 2'));
  await until(() => seen.length === 2);
  waiting.get('old')?.end();
  ids['prometheus'] = undefined;
  await until(() => time.waiting === 1);
  time.pass(500);
  await until(() => time.waiting === 1);
  ids['prometheus'] = 'new';
  time.pass(500);
  await until(() => seen.length === 3);
  expect(texts()).toEqual(['old 1', 'old 2', 'new 1']);
  expect(asked.at(-1)?.options.since).toEqual(new Date('2026-01-31T12:00:11Z'));
  controller.abort();
  await expect(following).rejects.toThrow();
});

test('times must be compared to the nanosecond, with any number of digits', () => {
  const times = [
    '2026-01-31T12:00:01Z',
    '2026-01-31T12:00:01.1Z',
    '2026-01-31T12:00:01.100000001Z',
    '2026-01-31T14:00:01.2+02:00',
  ];
  expect([...times].reverse().sort(compareTimes)).toEqual(times);
  expect(compareTimes('2026-01-31T12:00:01.100Z', '2026-01-31T12:00:01.1Z')).toBe(0);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
