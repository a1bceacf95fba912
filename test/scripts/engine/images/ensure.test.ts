import { describe, expect, test } from 'vitest';
import type { Engine, ImageSummary } from '../../../../scripts/engine/engine.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { ensureImages, type ImageSettings } from '../../../../scripts/engine/images/ensure.ts';
import { describeMissing, missingImages, missingImagesError } from '../../../../scripts/engine/images/outcome.ts';
import type { Event } from '../../../../scripts/util/event.ts';
import { defaultImages } from '../../../../stack/values/default-images.ts';
import { fakeEngine } from '../../../support/engine.ts';

const prometheus = 'prom/prometheus:v3.5.3';
const grafana = 'grafana/grafana:12.4.0';
const forever = new AbortController().signal;

/** An engine with these images; a pull adds an image of the registry. */
function engineWith(
  present: readonly string[],
  registry: readonly string[] = [],
): Engine & { readonly pulled: string[] } {
  const images = new Map<string, ImageSummary>(present.map((tag) => [tag, image(tag)]));
  const pulled: string[] = [];
  const engine = fakeEngine({
    findImage: async (reference) => images.get(reference),
    listImages: async () => [...images.values()],
    pullImage: async (reference, onProgress) => {
      pulled.push(reference);
      onProgress({ doneBytes: 42e6, totalBytes: 98e6 });
      if (!registry.includes(reference)) {
        throw new EngineError({ code: 'refused', doing: `pulling ${reference}`, message: 'no such host' });
      }
      images.set(reference, image(reference));
    },
  });
  return Object.assign(engine, { pulled });
}

const image = (tag: string): ImageSummary => ({
  id: `id of ${tag}`,
  tags: [tag],
  digests: [],
  sizeBytes: 1,
  labels: {},
});

async function ensure(engine: Engine, references: readonly string[], settings: ImageSettings) {
  const events: Event[] = [];
  const required = references.map((reference, index) => ({ service: `service${index}`, reference }));
  const outcomes = await ensureImages(engine, required, settings, (event) => events.push(event), forever);
  return { outcomes, events };
}

test('local images must cause no event and no pull', async () => {
  const engine = engineWith([prometheus]);
  const { outcomes, events } = await ensure(engine, [prometheus, prometheus], { source: 'registry' });
  const available = {
    kind: 'available',
    reference: prometheus,
    ref: prometheus,
    imageId: `id of ${prometheus}`,
    from: 'present',
  };
  expect(outcomes).toEqual([
    { service: 'service0', ...available },
    { service: 'service1', ...available },
  ]);
  expect([events, engine.pulled]).toEqual([[], []]);
});

test.each(['prom/prometheus', prometheus].map((name) => `${name}@sha256:${'a1'.repeat(32)}`))(
  'an image named by its digest must be found where it is present: %s',
  async (reference) => {
    const engine = fakeEngine({
      kind: 'docker',
      listImages: async () => [image(prometheus)],
      findImage: async (name) => (name === reference ? image(prometheus) : undefined),
    });
    const { outcomes } = await ensure(engine, [reference], { source: 'archive' });
    expect(outcomes).toEqual([expect.objectContaining({ kind: 'available', ref: reference, from: 'present' })]);
  },
);

describe('the source registry', () => {
  test('must pull absent images, each once, and report progress', async () => {
    const engine = engineWith([], [prometheus]);
    const { outcomes, events } = await ensure(engine, [prometheus, prometheus], { source: 'registry' });
    expect(outcomes.map((outcome) => outcome.kind === 'available' && outcome.from)).toEqual(['registry', 'registry']);
    expect(engine.pulled).toEqual([prometheus]);
    const id = `image:${prometheus}`;
    const what = `image ${prometheus}`;
    expect(events).toEqual([
      { kind: 'started', id, what },
      { kind: 'progress', id, what, detail: '42 of 98 MB', fraction: 42 / 98 },
      { kind: 'done', id, what, tookMs: expect.any(Number), detail: `pulled ${prometheus}` },
    ]);
  });

  test('must pull from the mirror, and run the pulled image', async () => {
    const mirrored = `registry.local:5000/${prometheus}`;
    const engine = engineWith([], [mirrored]);
    const { outcomes } = await ensure(engine, [prometheus], { source: 'registry', mirror: 'registry.local:5000' });
    expect(outcomes).toMatchObject([{ kind: 'available', reference: prometheus, ref: mirrored, from: 'registry' }]);
  });

  test('must not use an image built from packages', async () => {
    const engine = engineWith(['promstack/prometheus:3.5.3-debian']);
    const { outcomes } = await ensure(engine, [prometheus], { source: 'registry' });
    expect(outcomes).toMatchObject([{ kind: 'missing', attempts: [{ source: 'registry', why: 'no such host' }] }]);
  });

  test('must fail when the engine cannot be reached', async () => {
    const gone = new EngineError({ code: 'unreachable', doing: 'pulling', message: 'socket hang up' });
    const engine = fakeEngine({
      listImages: async () => [],
      findImage: async () => undefined,
      pullImage: () => Promise.reject(gone),
    });
    await expect(ensure(engine, [prometheus], { source: 'registry' })).rejects.toBe(gone);
  });
});

describe('the source auto', () => {
  test('must use an image built earlier without network access', async () => {
    const built = 'promstack/prometheus:3.5.3-debian';
    const engine = engineWith([built]);
    const { outcomes, events } = await ensure(engine, [prometheus], { source: 'auto' });
    expect(outcomes).toMatchObject([{ kind: 'available', ref: built, imageId: `id of ${built}`, from: 'present' }]);
    expect([events, engine.pulled]).toEqual([[], []]);
  });

  test('must replace a default image by a built one of another version, and say so', async () => {
    const built = 'promstack/prometheus:3.4.0-debian';
    const reference = defaultImages.prometheus;
    const { outcomes } = await ensure(engineWith([built]), [reference], { source: 'auto' });
    const otherVersion = `${built} is used in place of ${reference}: Debian's packages have 3.4.0`;
    expect(outcomes).toMatchObject([{ ref: built, otherVersion }]);
  });

  test.each([
    'prom/prometheus:v3.5.99',
    'quay.io/prometheus/prometheus:v3.13',
    'prom/alertmanager',
    `prom/pushgateway@sha256:${'a1'.repeat(32)}`,
  ])('must not replace an image that stack.yml names: %s', async (reference) => {
    const programs = ['prometheus', 'alertmanager', 'pushgateway'];
    const engine = engineWith(programs.map((program) => `promstack/${program}:3.5.3-debian`));
    const { outcomes } = await ensure(engine, [reference], { source: 'auto' });
    expect(engine.pulled).toEqual([reference]);
    expect(outcomes).toMatchObject([
      {
        kind: 'missing',
        attempts: [{ source: 'registry' }, { source: 'packages', why: expect.stringMatching(/^not tried/) }],
      },
    ]);
    const { why, tryThis } = missingImagesError(missingImages(outcomes));
    expect(why).toContain('replaces only the default images');
    expect(tryThis).toMatch(
      /^correct `exporters.custom.service0.image`, or remove it for the default image, or `images: {source: packages}`/,
    );
  });

  test('must say why each source failed', async () => {
    const { outcomes, events } = await ensure(engineWith([]), [grafana], { source: 'auto' });
    const attempts = [
      { source: 'registry', why: 'no such host' },
      { source: 'packages', why: 'Debian has no package of grafana/grafana' },
    ];
    expect(outcomes).toEqual([{ service: 'service0', reference: grafana, kind: 'missing', attempts, otherTags: [] }]);
    expect(events.at(-1)).toMatchObject({ kind: 'failed', why: 'not available' });
  });
});

test('the source packages must replace an image of another version, and say so', async () => {
  const { outcomes } = await ensure(engineWith(['promstack/prometheus:3.4.0-debian']), [prometheus], {
    source: 'packages',
  });
  expect(outcomes).toMatchObject([{ otherVersion: expect.stringContaining('3.4.0') }]);
});

test('the source packages must not use the official image', async () => {
  const engine = engineWith([prometheus, 'promstack/prometheus:3.5.3-debian']);
  const { outcomes } = await ensure(engine, [prometheus], { source: 'packages' });
  expect(outcomes).toMatchObject([{ ref: 'promstack/prometheus:3.5.3-debian' }]);
});

test('the source archive must use loaded images, official or built, without network access', async () => {
  const engine = engineWith([grafana, 'promstack/prometheus:3.5.3-debian']);
  const { outcomes } = await ensure(engine, [grafana, prometheus, 'prom/alertmanager:v1'], { source: 'archive' });
  expect(outcomes).toMatchObject([
    { ref: grafana },
    { ref: 'promstack/prometheus:3.5.3-debian' },
    { kind: 'missing', attempts: [{ source: 'archive', why: 'it has not been loaded' }] },
  ]);
});

test('unavailable images must be reported together, with what to try', async () => {
  const { outcomes } = await ensure(engineWith([]), [prometheus, grafana], { source: 'registry' });
  expect(
    missingImagesError(missingImages(outcomes)).message,
  ).toBe(`getting the images: prom/prometheus:v3.5.3 for service0, grafana/grafana:12.4.0 for service1 are not available
    registry: no such host
  try: \`images: {source: auto}\` in stack.yml, which also builds images from Debian's packages, or \`promstack up --without service1\`, or \`images: { mirror: … }\` with a registry that the engine can reach, or \`promstack images save FILE\` on a host that has them and \`promstack images load FILE\` here`);
});

test.each<[ImageSettings['source'], string, string]>([
  ['auto', grafana, 'grafana/grafana:12.3.1'],
  ['auto', 'docker.io/grafana/grafana:12.4.0', 'grafana/grafana:12.3.1'],
  ['registry', grafana, 'docker.io/grafana/grafana:12.3.1'],
  ['registry', 'prom/prometheus:v3.99.0', prometheus],
])('an image of the same repository that is present must be named: %s, %s', async (source, wanted, present) => {
  const { outcomes } = await ensure(engineWith([present, 'x/grafana:1']), [wanted], { source });
  expect(missingImagesError(missingImages(outcomes)).tryThis).toContain(
    `\`exporters.custom.service0.image: ${present}\`, which is present`,
  );
});

test('an image that Debian has no package of must be the local one, from packages too', async () => {
  const { outcomes } = await ensure(engineWith([grafana]), [grafana], { source: 'packages' });
  expect(outcomes).toMatchObject([{ kind: 'available', ref: grafana, from: 'present' }]);
});

test('a service that Debian has no package for must be left out where nothing else is possible', async () => {
  const { outcomes } = await ensure(engineWith([]), [grafana], { source: 'auto' });
  expect(missingImagesError(missingImages(outcomes)).tryThis).toMatch(/^`promstack up --without service0`, or /);
});

test('on a swarm a missing image must be answered by what a swarm takes', async () => {
  const { outcomes } = await ensure(engineWith([]), [grafana], { source: 'auto' });
  const { tryThis } = missingImagesError(missingImages(outcomes), 'swarm');
  expect(tryThis).toMatch(/^`exporters\.custom\.service0\.enabled: false` in stack\.yml, or /);
  expect(tryThis).toMatch(/ and `docker load --input FILE` on each node$/);
  expect(tryThis).not.toContain('--without');
});

test('a reason must be printed once for all images it holds for', () => {
  const lookup = (port: number) => `lookup registry-1.docker.io: read udp 10.0.0.2:${port}->1.1.1.1:53: i/o timeout`;
  const images = ['a:1', 'b:1', 'c:1'].map((reference, at) => ({
    kind: 'missing' as const,
    service: `s${at}`,
    reference,
    attempts: [
      { source: 'registry', why: `${reference}: ${lookup(40_000 + at)}` },
      ...(at === 2 ? [{ source: 'packages', why: 'Debian has no package of c' }] : []),
    ],
  }));
  expect(describeMissing(images).split('\n')).toEqual([
    'a:1 for s0, b:1 for s1, c:1 for s2 are not available',
    expect.stringContaining('lookup registry-1.docker.io'),
    '    packages: Debian has no package of c (c:1)',
  ]);
});
