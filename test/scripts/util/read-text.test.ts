import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { conversionHint, readText } from '../../../scripts/util/read-text.ts';
import { folderWith } from '../../support/config.ts';

function pipeIn(folder: string): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

describe('a pipe', () => {
  test('must be read to its end, whether reader or writer opens it first', async () => {
    await using folder = await folderWith({});
    const path = pipeIn(folder.path);
    const reading = readText(path);
    createWriteStream(path).end('from a writer\n');
    expect(await reading).toBe('from a writer\n');

    const writing = spawn('sh', ['-c', `printf early > ${path}`]);
    expect(await readText(path)).toBe('early');
    writing.kill();
  });

  test('must not be waited for after the signal aborts', async () => {
    await using folder = await folderWith({});
    const stop = new AbortController();
    const reading = readText(pipeIn(folder.path), { signal: stop.signal });
    await sleep(20);
    stop.abort(new Error('stopped'));
    await expect(reading).rejects.toThrow('stopped');
  });

  test('must not be read beyond the limit', async () => {
    await using folder = await folderWith({});
    const path = pipeIn(folder.path);
    const endless = spawn('sh', ['-c', `yes > ${path}`]);
    expect(await readText(path)).toEqual({ because: 'is larger than 1 MiB' });
    endless.kill();
  });
});

test.each([
  ['/dev/zero', 'is not a regular file'],
  ['/dev/null', 'is not a regular file'],
  ['/nothing/here', 'does not exist'],
  ['/etc/passwd/here', 'does not exist'],
  ['/', 'is a folder'],
])('%s must be refused: it %s', async (path, because) => {
  expect(await readText(path)).toEqual({ because });
});

test.each([
  ['Latin-1', [0x70, 0xe4, 0x73], 'convert it with iconv -f ISO-8859-1 -t UTF-8'],
  ['UTF-16', [0xff, 0xfe, 0x70, 0x00, 0xe4, 0x00], 'convert it with iconv -f UTF-16 -t UTF-8'],
  ['gzip', [0x1f, 0x8b, 0x08], 'it is compressed: decompress it with gunzip'],
  ['UTF-16 without a byte order mark', [0x6e, 0, 0x61, 0, 0x6d, 0], 'convert it with iconv -f UTF-16LE -t UTF-8'],
  ['UTF-16, big endian', [0, 0x6e, 0, 0x61, 0, 0x6d], 'convert it with iconv -f UTF-16BE -t UTF-8'],
  ['zip', [0x50, 0x4b, 0x03, 0x04, 0xff], 'it is compressed: decompress it with unzip'],
  ['Zstandard', [0x28, 0xb5, 0x2f, 0xfd], 'it is compressed: decompress it with unzstd'],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'it is compressed: decompress it with unxz'],
])('text in %s must be refused, with how to convert it', async (_, bytes, hint) => {
  await using folder = await folderWith({ file: new Uint8Array(bytes) });
  expect(await readText(join(folder.path, 'file'))).toEqual({ because: 'is not UTF-8 text', hint });
});

test('a file beyond the limit must be refused', async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, 'large');
  await writeFile(path, 'x'.repeat(2 ** 20));
  expect(await readText(path, { limit: 2 ** 20 })).toHaveLength(2 ** 20);
  await writeFile(path, 'x', { flag: 'a' });
  expect(await readText(path, { limit: 2 ** 20 })).toEqual({ because: 'is larger than 1 MiB' });
});

test('a symbolic link to something that does not exist must be called that', async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, 'link');
  await symlink('nowhere/x', path);
  expect(await readText(path)).toEqual({ because: 'is a symbolic link to nowhere/x, which does not exist' });
});

test('any other error of reading must say what it is', async () => {
  expect(await readText('/proc/self/mem')).toEqual({
    because: 'cannot be read: i/o error (EIO)',
    hint: 'check the disk, or the connection to it',
  });
  expect(await readText('x'.repeat(300))).toEqual({ because: 'is too long for a path' });
});

test('a symbolic link that leads back to itself must be called that', async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, 'loop');
  await symlink('loop', path);
  expect(await readText(path)).toEqual({ because: 'is a symbolic link that leads back to itself' });
});

test('a binary file must not be taken for a text of another encoding', () => {
  expect(conversionHint(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0]))).toBe(
    'it is a binary file: name a text file',
  );
  expect(conversionHint(Buffer.from('caf\u00e9', 'latin1'))).toBe('convert it with iconv -f ISO-8859-1 -t UTF-8');
});
