import { StringDecoder } from 'node:string_decoder';
import type Dockerode from 'dockerode';
import type { Engine, LogLine } from '../engine.ts';
import { toEngineError } from './errors.ts';
import { type Frame, framesOf } from './multiplex.ts';
import { openStream } from './request.ts';

/** Reads what containers wrote. */
export function logCalls(docker: Dockerode): Pick<Engine, 'logs'> {
  return {
    async *logs(id, options) {
      const { signal } = options;
      try {
        const answer = await openStream(docker, {
          method: 'GET',
          path: `/containers/${id}/logs`,
          query: {
            stdout: true,
            stderr: true,
            timestamps: true,
            follow: options.follow ?? false,
            tail: options.tail ?? 'all',
            ...(options.since === undefined ? {} : { since: (options.since.getTime() / 1_000).toFixed(3) }),
          },
          signal,
        });
        try {
          yield* linesOf(framesOf(answer));
        } finally {
          answer.destroy();
        }
      } catch (error) {
        // Who stops following wants no more lines, and no error either.
        if (signal?.aborted === true) return;
        throw toEngineError(`reading the logs of container ${id}`, error);
      }
    },
  };
}

/**
 * The lines of both streams in the order in which they end. The engine frames each message by itself, begins it with
 * its time, and cuts long lines into several: only a frame that ends in a line feed ends the line.
 */
export async function* linesOf(frames: AsyncIterable<Frame>): AsyncGenerator<LogLine> {
  const open = { stdout: new OpenLine('stdout'), stderr: new OpenLine('stderr') };
  for await (const frame of frames) yield* open[frame.stream].add(frame.content);
  for (const line of Object.values(open)) yield* line.end();
}

class OpenLine {
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
