/** A piece of what a container wrote, as the engine framed it. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly content: Buffer;
}

const headerLength = 8;

/**
 * Takes apart the stream in which the engine interleaves stdout and stderr: each frame has a header of one byte for
 * the stream, three that are zero, and four for the length.
 */
export async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= headerLength) {
      const end = headerLength + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', content: rest.subarray(headerLength, end) };
      rest = rest.subarray(end);
    }
  }
}
