import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { assert, asyncProperty, integer, nat, record } from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { entriesOf, verifyArchive, writeArchive } from '../../../../scripts/move/backup/archive.ts';
import { decrypt, encrypt } from '../../../../scripts/move/backup/encrypt.ts';
import { emptyFolder } from '../../../support/promstack.ts';

const forever = new AbortController().signal;
const samples = Buffer.from('wal '.repeat(500));
const longPath = `data/grafana-data/${'plugins/'.repeat(20)}module.js`;
let whole: Buffer;

beforeAll(async () => {
  const chunks: Buffer[] = [];
  const target = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk);
      done();
    },
  });
  await writeArchive(
    target,
    async (writer) => {
      await writer.file('promstack-backup.json', Buffer.from('{"format":1}'));
      const header = { type: 'file', mode: 0o644, uid: 65534, gid: 65534, mtime: new Date(0) } as const;
      await writer.entry(
        { ...header, name: 'data/prometheus-data/wal/0', size: samples.length },
        Readable.from([samples]),
      );
      await writer.entry({ ...header, name: longPath, size: 0 }, Readable.from([]));
    },
    forever,
  );
  whole = Buffer.concat(chunks);
});

const verified = async (content: Buffer): Promise<void> => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'shop.tar');
  await writeFile(path, content);
  await verifyArchive(path, () => undefined);
};

it('a whole backup must be read as it was written', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'shop.tar');
  await writeFile(path, whole);
  await verifyArchive(path, () => undefined);
  const entries: [string, number | undefined, number][] = [];
  for await (const { header, content } of entriesOf(path)) {
    entries.push([header.name, header.uid, (await buffer(content)).length]);
  }
  expect(entries).toEqual([
    ['promstack-backup.json', 0, 12],
    ['data/prometheus-data/wal/0', 65534, samples.length],
    [longPath, 65534, 0],
  ]);
});

it('a backup with any changed byte must be refused', async () => {
  const damage = record({ at: nat({ max: whole.length - 1 }), by: integer({ min: 1, max: 255 }) });
  await assert(
    asyncProperty(damage, async ({ at, by }) => {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ by;
      await expect(verified(damaged)).rejects.toThrow(/damaged|its end is missing/);
    }),
    { numRuns: 100 },
  );
});

it('a backup that was cut off or continued must be refused', async () => {
  await assert(
    asyncProperty(nat({ max: whole.length - 1 }), async (length) => {
      await expect(verified(whole.subarray(0, length))).rejects.toThrow(/its end is missing|not a backup/);
    }),
    { numRuns: 100 },
  );
  await expect(verified(Buffer.concat([whole, Buffer.from('\n')]))).rejects.toThrow('its end is missing');
});

it.each([
  ['empty', ''],
  ['short', 'hello'],
  ['long', `${'x'.repeat(5000)}\n`],
])('a file that is no backup must be refused: %s', async (_, text) => {
  await expect(verified(Buffer.from(text))).rejects.toThrow('it is not a backup of promstack');
});

it('an error while reading must end the backup', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('abc');
      throw new Error('the engine closed the connection');
    })(),
  );
  const target = new Writable({ write: (_chunk, _encoding, done) => done() });
  const writing = writeArchive(target, (writer) => writer.entry({ name: 'data/x', size: 10 }, broken), forever);
  await expect(writing).rejects.toThrow('the engine closed the connection');
});

it('a full disk must end the backup', async () => {
  const full = createWriteStream('/dev/full');
  const big = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65536)));
  const writing = writeArchive(full, (writer) => writer.entry({ name: 'data/x', size: 6_553_600 }, big), forever);
  await expect(writing).rejects.toThrow('ENOSPC');
  if (!full.closed) await once(full, 'close');
});

it('secrets must only be decrypted by their passphrase, and if nothing was changed', () => {
  const encrypted = encrypt(Buffer.from('admin:s3cret'), 'correct horse');
  expect(encrypted.includes('s3cret')).toBe(false);
  expect(decrypt(encrypted, 'correct horse').toString()).toBe('admin:s3cret');
  expect(() => decrypt(encrypted, 'correct horse ')).toThrow('the passphrase is wrong');
  for (const at of [45, 60, 75, encrypted.length - 1]) {
    const damaged = Buffer.from(encrypted);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(() => decrypt(damaged, 'correct horse')).toThrow('the passphrase is wrong');
  }
  expect(() => decrypt(Buffer.from('other'), 'x')).toThrow('their format is unknown');
});
