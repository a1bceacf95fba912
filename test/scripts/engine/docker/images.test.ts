import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import {
  createPullCount,
  loadedReferences,
  type ProgressLine,
  progressLines,
} from '../../../../scripts/engine/docker/images.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { fakeDaemon, json, lines } from '../../../support/fake-daemon.ts';

const forever = new AbortController().signal;

test('a pull must report its progress', async () => {
  await using daemon = await fakeDaemon({
    'POST /images/create': lines(
      { status: 'Pulling from prom/thing', id: 'v1' },
      { status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 4 } },
      { status: 'Download complete', id: 'a' },
    ),
  });
  const reported: unknown[] = [];
  await daemon.engine.pullImage('prom/thing:v1', (progress) => reported.push(progress), forever);
  expect(reported.at(-1)).toEqual({ doneBytes: 4, totalBytes: 4 });
});

test('a pull that fails midway must reject, although the status was 200', async () => {
  await using daemon = await fakeDaemon({
    'POST /images/create': lines(
      { status: 'Pulling' },
      { errorDetail: { message: 'the disk is full' }, error: 'full' },
    ),
  });
  const pulling = daemon.engine.pullImage('prom/thing:v1', () => undefined, forever);
  await expect(pulling).rejects.toMatchObject({
    code: 'refused',
    message: 'the disk is full',
    doing: 'pulling prom/thing:v1',
  });
});

test('a pull must request the repository and the tag or digest', async () => {
  const asked: string[] = [];
  await using daemon = await fakeDaemon({
    'POST /images/create': (request, response) => {
      const query = new URL(request.url ?? '', 'http://engine').searchParams;
      asked.push(`${query.get('fromImage')} ${query.get('tag')}`);
      lines({ status: 'Status: Image is up to date' })(request, response);
    },
  });
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const reference of ['registry.local:5000/prom/thing:v1', `prom/thing@${digest}`]) {
    await daemon.engine.pullImage(reference, () => undefined, forever);
  }
  expect(asked).toEqual(['registry.local:5000/prom/thing v1', `prom/thing ${digest}`]);
});

test('an aborted pull must stop', async () => {
  await using daemon = await fakeDaemon({
    'POST /images/create': (_request, response) => {
      response.writeHead(200).write('{"status":"Pulling","id":"a"}\n');
    },
  });
  const abort = new AbortController();
  const pulling = daemon.engine.pullImage('prom/thing:v1', () => abort.abort(), abort.signal);
  await expect(pulling).rejects.toMatchObject({ name: 'AbortError' });
});

test('an import whose stream fails must reject with the reason', async () => {
  await using daemon = await fakeDaemon({ 'POST /images/create': (request) => request.resume() });
  const tar = new PassThrough();
  const importing = daemon.engine.importImage(tar, 'promstack/thing:1', []);
  tar.write('x', () => tar.destroy(new Error('the file could not be read')));
  await expect(importing).rejects.toThrow('the file could not be read');
});

test('an image that does not exist must be undefined', async () => {
  await using daemon = await fakeDaemon({ 'GET /images/prom/thing:v1/json': json(404, { message: 'no such image' }) });
  expect(await daemon.engine.findImage('prom/thing:v1')).toBeUndefined();
});

test.each([
  [
    [{ stream: 'Loaded image: prom/thing:v1\n' }, { stream: 'Loaded image: prom/other:v2\n' }],
    ['prom/thing:v1', 'prom/other:v2'],
  ],
  [[{ stream: 'Loaded image(s): localhost/a:1,localhost/b:2' }], ['localhost/a:1', 'localhost/b:2']],
  [[{ stream: 'Loaded image ID: sha256:abc\n' }, { status: 'Loading layer' }], []],
])('the loaded images must be read from %j', (lines, references) => {
  expect(loadedReferences(lines)).toEqual(references);
});

async function read(...chunks: readonly (string | Buffer)[]): Promise<readonly ProgressLine[]> {
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const all: ProgressLine[] = [];
  for await (const line of progressLines('pulling x', source())) all.push(line);
  return all;
}

test('lines must be complete, wherever the connection splits them', async () => {
  const euro = Buffer.from('{"status":"€"}\r\n');
  expect(await read('{"sta', 'tus":"a"}\r\n\r\n{"id":', '"b"}\r\n', euro.subarray(0, 12), euro.subarray(12))).toEqual([
    { status: 'a' },
    { id: 'b' },
    { status: '€' },
  ]);
});

test('a last line without a line feed must be read', async () => {
  expect(await read('{"status":"a"}')).toEqual([{ status: 'a' }]);
});

test.each([
  ['{"error":"short","errorDetail":{"message":"long"}}\r\n', 'long'],
  ['{"error":"only this"}\r\n', 'only this'],
  ['{"errorDetail":{"message":"only that"}}\r\n', 'only that'],
])('an error in a line must reject, though the engine answered 200: %s', async (line, message) => {
  const reading = read('{"status":"Pulling"}\r\n', line, '{"status":"more"}\r\n');
  await expect(reading).rejects.toThrow(EngineError);
  await expect(read(line)).rejects.toMatchObject({ message, code: 'refused', doing: 'pulling x' });
});

test('the progress of the layers must add up', () => {
  const count = createPullCount();
  const downloading = (id: string, current: number, total: number) =>
    count({ id, status: 'Downloading', progressDetail: { current, total } });
  expect(count({ id: 'a', status: 'Pulling fs layer', progressDetail: {} })).toEqual({ doneBytes: 0, totalBytes: 0 });
  expect(downloading('a', 10, 100)).toEqual({ doneBytes: 10, totalBytes: 100 });
  expect(downloading('b', 5, 50)).toEqual({ doneBytes: 15, totalBytes: 150 });
  expect(downloading('a', 60, 100)).toEqual({ doneBytes: 65, totalBytes: 150 });
  expect(count({ id: 'a', status: 'Download complete' })).toEqual({ doneBytes: 105, totalBytes: 150 });
});

test('unpacking a layer must not count as another download', () => {
  const count = createPullCount();
  count({ id: 'a', status: 'Downloading', progressDetail: { current: 100, total: 100 } });
  const extracting = count({ id: 'a', status: 'Extracting', progressDetail: { current: 1, total: 100 } });
  expect(extracting).toEqual({ doneBytes: 100, totalBytes: 100 });
});
