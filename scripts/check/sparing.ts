import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import type { CheckJob, CheckRunner, FindImage, OpenRunner } from './runner.ts';

/** What passed last of each file, by service and path; kept by whoever checks the same stack again and again. */
export type PassedFiles = Map<string, { readonly imageId: string; readonly mode: number; readonly text: string }>;

/**
 * A runner that leaves out files which passed before, where every command judges them by themselves alone: with a
 * thousand rule files and an edit of one, one is looked at.
 */
export function sparing(open: OpenRunner, passed: PassedFiles, findImage: FindImage): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    const isAlone = (path: string): boolean => job.commands.every((command) => command.judgesAlone?.(path) === true);
    if (image === undefined) return open(job);
    const alone = new Map(job.files.filter(({ path }) => isAlone(path)).map((file) => [file, passing(image.id, file)]));
    const isKnown = (file: RenderedFile): boolean => {
      const [now, before] = [alone.get(file), passed.get(keyOf(file))];
      if (now === undefined || before === undefined) return false;
      return now.imageId === before.imageId && now.mode === before.mode && now.text === before.text;
    };
    const files = job.files.filter((file) => !isKnown(file));
    return new SparingRunner(await open({ ...job, files }), job, () => {
      for (const [file, now] of alone) passed.set(keyOf(file), now);
    });
  };
}

class SparingRunner implements CheckRunner {
  readonly where: string;
  readonly #inner: CheckRunner;
  readonly #left: Set<CheckCommand>;
  readonly #onPassed: () => void;

  constructor(inner: CheckRunner, { commands }: CheckJob, onPassed: () => void) {
    this.where = inner.where;
    this.#inner = inner;
    this.#left = new Set(commands);
    this.#onPassed = onPassed;
  }

  async run(command: CheckCommand, signal: AbortSignal): ReturnType<CheckRunner['run']> {
    const run = await this.#inner.run(command, signal);
    if (run.kind === 'ran' && run.exitCode === 0) this.#left.delete(command);
    if (this.#left.size === 0) this.#onPassed();
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

const keyOf = ({ service, path }: RenderedFile): string => `${service}/${path}`;

function passing(imageId: string, file: RenderedFile): { imageId: string; mode: number; text: string } {
  return { imageId, mode: file.mode, text: revealed(file) };
}
