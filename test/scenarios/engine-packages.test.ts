import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRunner, openRepository, type Repository } from '../../scripts/engine/images/apt.ts';
import { emptyFolder } from '../support/promstack.ts';

/** The packages of a small archive, each with its fields. */
const packages: Readonly<Record<string, string>> = {
  thing: 'Depends: libthing (>= 1), adduser (>= 3), debconf (>= 0.5) | debconf-2.0\nRecommends: thing-doc\n',
  libthing: '',
  'thing-doc': '',
  broken: 'Depends: nowhere\n',
};
const run = createRunner(new AbortController().signal);

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let repository: Repository;
beforeAll(async () => {
  folder = await emptyFolder();
  const archive = await writeArchive(folder.path);
  const own = join(folder.path, 'apt');
  await mkdir(own);
  repository = await openRepository(own, archive, 'sid', run);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** An archive of files, as apt reads it. */
async function writeArchive(root: string): Promise<Parameters<typeof openRepository>[1]> {
  const index = `main/binary-${(await run('dpkg', ['--print-architecture'])).trim()}`;
  const suite = join(root, 'archive/dists/sid');
  await mkdir(join(suite, index), { recursive: true });
  // apt reads it as its own user.
  await chmod(root, 0o755);
  const stanzas: string[] = [];
  for (const [name, fields] of Object.entries(packages)) {
    const control = `Package: ${name}\nVersion: 1:1.0+ds-1\nArchitecture: all\nMaintainer: x\n${fields}Description: x\n`;
    await mkdir(join(root, name, 'DEBIAN'), { recursive: true });
    await writeFile(join(root, name, 'DEBIAN/control'), control);
    const file = join(root, 'archive', `${name}.deb`);
    await execa('dpkg-deb', ['--build', '--root-owner-group', join(root, name), file]);
    const content = await readFile(file);
    stanzas.push(`${control}Filename: ${name}.deb\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`);
  }
  const list = Buffer.from(stanzas.join('\n'));
  await writeFile(join(suite, index, 'Packages'), list);
  const sums = `SHA256:\n ${sha256(list)} ${list.length} ${index}/Packages\n`;
  await writeFile(join(suite, 'Release'), `Suite: sid\nCodename: sid\nComponents: main\n${sums}`);
  return { uri: `file:${root}/archive`, suites: ['sid'], components: ['main'], trust: { Trusted: 'yes' } };
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

test('a package must include its dependencies, except those needed only for installation', async () => {
  expect([...(await repository.resolve(['thing']))].sort()).toEqual(['libthing', 'thing']);
});

test('a package that the suite lacks must be reported by name', async () => {
  await expect(repository.resolve(['absent'])).rejects.toThrow('Unable to locate package absent');
});

test('a package that cannot be installed must be reported', async () => {
  await expect(repository.resolve(['broken'])).rejects.toMatchObject({ name: 'CommandError' });
});

test('only packages that the suite has must be found', async () => {
  expect([...(await repository.find(['thing', 'absent', 'libthing']))].sort()).toEqual(['libthing', 'thing']);
});

test('a download must have names and versions', async () => {
  const files = await repository.download(['thing']);
  expect(files).toMatchObject([{ name: 'thing', version: '1:1.0+ds-1' }]);
  expect(await run('dpkg-deb', ['--field', files[0]?.path ?? '', 'Package'])).toBe('thing');
});
