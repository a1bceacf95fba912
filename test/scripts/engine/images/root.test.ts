import { chmod, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { unpackEntries } from '../../../../scripts/engine/docker/tar.ts';
import { createRunner } from '../../../../scripts/engine/images/apt.ts';
import { type Recipe, recipeFor } from '../../../../scripts/engine/images/recipes.ts';
import { layOutRoot, toTarStream } from '../../../../scripts/engine/images/root.ts';
import { emptyFolder } from '../../../support/promstack.ts';

const recipe: Recipe = recipeFor('prom/alertmanager') ?? expect.fail('there is no recipe');
const run = createRunner(new AbortController().signal);

/** A folder of unpacked packages: `-> x` is a link, content that begins with `#!` is a program. */
async function unpacked(files: Readonly<Record<string, string>>) {
  const folder = await emptyFolder();
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder.path, path);
    await mkdir(dirname(full), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), full);
    else await writeFile(full, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  return folder;
}

const base = {
  'usr/bin/busybox': '#!/bin/sh\necho sh; echo amtool\n',
  'usr/share/zoneinfo/UTC': 'UTC',
  'usr/share/ca-certificates/mozilla/a.crt': 'authority a\n',
  'usr/share/ca-certificates/mozilla/b.crt': 'authority b\n',
};
const programs = { 'usr/bin/prometheus-alertmanager': '#!alertmanager', 'usr/bin/amtool': '#!amtool' };

describe('the root of an image', () => {
  test("must have the programs at the official image's paths", async () => {
    await using root = await unpacked({ ...base, ...programs, 'usr/lib64/ld.so': '' });
    await layOutRoot(root.path, recipe, run);
    expect(await readlink(join(root.path, 'bin'))).toBe('usr/bin');
    expect(await readlink(join(root.path, 'lib64'))).toBe('usr/lib64');
    expect(await readlink(join(root.path, 'bin/alertmanager'))).toBe('/usr/bin/prometheus-alertmanager');
    expect(await readFile(join(root.path, 'bin/amtool'), 'utf8')).toBe('#!amtool');
    expect(await readlink(join(root.path, 'bin/sh'))).toBe('busybox');
  });

  test('must have them when packages have files in /bin, too', async () => {
    const { 'usr/bin/busybox': busybox, ...rest } = base;
    await using root = await unpacked({ ...rest, ...programs, 'bin/busybox': busybox });
    await layOutRoot(root.path, recipe, run);
    expect(await readlink(join(root.path, 'bin/amtool'))).toBe('/usr/bin/amtool');
    expect(await readlink(join(root.path, 'bin/sh'))).toBe('busybox');
  });

  test('must have the certificate authorities in one file', async () => {
    await using root = await unpacked({ ...base, ...programs });
    await layOutRoot(root.path, recipe, run);
    const bundle = await readFile(join(root.path, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');
    expect(bundle).toBe('authority a\nauthority b\n');
  });

  test.each(['usr/bin/amtool', 'usr/bin/busybox', 'usr/share/zoneinfo/UTC'])(
    'must be refused when the packages lack %s',
    async (path) => {
      const files = Object.entries({ ...base, ...programs }).filter(([name]) => name !== path);
      await using root = await unpacked(Object.fromEntries(files));
      await expect(layOutRoot(root.path, recipe, run)).rejects.toThrow('none of its packages has /');
    },
  );
});

describe('its tar stream', () => {
  test('must have all files except documentation, with their owners and modes', async () => {
    await using root = await unpacked({
      'usr/bin/thing': '#!thing',
      'usr/share/doc/thing/README': 'read me',
      'etc/secret.conf': 'text',
      bin: '-> usr/bin',
      'tmp/x': '',
      'alertmanager/x': '',
    });
    await chmod(join(root.path, 'usr/bin/thing'), 0o4711);
    await chmod(join(root.path, 'etc/secret.conf'), 0o600);
    const entries = await unpackEntries(Readable.from([await buffer(toTarStream(root.path, recipe))]));
    const rootOwned = { uid: 0, gid: 0 };
    const modified = expect.any(Date);
    const byPath = [...entries].sort((first, second) => (first.path < second.path ? -1 : 1));
    expect(byPath).toEqual([
      { kind: 'directory', path: 'alertmanager', mode: 0o755, uid: 65534, gid: 65534 },
      { kind: 'file', path: 'alertmanager/x', content: Buffer.alloc(0), mode: 0o644, modified, ...rootOwned },
      { kind: 'link', path: 'bin', to: 'usr/bin', ...rootOwned },
      { kind: 'directory', path: 'etc', mode: 0o755, ...rootOwned },
      { kind: 'file', path: 'etc/secret.conf', content: Buffer.from('text'), mode: 0o644, modified, ...rootOwned },
      { kind: 'directory', path: 'tmp', mode: 0o1777, ...rootOwned },
      { kind: 'file', path: 'tmp/x', content: Buffer.alloc(0), mode: 0o644, modified, ...rootOwned },
      { kind: 'directory', path: 'usr', mode: 0o755, ...rootOwned },
      { kind: 'directory', path: 'usr/bin', mode: 0o755, ...rootOwned },
      { kind: 'file', path: 'usr/bin/thing', content: Buffer.from('#!thing'), mode: 0o755, modified, ...rootOwned },
      { kind: 'directory', path: 'usr/share', mode: 0o755, ...rootOwned },
    ]);
  });

  test('must fail when a file cannot be read, not end early', async () => {
    await expect(buffer(toTarStream('/nowhere', recipe))).rejects.toThrow('ENOENT');
  });
});
