import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readElfNeeds } from '../../../../scripts/engine/images/elf.ts';
import { emptyFolder } from '../../../support/promstack.ts';

interface Form {
  readonly bits: 32 | 64;
  readonly isLittle: boolean;
}

/** The smallest ELF file that names a loader and two libraries; its one loaded segment begins at another address than in the file. */
function elf({ bits, isLittle }: Form): Buffer {
  const is64 = bits === 64;
  const width = is64 ? 8 : 4;
  const base = 0x10000;
  const file = Buffer.alloc(1024);
  const half = (at: number, value: number) =>
    isLittle ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at);
  const word = (at: number, value: number) =>
    isLittle ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
  const address = (at: number, value: number) => {
    if (!is64) word(at, value);
    else if (isLittle) file.writeBigUInt64LE(BigInt(value), at);
    else file.writeBigUInt64BE(BigInt(value), at);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isLittle ? 1 : 2]);
  const table = 64;
  const size = is64 ? 56 : 32;
  address(is64 ? 32 : 28, table);
  half(is64 ? 54 : 42, size);
  half(is64 ? 56 : 44, 3);
  const segment = (index: number, type: number, offset: number, length: number) => {
    const at = table + index * size;
    word(at, type);
    address(at + (is64 ? 8 : 4), offset);
    address(at + (is64 ? 16 : 8), offset + base);
    address(at + (is64 ? 32 : 16), length);
  };
  const loader = '/lib/ld.so\0';
  const strings = '\0libc.so.6\0libm.so.6\0';
  file.write(loader, 512);
  file.write(strings, 640);
  segment(0, 1, 0, 1024);
  segment(1, 3, 512, loader.length);
  segment(2, 2, 768, 10 * width);
  [
    [1, 1],
    [5, 640 + base],
    [10, strings.length],
    [1, 11],
    [0, 0],
  ].forEach(([tag = 0, value = 0], index) => {
    address(768 + index * 2 * width, tag);
    address(768 + index * 2 * width + width, value);
  });
  return file;
}

test.each<Form>([
  { bits: 64, isLittle: true },
  { bits: 64, isLittle: false },
  { bits: 32, isLittle: true },
  { bits: 32, isLittle: false },
])('what a program needs must be read from its headers: %j', async (form) => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'program');
  await writeFile(path, elf(form));
  expect(await readElfNeeds(path)).toEqual({ interpreter: '/lib/ld.so', libraries: ['libc.so.6', 'libm.so.6'] });
});

test.each(['', '#!/bin/sh\necho hello, this is a script and no program, long enough to have headers\n'])(
  'a file that is no program must need nothing: "%s"',
  async (text) => {
    await using folder = await emptyFolder();
    const path = join(folder.path, 'script');
    await writeFile(path, text);
    expect(await readElfNeeds(path)).toBeUndefined();
  },
);
