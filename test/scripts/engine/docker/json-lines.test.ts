import { expect, test } from 'vitest';
import { type ProgressLine, progressLines } from '../../../../scripts/engine/docker/json-lines.ts';
import { EngineError } from '../../../../scripts/engine/engine.ts';

async function read(...chunks: readonly (string | Buffer)[]): Promise<readonly ProgressLine[]> {
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const all: ProgressLine[] = [];
  for await (const line of progressLines('pulling x', source())) all.push(line);
  return all;
}

test('lines must be read whole, wherever the connection cuts them', async () => {
  const euro = Buffer.from('{"status":"€"}\r\n');
  expect(await read('{"sta', 'tus":"a"}\r\n\r\n{"id":', '"b"}\r\n', euro.subarray(0, 12), euro.subarray(12))).toEqual([
    { status: 'a' },
    { id: 'b' },
    { status: '€' },
  ]);
});

test('a last line without its end must be read', async () => {
  expect(await read('{"status":"a"}')).toEqual([{ status: 'a' }]);
});

test.each([
  ['{"error":"short","errorDetail":{"message":"long"}}\r\n', 'long'],
  ['{"error":"only this"}\r\n', 'only this'],
  ['{"errorDetail":{"message":"only that"}}\r\n', 'only that'],
])('an error told in a line must reject, though the engine answered 200: %s', async (line, message) => {
  const reading = read('{"status":"Pulling"}\r\n', line, '{"status":"more"}\r\n');
  await expect(reading).rejects.toThrow(EngineError);
  await expect(read(line)).rejects.toMatchObject({ message, code: 'refused', doing: 'pulling x' });
});
