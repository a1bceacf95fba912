import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadImages, saveImages } from '../../../scripts/engine/images/archive.ts';
import { fakeEngine } from '../../support/engine.ts';
import { temporaryFolder } from '../strategies/surroundings.ts';

const forever = new AbortController().signal;
const silent = () => undefined;
const content = Buffer.from('an archive of images');

test('a file that ends in .gz must be pressed together, any other must not', async () => {
  await using folder = await temporaryFolder();
  const engine = fakeEngine({ saveImages: async () => Readable.from([content]) });
  const [plain, pressed] = [join(folder.path, 'a.tar'), join(folder.path, 'a.tar.gz')];
  await saveImages(engine, ['prom/x:v1'], plain, silent, forever);
  await saveImages(engine, ['prom/x:v1'], pressed, silent, forever);
  expect(await readFile(plain)).toEqual(content);
  expect(gunzipSync(await readFile(pressed))).toEqual(content);
});

test('a save that fails must leave no file behind, and the one that was there as it was', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.tar');
  await writeFile(file, 'the last one');
  async function* broken(): AsyncGenerator<Buffer> {
    yield content;
    throw new Error('the engine is gone');
  }
  const engine = fakeEngine({ saveImages: async () => Readable.from(broken()) });
  await expect(saveImages(engine, ['prom/x:v1'], file, silent, forever)).rejects.toThrow('the engine is gone');
  expect(await readdir(folder.path)).toEqual(['a.tar']);
  expect(await readFile(file, 'utf8')).toBe('the last one');
});

test.each([
  ['plain', content],
  ['pressed together', gzipSync(content)],
])('a file that is %s must be handed to the engine plain, and what was in it be told', async (_, bytes) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'images');
  await writeFile(file, bytes);
  const engine = fakeEngine({
    loadImages: async (tar) => {
      expect(await buffer(tar)).toEqual(content);
      return ['prom/x:v1'];
    },
  });
  expect(await loadImages(engine, file, silent, forever)).toEqual(['prom/x:v1']);
});

test('a file that is cut short must be an error', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'images.tar.gz');
  await writeFile(file, gzipSync(content).subarray(0, 20));
  const engine = fakeEngine({ loadImages: async (tar) => [String(await buffer(tar))] });
  await expect(loadImages(engine, file, silent, forever)).rejects.toThrow('unexpected end of file');
});

test.each([
  ['/nowhere/a.tar', 'loading images from /nowhere/a.tar: there is no such file or folder'],
  ['/', 'loading images from /: it is a folder'],
])('a load of %s must say what is wrong with it', async (file, message) => {
  const engine = fakeEngine({ loadImages: async (tar) => [String(await buffer(tar))] });
  await expect(loadImages(engine, file, silent, forever)).rejects.toThrow(message);
});

test('a save into a folder that is not there must say so', async () => {
  const engine = fakeEngine({ saveImages: async () => Readable.from([content]) });
  const saving = saveImages(engine, ['prom/x:v1'], '/nowhere/a.tar', silent, forever);
  await expect(saving).rejects.toThrow('saving images to /nowhere/a.tar: there is no such file or folder');
});
