import { StringDecoder } from 'node:string_decoder';
import { EngineError } from '../engine.ts';

/** One line of the engine's account of a pull, an import or a load. */
export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/**
 * The lines of a progress stream. The engine answers 200 before the work begins and tells of a failure in a line of
 * its own, which dockerode's followProgress passes over (apocas/dockerode#639): each line is looked at for it here.
 */
export async function* progressLines(doing: string, source: AsyncIterable<Buffer>): AsyncGenerator<ProgressLine> {
  for await (const text of linesOf(source)) {
    const line = JSON.parse(text) as ProgressLine & { error?: unknown; errorDetail?: { message?: unknown } };
    const failure = line.errorDetail?.message ?? line.error;
    if (failure !== undefined) throw new EngineError({ code: 'refused', doing, message: String(failure) });
    yield line;
  }
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}
