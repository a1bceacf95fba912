import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { shortHash } from '../util/hash.ts';
import type { CheckJob, CheckRunner, FindImage, OpenRunner } from './runner.ts';

/** Files that passed, each by a key of its image, path and bytes; kept by whoever checks the same stack again and again. */
export type PassedFiles = Set<string>;

/** More are forgotten all at once: they are checked again, and then known again. */
const most = 20_000;

/**
 * A runner that leaves out files which passed before, where every command judges them by themselves alone: with a
 * thousand rule files and an edit of one, one is looked at.
 */
export function sparing(open: OpenRunner, passed: PassedFiles, findImage: FindImage): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    const isAlone = (path: string): boolean => job.commands.every((command) => command.judgesAlone?.(path) === true);
    if (image === undefined) return open(job);
    const keyed = job.files.map((file) => ({ file, key: isAlone(file.path) ? keyOf(image.id, file) : undefined }));
    const files = keyed.flatMap(({ file, key }) => (key !== undefined && passed.has(key) ? [] : [file]));
    const keys = keyed.flatMap(({ key }) => key ?? []);
    return new SparingRunner(await open({ ...job, files }), job, () => {
      if (passed.size + keys.length > most) passed.clear();
      for (const key of keys) passed.add(key);
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

function keyOf(imageId: string, file: RenderedFile): string {
  return shortHash(JSON.stringify([imageId, file.path, file.mode, revealed(file)]));
}
