import type Dockerode from 'dockerode';
import type { Engine, ImageSummary, PullProgress } from '../engine.ts';
import { splitReference } from '../images/reference.ts';
import { credentialsFor } from '../registry-credentials.ts';
import { engineCall, optionalEngineCall } from './errors.ts';
import { hasLabels, toLabelFilter } from './filters.ts';
import { type ProgressLine, progressLines } from './json-lines.ts';
import { openStream } from './request.ts';

type ImageCalls = Pick<
  Engine,
  'listImages' | 'findImage' | 'removeImage' | 'pullImage' | 'importImage' | 'tagImage' | 'saveImages' | 'loadImages'
>;

/** The engine's calls about images. */
export function imageCalls(docker: Dockerode): ImageCalls {
  return {
    listImages: (labels) =>
      engineCall('listing images', async () => {
        const found = await docker.listImages({ filters: toLabelFilter(labels) });
        return found.map((one) => toSummary(one, one.Labels)).filter((one) => hasLabels(one.labels, labels));
      }),

    findImage: (reference) =>
      optionalEngineCall(`looking for image ${reference}`, async () => {
        const told = await docker.getImage(reference).inspect();
        return toSummary(told, told.Config?.Labels);
      }),

    removeImage: async (reference) => {
      await optionalEngineCall(`removing image ${reference}`, () => docker.getImage(reference).remove());
    },

    pullImage: async (reference, onProgress, signal) => {
      const doing = `pulling ${reference}`;
      const authconfig = await credentialsFor(reference, process.env, signal);
      const pull = async () => {
        const { repository, tag } = splitReference(reference);
        const count = createPullCount();
        const options = { fromImage: repository, tag, abortSignal: signal };
        const answer = await docker.createImage(authconfig ?? {}, options);
        for await (const line of progressLines(doing, bytes(answer))) onProgress(count(line));
      };
      await engineCall(doing, pull, signal);
    },

    importImage: (tar, reference, changes) => {
      const doing = `importing ${reference}`;
      return engineCall(doing, () =>
        sending(tar, async () => {
          // Podman looks for the tag in `repo` only, where Docker takes it too.
          const answer = await docker.importImage(tar, { repo: reference, changes: [...changes] });
          await drain(progressLines(doing, bytes(answer)));
        }),
      );
    },

    tagImage: (reference, as) =>
      engineCall(`tagging ${reference} as ${as}`, async () => {
        const { repository, tag } = splitReference(as);
        await docker.getImage(reference).tag({ repo: repository, tag });
      }),

    saveImages: (references) =>
      engineCall(`saving ${references.join(', ')}`, () =>
        openStream(docker, { method: 'GET', path: '/images/get', query: { names: references } }),
      ),

    loadImages: (tar) =>
      engineCall('loading images', () =>
        sending(tar, async () => {
          const answer = await docker.loadImage(tar, { quiet: true });
          return loadedReferences(await drain(progressLines('loading images', bytes(answer))));
        }),
      ),
  };
}

/** The engine names what it loaded in sentences only: `Loaded image: prom/prometheus:v3.5.3`. */
export function loadedReferences(lines: readonly ProgressLine[]): readonly string[] {
  const said = lines.map((line) => /^Loaded image(?:\(s\))?: (.+)$/.exec((line.stream ?? '').trim())?.[1]);
  return said.flatMap((names) => (names === undefined ? [] : names.split(/,\s*/)));
}

/** A stream that breaks while it is being sent is the cause of whatever the engine then says. */
async function sending<T>(source: NodeJS.ReadableStream, send: () => Promise<T>): Promise<T> {
  let broken: Error | undefined;
  source.once('error', (error: Error) => {
    broken = error;
  });
  try {
    return await send();
  } catch (error) {
    throw broken ?? error;
  }
}

async function drain<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

/** The engine's answers are never decoded before they come here. */
function bytes(answer: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  return answer as AsyncIterable<Buffer>;
}

function toSummary(
  told: { Id: string; RepoTags?: string[] | null | undefined; Size: number },
  labels: Record<string, string> | null | undefined,
): ImageSummary {
  const tags = (told.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  return { id: told.Id, tags, sizeBytes: told.Size, labels: labels ?? {} };
}

/** Adds up what the engine tells of each layer; every line counts as a sign of life, if only by the same sum again. */
export function createPullCount(): (line: ProgressLine) => PullProgress {
  const layers = new Map<string, PullProgress>();
  return ({ id, status, progressDetail }) => {
    const known = layers.get(id ?? '') ?? { doneBytes: 0, totalBytes: 0 };
    if (id !== undefined && status === 'Downloading') {
      layers.set(id, {
        doneBytes: progressDetail?.current ?? known.doneBytes,
        totalBytes: progressDetail?.total ?? known.totalBytes,
      });
    } else if (id !== undefined && status === 'Download complete') {
      layers.set(id, { ...known, doneBytes: known.totalBytes });
    }
    return sum([...layers.values()]);
  };
}

function sum(layers: readonly PullProgress[]): PullProgress {
  return layers.reduce(
    (all, one) => ({ doneBytes: all.doneBytes + one.doneBytes, totalBytes: all.totalBytes + one.totalBytes }),
    { doneBytes: 0, totalBytes: 0 },
  );
}
