import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageSummary } from '../../scripts/engine/engine.ts';
import { loadImages, openTargetFile, saveImages } from '../../scripts/engine/images/archive.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { type BuildOutcome, buildFromPackages } from '../../scripts/engine/images/packages.ts';
import { type Recipe, recipes } from '../../scripts/engine/images/recipes.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { coreRecipes, isFull } from '../support/shares.ts';

let bench: TestEngine;
beforeAll(async () => {
  bench = await testEngine();
});
afterAll(() => bench[Symbol.asyncDispose]());

const soon = () => AbortSignal.timeout(240_000);
const silent = () => undefined;

/** Those that are built here; all others are built alike. */
const built = recipes.filter(({ program }) => isFull || coreRecipes.includes(program));

describe("images built from Debian's packages", () => {
  let outcomes: ReadonlyMap<string, BuildOutcome>;
  beforeAll(async () => {
    const [recipe] = recipes;
    if (recipe === undefined) throw new Error('there are no recipes');
    const missing = { ...recipe, program: 'missing', packages: ['promstack-no-such-package'] };
    outcomes = await buildFromPackages(bench.engine, [...built, missing], silent, soon(), {
      vendor: bench.name('built'),
    });
  });
  afterAll(async () => {
    for (const one of await bench.engine.listContainers(bench.labels)) await bench.engine.removeContainer(one.id);
    for (const outcome of outcomes.values()) {
      if (outcome.kind === 'built') await bench.engine.removeImage(outcome.reference);
    }
  });

  const referenceOf = (recipe: Recipe): string => {
    const outcome = outcomes.get(recipe.program);
    if (outcome?.kind !== 'built') throw new Error(`${recipe.program} was not built: ${outcome?.why}`);
    return outcome.reference;
  };

  describe.each(built.map((recipe) => [recipe.program, recipe] as const))('%s', (program, recipe) => {
    async function runs(part: string): Promise<string> {
      const id = await bench.createHelper(`${program}-${part}`, { image: referenceOf(recipe) });
      await bench.engine.startContainer(id);
      return id;
    }

    test('must have every program of the official image, and they must run', async () => {
      const id = await runs('programs');
      for (const path of Object.keys(recipe.programs)) {
        const { exitCode, stdout, stderr } = await bench.engine.exec(id, [`/${path}`, '--version']);
        // Some of Debian's print no number.
        expect(`${exitCode} ${stdout}${stderr}`).toMatch(/^0 \S/);
      }
    });

    test('must have a home for its data that its user can write', async () => {
      // Not started: a running helper has an empty directory in place of the image's.
      const id = await bench.createHelper(`${program}-home`, { image: referenceOf(recipe) });
      const home = await bench.engine.getFiles(id, `/${recipe.home.replace(/^\//, '')}`);
      expect(home?.[0]).toMatchObject({ kind: 'directory', uid: 65_534, gid: 65_534 });
    });

    test('must have a shell with its tools, time zones and authorities', async () => {
      const id = await runs('layout');
      const script = [
        'id -u; id -gn',
        'touch /tmp/x && echo tmp is writable',
        'TZ=Asia/Shanghai date +%Z',
        'grep -c "BEGIN CERTIFICATE" /etc/ssl/certs/ca-certificates.crt | sed "s/[0-9][0-9]*/authorities/"',
        'ls /bin/wget /bin/httpd /bin/cat /bin/head /bin/tar /bin/sleep | wc -l',
      ].join('; ');
      const { stdout } = await bench.engine.exec(id, ['/bin/sh', '-c', script]);
      expect(stdout.trim().split('\n')).toEqual(['65534', 'nobody', 'tmp is writable', 'CST', 'authorities', '6']);
    });

    test('must be labelled as not the official one', async () => {
      const image = await bench.engine.findImage(referenceOf(recipe));
      expect(image?.labels).toMatchObject({
        'dev.promstack.program': program,
        'dev.promstack.packages': expect.stringMatching(new RegExp(`\\b${recipe.packages[0]} \\d`)),
        'org.opencontainers.image.description': expect.stringMatching(/not the official image$/),
      });
    });
  });

  test('must fail with the reason of every suite that lacks a package', () => {
    const outcome = outcomes.get('missing');
    const reason = 'Unable to locate package promstack-no-such-package';
    expect(outcome).toEqual({
      kind: 'failed',
      why: expect.stringMatching(new RegExp(`^sid at .*: ${reason}; trixie at `)),
    });
  });

  test('must keep an existing image of the same name', async () => {
    const [recipe] = recipes.filter(({ program }) => program === 'pushgateway');
    if (recipe === undefined) throw new Error('there is no recipe');
    const list = () => bench.engine.listImages({ 'dev.promstack.program': 'pushgateway' });
    const known = new Set((await list()).map((image) => image.id));
    const before = await bench.engine.findImage(referenceOf(recipe));
    const build = () => buildFromPackages(bench.engine, [recipe], silent, soon(), { vendor: bench.name('built') });
    const [one, other] = await Promise.all([build(), build()]);
    expect([one.get('pushgateway')?.kind, other.get('pushgateway')?.kind]).toEqual(['built', 'built']);
    expect(await bench.engine.findImage(referenceOf(recipe))).toEqual(before);
    const isLeftOver = ({ id, tags }: ImageSummary) => tags.length === 0 && !known.has(id);
    const left = (await list()).filter(
      (image) => isLeftOver(image) || image.tags.some((tag) => tag.includes('building')),
    );
    expect(left).toEqual([]);
  }, 240_000);
});

test('an image must be loaded as it was saved', async () => {
  const tag = `${bench.name('saved')}:1`;
  await bench.engine.tagImage(bench.image, tag);
  const before = await bench.engine.findImage(tag);
  const folder = await mkdtemp(join(tmpdir(), 'engine-images-'));
  try {
    const file = join(folder, 'images.tar.gz');
    await using target = await openTargetFile(file);
    await saveImages(bench.engine, [tag], target, silent, soon());
    await bench.engine.removeImage(tag);
    expect(await bench.engine.findImage(tag)).toBeUndefined();
    // Podman names every image with its registry.
    expect(await loadImages(bench.engine, file, silent, soon())).toEqual([expect.stringMatching(`${tag}$`)]);
    expect((await bench.engine.findImage(tag))?.id).toBe(before?.id);
  } finally {
    await rm(folder, { recursive: true });
    await bench.engine.removeImage(tag);
  }
});

test('a file without images must be rejected', async () => {
  for (const file of [process.execPath, '/dev/null']) {
    await expect(loadImages(bench.engine, file, silent, soon())).rejects.toThrow(
      `loading images from ${file}: it is not a complete image archive`,
    );
  }
});

test('a registry that cannot be reached must be the reason', async () => {
  // Nothing listens on the discard port of this machine, and the engine needs no network to find that out.
  const required = [{ service: 'prometheus', reference: 'prom/prometheus:v0.0.0' }];
  const settings = { source: 'registry', mirror: '127.0.0.1:9' } as const;
  const outcomes = await ensureImages(bench.engine, required, settings, silent, soon());
  expect(outcomes).toMatchObject([
    { kind: 'missing', attempts: [{ source: 'registry', why: expect.stringContaining('127.0.0.1:9') }] },
  ]);
});
