import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, framesOf, linesOf } from '../../../../scripts/engine/docker/logs.ts';
import type { LogLine } from '../../../../scripts/engine/log-line.ts';
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

test('a long line that the engine split must be complete, with its first time', async () => {
  expect(await read(['stdout', 'T1 one '], ['stderr', 'T2 other\n'], ['stdout', 'T3 line\n'])).toEqual([
    { stream: 'stderr', time: 'T2', text: 'other' },
    { stream: 'stdout', time: 'T1', text: 'one line' },
  ]);
});

test('a character that was split must be complete', async () => {
  const euro = Buffer.from('€');
  const lines = await read(
    ['stdout', Buffer.concat([Buffer.from('T1 '), euro.subarray(0, 1)])],
    ['stdout', Buffer.concat([Buffer.from('T2 '), euro.subarray(1), Buffer.from('\n')])],
  );
  expect(lines).toEqual([{ stream: 'stdout', time: 'T1', text: '€' }]);
});

test('a last line without a line feed must not be lost', async () => {
  expect(await read(['stdout', 'T1 no end'])).toEqual([{ stream: 'stdout', time: 'T1', text: 'no end' }]);
});

test('a connection that breaks while following must be an error', async () => {
  await using daemon = await fakeDaemon({
    'GET /containers/x/logs': (_request, response) => {
      response.writeHead(200).write(Buffer.from([1, 0, 0, 0, 0, 0, 0, 9]));
      setImmediate(() => response.destroy());
    },
  });
  const reading = daemon.engine.logs('x', { follow: true })[Symbol.asyncIterator]().next();
  await expect(reading).rejects.toMatchObject({ code: 'unreachable', doing: 'reading the logs of container x' });
});

function toBytes(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap(({ stream, content }) => {
      const header = Buffer.alloc(8);
      header[0] = stream === 'stdout' ? 1 : 2;
      header.writeUInt32BE(content.length, 4);
      return [header, content];
    }),
  );
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const frame = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  content: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

test('frames must be read as they were written, wherever the connection splits them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 60 }), async (frames, size) => {
      const read: Frame[] = [];
      for await (const frame of framesOf(cut(toBytes(frames), size))) read.push(frame);
      expect(read).toEqual(frames);
    }),
  );
});

test('an incomplete frame must be left out', async () => {
  const whole: Frame = { stream: 'stdout', content: Buffer.from('whole') };
  const bytes = Buffer.concat([toBytes([whole]), toBytes([whole]).subarray(0, 10)]);
  const read: Frame[] = [];
  for await (const frame of framesOf(cut(bytes, 7))) read.push(frame);
  expect(read).toEqual([whole]);
});

test("the engine's own words must end a log as an error, after the lines before", async () => {
  const words = 'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream';
  const line = toBytes([{ stream: 'stdout', content: Buffer.from('2026-01-02T03:04:05Z one\n') }]);
  const failure = toBytes([{ stream: 'stdout', content: Buffer.from(words) }]);
  failure[0] = 3;
  await using daemon = await fakeDaemon((_request, response) => response.end(Buffer.concat([line, failure])));
  const read: string[] = [];
  const reading = async () => {
    for await (const { text } of daemon.engine.logs('x', {})) read.push(text);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'refused', message: words });
  expect(read).toEqual(['one']);
});
