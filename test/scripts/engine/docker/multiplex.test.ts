import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, framesOf } from '../../../../scripts/engine/docker/multiplex.ts';

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

test('frames must come out as they went in, wherever the connection cuts them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 60 }), async (frames, size) => {
      const read: Frame[] = [];
      for await (const one of framesOf(cut(toBytes(frames), size))) read.push(one);
      expect(read).toEqual(frames);
    }),
  );
});

test('a frame whose end never came must be left out', async () => {
  const whole: Frame = { stream: 'stdout', content: Buffer.from('whole') };
  const bytes = Buffer.concat([toBytes([whole]), toBytes([whole]).subarray(0, 10)]);
  const read: Frame[] = [];
  for await (const one of framesOf(cut(bytes, 7))) read.push(one);
  expect(read).toEqual([whole]);
});
