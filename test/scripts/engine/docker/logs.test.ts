import { expect, test } from 'vitest';
import { linesOf } from '../../../../scripts/engine/docker/logs.ts';
import type { Frame } from '../../../../scripts/engine/docker/multiplex.ts';
import type { LogLine } from '../../../../scripts/engine/engine.ts';
import { fakeDaemon } from '../../../support/fake-daemon.ts';

async function read(...frames: readonly [Frame['stream'], string | Buffer][]): Promise<readonly LogLine[]> {
  async function* source(): AsyncGenerator<Frame> {
    for (const [stream, content] of frames) yield { stream, content: Buffer.from(content) };
  }
  const all: LogLine[] = [];
  for await (const line of linesOf(source())) all.push(line);
  return all;
}

test('a line must have its stream, its time and its text', async () => {
  expect(await read(['stderr', '2026-01-02T03:04:05.6Z level=info msg=hello\n'])).toEqual([
    { stream: 'stderr', time: '2026-01-02T03:04:05.6Z', text: 'level=info msg=hello' },
  ]);
});

test('an empty line must be a line', async () => {
  expect(await read(['stdout', 'T1 \n'])).toEqual([{ stream: 'stdout', time: 'T1', text: '' }]);
});

test('a long line that the engine cut must come whole, with its first time, whatever comes between', async () => {
  expect(await read(['stdout', 'T1 one '], ['stderr', 'T2 other\n'], ['stdout', 'T3 line\n'])).toEqual([
    { stream: 'stderr', time: 'T2', text: 'other' },
    { stream: 'stdout', time: 'T1', text: 'one line' },
  ]);
});

test('a character that was cut in two must come whole', async () => {
  const euro = Buffer.from('€');
  const lines = await read(
    ['stdout', Buffer.concat([Buffer.from('T1 '), euro.subarray(0, 1)])],
    ['stdout', Buffer.concat([Buffer.from('T2 '), euro.subarray(1), Buffer.from('\n')])],
  );
  expect(lines).toEqual([{ stream: 'stdout', time: 'T1', text: '€' }]);
});

test('what a container wrote last without ending the line must not be lost', async () => {
  expect(await read(['stdout', 'T1 no end'])).toEqual([{ stream: 'stdout', time: 'T1', text: 'no end' }]);
});

test('a connection that breaks while following must be told', async () => {
  await using daemon = await fakeDaemon({
    'GET /containers/x/logs': (_request, response) => {
      response.writeHead(200).write(Buffer.from([1, 0, 0, 0, 0, 0, 0, 9]));
      setImmediate(() => response.destroy());
    },
  });
  const reading = daemon.engine.logs('x', { follow: true })[Symbol.asyncIterator]().next();
  await expect(reading).rejects.toMatchObject({ code: 'unreachable', doing: 'reading the logs of container x' });
});
