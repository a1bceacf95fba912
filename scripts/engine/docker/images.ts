import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Engine, ImageSummary, PullProgress } from '../engine.ts';
import { EngineError } from '../engine-error.ts';
import { splitReference } from '../images/reference.ts';
import { credentialsFor } from '../registry-credentials.ts';
import type { DockerApi } from './api.ts';
import { hasLabels, openStream, toLabelFilter } from './call.ts';
import { linesOf, listOf, parseJson, UnexpectedResponse, withKeys } from './response.ts';
import { sending } from './sending.ts';

type ImageCalls = Pick<
  Engine,
  'listImages' | 'findImage' | 'removeImage' | 'pullImage' | 'importImage' | 'tagImage' | 'saveImages' | 'loadImages'
>;

export function imageCalls(api: DockerApi): ImageCalls {
  return {
    listImages: (labels) =>
      api.call('listing images', async (docker) => {
        const images = listOf(await docker.listImages({ filters: toLabelFilter(labels) }), 'Id');
        return images.map((image) => toSummary(image, image.Labels)).filter((image) => hasLabels(image.labels, labels));
      }),

    findImage: (reference) =>
      api.optional(`looking for image ${reference}`, async (docker) => {
        const image = withKeys(await docker.getImage(reference).inspect(), 'Id');
        return toSummary(image, image.Config?.Labels);
      }),

    removeImage: async (reference) => {
      const remove = (docker: Dockerode) => docker.getImage(reference).remove();
      await api.optional(`removing image ${reference}`, remove, { kind: 'change' });
    },

    pullImage: async (reference, onProgress, signal) => {
      const doing = `pulling ${reference}`;
      const authconfig = await credentialsFor(reference, process.env, signal);
      const pull = async (docker: Dockerode) => {
        const { repository, tag } = splitReference(reference);
        const count = createPullCount();
        const response = await docker.createImage(authconfig ?? {}, { fromImage: repository, tag });
        for await (const line of progressLines(doing, bytes(response))) onProgress(count(line));
      };
      await api.call(doing, pull, { kind: 'transfer', signal });
    },

    importImage: (tar, reference, changes) => {
      const doing = `importing ${reference}`;
      return api.call(
        doing,
        (docker, { received }) =>
          sending(tar, received, async (source) => {
            // Podman reads the tag from `repo` only, Docker accepts it there too.
            const response = await docker.importImage(source, { repo: reference, changes: [...changes] });
            await collect(progressLines(doing, bytes(response)));
          }),
        { kind: 'transfer' },
      );
    },

    tagImage: (reference, as) =>
      api.call(
        `tagging ${reference} as ${as}`,
        async (docker) => {
          const { repository, tag } = splitReference(as);
          await docker.getImage(reference).tag({ repo: repository, tag });
        },
        { kind: 'change' },
      ),

    saveImages: async (references) => {
      const request = { method: 'GET', path: '/images/get', query: { names: references } } as const;
      const doing = `saving ${references.join(', ')}`;
      return Readable.from(
        await api.open(
          doing,
          (docker) => openStream(docker, request),
          (chunks) => chunks,
          { kind: 'transfer' },
        ),
      );
    },

    loadImages: (tar) =>
      api.call(
        'loading images',
        (docker, { received }) =>
          sending(tar, received, async (source) => {
            const response = await docker.loadImage(source, { quiet: true });
            return loadedReferences(await collect(progressLines('loading images', bytes(response))));
          }),
        { kind: 'transfer' },
      ),
  };
}

/** The engine reports loaded images only as messages: `Loaded image: prom/prometheus:v3.5.3`. */
export function loadedReferences(lines: readonly ProgressLine[]): readonly string[] {
  const lists = lines.map((line) => /^Loaded image(?:\(s\))?: (.+)$/.exec((line.stream ?? '').trim())?.[1]);
  return lists.flatMap((names) => (names === undefined ? [] : names.split(/,\s*/)));
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** The engine's responses have no encoding set, so they are read as bytes. */
function bytes(response: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  return response as AsyncIterable<Buffer>;
}

function toSummary(
  image: {
    Id: string;
    RepoTags?: string[] | null | undefined;
    RepoDigests?: string[] | null | undefined;
    Size: number;
  },
  labels: Record<string, string> | null | undefined,
): ImageSummary {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  const digests = (image.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>'));
  return { id: image.Id, tags, digests, sizeBytes: image.Size, labels: labels ?? {} };
}

/** A line of the engine's progress stream of a pull, an import or a load. */
export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/**
 * The lines of a progress stream. The engine responds with 200 before the work begins and reports a failure in a line,
 * which dockerode's followProgress ignores (apocas/dockerode#639): it is thrown here.
 */
export async function* progressLines(doing: string, source: AsyncIterable<Buffer>): AsyncGenerator<ProgressLine> {
  let isEmpty = true;
  for await (const text of linesOf(source)) {
    isEmpty = false;
    const line: ProgressLine & { error?: unknown; errorDetail?: { message?: unknown } } = parseJson(text);
    const failure = line.errorDetail?.message ?? line.error;
    if (failure !== undefined) throw new EngineError({ code: 'refused', doing, message: String(failure) });
    yield line;
  }
  // Every engine says at least what the result is.
  if (isEmpty) throw new UnexpectedResponse('');
}

/** Sums up the progress of all layers; each line returns the current sum. */
export function createPullCount(): (line: ProgressLine) => PullProgress {
  const layers = new Map<string, PullProgress>();
  return ({ id, status, progressDetail }) => {
    const layer = layers.get(id ?? '') ?? { doneBytes: 0, totalBytes: 0 };
    if (id !== undefined && status === 'Downloading') {
      layers.set(id, {
        doneBytes: progressDetail?.current ?? layer.doneBytes,
        totalBytes: progressDetail?.total ?? layer.totalBytes,
      });
    } else if (id !== undefined && status === 'Download complete') {
      layers.set(id, { ...layer, doneBytes: layer.totalBytes });
    }
    const all = [...layers.values()];
    return {
      doneBytes: all.reduce((sum, { doneBytes }) => sum + doneBytes, 0),
      totalBytes: all.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    };
  };
}
