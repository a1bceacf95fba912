import { describe, expect, test } from 'vitest';
import type { Engine, ImageSummary } from '../../../../scripts/engine/engine.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { ensurePinned, isPinned, type Pin, pinOf } from '../../../../scripts/engine/images/pins.ts';
import type { Event } from '../../../../scripts/util/event.ts';
import { fakeEngine } from '../../../support/engine.ts';

const reference = 'prom/prometheus:v3.13.2';
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const image = (given: Partial<ImageSummary>): ImageSummary => ({
  id: digest('1'),
  tags: [],
  digests: [],
  sizeBytes: 1,
  labels: {},
  ...given,
});
const packages = (versions: string) => ({ 'dev.promstack.packages': versions });

/** An engine with these images; a pull by digest adds an image of the registry. */
function engineWith(present: readonly ImageSummary[], registry: readonly string[] = []): Engine & { calls: string[] } {
  const images = [...present];
  const calls: string[] = [];
  const engine = fakeEngine({
    kind: 'docker',
    listImages: async () => images,
    findImage: async (name) => images.find(({ id, tags, digests }) => [id, ...tags, ...digests].includes(name)),
    pullImage: async (name) => {
      calls.push(`pull ${name}`);
      if (!registry.includes(name))
        throw new EngineError({ code: 'notFound', doing: `pulling ${name}`, message: 'manifest unknown' });
      images.push(image({ id: digest('9'), digests: [name] }));
    },
    tagImage: async (name, as) => {
      calls.push(`tag ${name.slice(0, 10)} ${as}`);
      const at = images.findIndex(({ id }) => id === name);
      images[at] = image({ ...images[at], tags: [...(images[at]?.tags ?? []), as] });
    },
  });
  return Object.assign(engine, { calls });
}

async function ensure(engine: Engine, pin: Pin | undefined, source: 'registry' | 'archive' | 'auto' = 'registry') {
  const events: Event[] = [];
  const [outcome] = await ensurePinned(engine, [{ service: 'prometheus', reference }], {
    pins: new Map(pin && [[reference, pin]]),
    file: 'stack.lock',
    settings: { source },
    report: (event) => events.push(event),
    signal: new AbortController().signal,
  });
  return { ref: outcome?.kind === 'available' ? outcome.ref : undefined, outcome, events };
}

describe('the pin of an image', () => {
  test.each([
    ['of a registry', { digests: [`prom/prometheus@${digest('a')}`] }, { digest: digest('a') }],
    ['of Docker Hub on Podman', { digests: [`docker.io/prom/prometheus@${digest('a')}`] }, { digest: digest('a') }],
    ['of packages', { labels: packages('prometheus 3.5.3-6') }, { packages: 'prometheus 3.5.3-6' }],
    ['loaded from a file', {}, {}],
    [
      'that another registry has too',
      { digests: [`quay.io/x@${digest('b')}`, `prom/prometheus@${digest('a')}`] },
      {
        digest: digest('a'),
      },
    ],
  ])('%s must identify it', (_, given, expected) => {
    const pin = pinOf(reference, image(given));
    expect(pin).toEqual({ image: reference, id: digest('1'), ...expected });
    expect(isPinned(image(given), pin)).toBe(true);
    expect(isPinned(image({ id: digest('2') }), pin)).toBe(false);
  });

  test('of packages must be the same for the same packages, which have another id on another host', () => {
    const built = image({ labels: packages('prometheus 3.5.3-6') });
    expect(isPinned({ ...built, id: digest('5') }, pinOf(reference, built))).toBe(true);
  });
});

describe('an image that is pinned by its digest', () => {
  const pin: Pin = { image: reference, digest: digest('a'), id: digest('1') };
  const pinned = image({ digests: [`prom/prometheus@${digest('a')}`] });
  const moved = image({ id: digest('2'), tags: [reference], digests: [`prom/prometheus@${digest('b')}`] });

  test('must be taken by its tag', async () => {
    const engine = engineWith([{ ...pinned, tags: [reference] }]);
    const { ref, events } = await ensure(engine, pin);
    expect([ref, events, engine.calls]).toEqual([reference, [], []]);
  });

  test('must be pulled by its digest, and get its tag', async () => {
    const engine = engineWith([], [`prom/prometheus@${digest('a')}`]);
    expect((await ensure(engine, pin)).ref).toBe(reference);
    expect(engine.calls).toEqual([`pull prom/prometheus@${digest('a')}`, `tag sha256:999 ${reference}`]);
  });

  test('must run by its digest when the tag was moved, which is reported', async () => {
    const engine = engineWith([moved, pinned]);
    const { ref, events } = await ensure(engine, pin);
    expect(ref).toBe(`prom/prometheus@${digest('a')}`);
    expect(events).toEqual([
      { kind: 'note', text: expect.stringContaining(`the tag ${reference} is ${digest('b')} by now`) },
    ]);
  });

  test.each(['registry', 'archive', 'auto'] as const)(
    'must not be replaced by what has its tag: %s',
    async (source) => {
      await expect(ensure(engineWith([moved]), pin, source)).rejects.toThrow(
        `the tag ${reference} is ${digest('b')} by now, and ${digest('a')} is pinned`,
      );
    },
  );
});

test.each([
  ['is not pinned', undefined, 'it has no prom/prometheus:v3.13.2, the image of prometheus'],
  ['has only an id', { image: reference, id: digest('1') }, 'has no digest in a registry: the tag'],
  [
    'was built from packages of other versions',
    { image: reference, packages: 'libc6 2.42, prometheus 3.5.3-6', id: digest('1') },
    'libc6 2.42 is not among them',
  ],
])('an image that %s must be refused', async (_, pin, why) => {
  const present = image({ id: digest('2'), tags: [reference], labels: packages('libc6 2.43, prometheus 3.5.3-6') });
  await expect(ensure(engineWith([present]), pin, 'auto')).rejects.toThrow(why);
});
