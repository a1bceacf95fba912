import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { archiveToStdout, loadImages, openTargetFile, saveImages } from '../../../../scripts/engine/images/archive.ts';
import { fakeEngine } from '../../../support/engine.ts';
import { fakeDaemon } from '../../../support/fake-daemon.ts';
import { emptyFolder, noEngine } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

const forever = new AbortController().signal;
const silent = () => undefined;
const content = Buffer.from('an archive of images');
const saving = () => fakeEngine({ saveImages: async () => Readable.from([content]) });

async function saveTo(file: string, engine = saving()): Promise<void> {
  await using target = await openTargetFile(file);
  await saveImages(engine, ['prom/x:v1'], target, silent, forever);
}

test('only a file that ends in .gz must be compressed', async () => {
  await using folder = await emptyFolder();
  const [plain, pressed] = [join(folder.path, 'a.tar'), join(folder.path, 'a.tar.gz')];
  await saveTo(plain);
  await saveTo(pressed);
  expect(await readFile(plain)).toEqual(content);
  expect(gunzipSync(await readFile(pressed))).toEqual(content);
});

test('a save that fails must leave no new file, and an existing one unchanged', async () => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'a.tar');
  await writeFile(file, 'the last one');
  async function* broken(): AsyncGenerator<Buffer> {
    yield content;
    throw new Error('the engine is gone');
  }
  const engine = fakeEngine({ saveImages: async () => Readable.from(broken()) });
  await expect(saveTo(file, engine)).rejects.toThrow('the engine is gone');
  expect(await readdir(folder.path)).toEqual(['a.tar']);
  expect(await readFile(file, 'utf8')).toBe('the last one');
});

test.each([
  ['plain', content],
  ['pressed together', gzipSync(content)],
])('a file that is %s must be sent to the engine uncompressed, and its images returned', async (_, bytes) => {
  await using folder = await emptyFolder();
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

test('a truncated file must be an error', async () => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'images.tar.gz');
  await writeFile(file, gzipSync(content).subarray(0, 20));
  await using daemon = await fakeDaemon({
    'POST /images/load': (request, response) => void request.resume().on('end', () => response.end()),
  });
  await expect(loadImages(daemon.engine, file, silent, forever)).rejects.toThrow(
    [
      `loading images from ${file}: it is not a complete image archive (unexpected end of file)`,
      '  try: use a complete file written by `promstack images save` or `docker save`',
    ].join('\n'),
  );
});

test.each([
  ['Error processing tar file(exit status 1): unexpected EOF', 'it is not a complete image archive'],
  ['write /var/lib/docker/x: no space left on device', 'no space left on device'],
])('a refusal of the engine with "%s" must be reported as "%s"', async (message, why) => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'images.tar');
  await writeFile(file, content);
  const engine = fakeEngine({
    loadImages: async (tar) => {
      await buffer(tar);
      throw new EngineError({ code: 'refused', doing: 'loading images', message });
    },
  });
  await expect(loadImages(engine, file, silent, forever)).rejects.toThrow(why);
});

test.each([
  ['/nowhere/a.tar', 'loading images from /nowhere/a.tar: no such file or folder'],
  ['/', 'loading images from /: it is a folder'],
])('a load of %s must say what is wrong with it', async (file, message) => {
  const engine = fakeEngine({ loadImages: async (tar) => [String(await buffer(tar))] });
  await expect(loadImages(engine, file, silent, forever)).rejects.toThrow(message);
});

test('a save into a missing folder must be reported', async () => {
  await expect(saveTo('/nowhere/a.tar')).rejects.toThrow('saving images to /nowhere/a.tar: no such file or folder');
});

test('a save to a device or pipe must write to it and not replace it', async () => {
  await using folder = await emptyFolder();
  const pipe = join(folder.path, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  const [read] = await Promise.all([readFile(pipe), saveTo(pipe)]);
  expect(read).toEqual(content);
  expect(await readdir(folder.path)).toEqual(['pipe']);
});

test.each(['there', 'not there yet'])(
  'a save to a symlink must write the file behind it, when that is %s',
  async (when) => {
    await using folder = await emptyFolder();
    const [file, link] = [join(folder.path, 'a.tar'), join(folder.path, 'link')];
    await symlink('a.tar', link);
    if (when === 'there') await writeFile(file, 'the last one');
    await saveTo(link);
    expect(await readlink(link)).toBe('a.tar');
    expect(await readFile(file)).toEqual(content);
    expect(await readdir(folder.path)).toEqual(['a.tar', 'link']);
  },
);

test('concurrent saves to one file must not be mixed up', async () => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'a.tar');
  await using first = await openTargetFile(file);
  await saveTo(file);
  await saveImages(saving(), ['prom/x:v1'], first, silent, forever);
  expect(await readFile(file)).toEqual(content);
  expect(await readdir(folder.path)).toEqual(['a.tar']);
});

test('a save to stdout must leave it open', async () => {
  const stdout = new PassThrough();
  await saveImages(saving(), ['prom/x:v1'], archiveToStdout(stdout), silent, forever);
  expect(stdout.read()).toEqual(content);
  expect(stdout.writableEnded).toBe(false);
});

test.each([
  ['/dev/full', 'the disk is full'],
  ['/', 'it is a folder'],
  ['/dev/null/a.tar', 'a part of its path is not a folder'],
  ['/proc/a.tar', 'no such file or folder'],
])('a save to %s must say what is wrong with it', async (file, why) => {
  await expect(saveTo(file)).rejects.toMatchObject({ name: 'StackError', doing: `saving images to ${file}`, why });
});

test('a target that cannot be written must be reported before any engine call', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), 'name: x\n');
  const { exitCode, stderr } = await runInProcess(folder.path, ['images', 'save', '/nowhere/a.tar'], { env: noEngine });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: '✖ saving images to /nowhere/a.tar: no such file or folder\n',
  });
});
