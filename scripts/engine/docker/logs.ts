import { StringDecoder } from 'node:string_decoder';
import type { Engine } from '../engine.ts';
import type { LogLine } from '../log-line.ts';
import type { DockerApi } from './api.ts';
import { openStream } from './call.ts';
import { UnexpectedResponse } from './response.ts';

export function logCalls(api: DockerApi): Pick<Engine, 'logs'> {
  return {
    async *logs(id, { signal, follow = false, tail = 'all', since = new Date(0) }) {
      const query = {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow,
        tail,
        since: (since.getTime() / 1_000).toFixed(3),
      };
      const request = { method: 'GET', path: `/containers/${id}/logs`, query } as const;
      try {
        const options = { signal, endless: follow };
        const doing = `reading the logs of container ${id}`;
        const read = (chunks: AsyncIterable<Buffer>) => linesOf(framesOf(chunks));
        yield* await api.open(doing, (docker) => openStream(docker, request), read, options);
      } catch (error) {
        // An abort ends the lines without an error.
        if (signal?.aborted !== true) throw error;
      }
    },
  };
}

/** A frame of the engine's stream of a container's output. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly content: Buffer;
}

const headerLength = 8;
/** The stream of the engine's own words, with which it ends a stream that it cannot go on with. */
const engineStream = 3;

/** An error of the engine within a response; it counts as one that the engine has responded with. */
class StreamFailure extends Error {
  readonly statusCode = 500;
}

/**
 * Splits the stream in which the engine interleaves stdout and stderr: each frame has a header of one byte for the
 * stream, three zero bytes, and four for the length.
 */
export async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= headerLength) {
      const stream = rest[0] ?? 0;
      if (stream > engineStream || rest.readUIntBE(1, 3) !== 0) throw new UnexpectedResponse(rest.toString('utf8'));
      const end = headerLength + rest.readUInt32BE(4);
      if (rest.length < end) break;
      if (stream === engineStream) throw new StreamFailure(rest.subarray(headerLength, end).toString('utf8'));
      yield { stream: stream === 2 ? 'stderr' : 'stdout', content: rest.subarray(headerLength, end) };
      rest = rest.subarray(end);
    }
  }
}

/**
 * The lines of both streams in the order of their ends. Each frame begins with a timestamp. The engine splits long
 * lines: only a frame that ends in a line feed ends the line.
 */
export async function* linesOf(frames: AsyncIterable<Frame>): AsyncGenerator<LogLine> {
  const partial = { stdout: new PartialLine('stdout'), stderr: new PartialLine('stderr') };
  for await (const frame of frames) yield* partial[frame.stream].add(frame.content);
  for (const line of Object.values(partial)) yield* line.end();
}

class PartialLine {
  readonly #stream: LogLine['stream'];
  readonly #decoder = new StringDecoder('utf8');
  #time: string | undefined;
  #text = '';

  constructor(stream: LogLine['stream']) {
    this.#stream = stream;
  }

  *add(content: Buffer): Generator<LogLine> {
    const stampEnd = content.indexOf(' ');
    this.#time ??= content.subarray(0, stampEnd).toString();
    const isEnd = content.at(-1) === lineFeed;
    this.#text += this.#decoder.write(content.subarray(stampEnd + 1, isEnd ? -1 : undefined));
    if (isEnd) yield* this.end();
  }

  *end(): Generator<LogLine> {
    if (this.#time === undefined) return;
    yield { stream: this.#stream, time: this.#time, text: this.#text };
    this.#time = undefined;
    this.#text = '';
  }
}

const lineFeed = 0x0a;
