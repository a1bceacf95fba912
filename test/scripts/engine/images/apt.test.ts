import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLines, type CommandRunner, readAptHost } from '../../../../scripts/engine/images/apt.ts';
import { emptyFolder } from '../../../support/promstack.ts';

test("only the host's apt settings on reaching archives must be used, never a hook", () => {
  const dump = `APT "";
APT::Update::Post-Invoke-Success:: "run-something";
Dir "/";
Acquire::http::Proxy "http://proxy.example.org:3128";
Acquire::Check-Date "false";
Acquire::IndexTargets::deb::DEP-11::MetaKey "x";
Acquire::Languages:: "none";
DPkg::Post-Invoke:: "run-something-else";
`;
  expect(acquireLines(dump)).toEqual([
    'Acquire::http::Proxy "http://proxy.example.org:3128";',
    'Acquire::Check-Date "false";',
  ]);
});

const dpkg: CommandRunner = async () => 'arm64\n';

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

test("a host's archives must be read from all its source files", async () => {
  await using root = await emptyFolder();
  await write(root.path, {
    'etc/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
    'etc/apt/sources.list': 'deb http://one.example.org/debian bookworm main\n',
    'etc/apt/sources.list.d/two.sources':
      'Types: deb\nURIs: http://two.example.org\nSuites: bookworm\nComponents: main\n',
    'etc/apt/sources.list.d/off.list.save': 'deb http://three.example.org bookworm main\n',
  });
  const host = await readAptHost(dpkg, root.path);
  expect(host).toMatchObject({ codename: 'bookworm', architecture: 'arm64' });
  expect(host?.archives.map(({ uri }) => uri)).toEqual(['http://one.example.org/debian', 'http://two.example.org']);
});

test('a host without dpkg must be treated as one without apt', async () => {
  await using root = await emptyFolder();
  await write(root.path, { 'etc/os-release': 'VERSION_CODENAME=forty\n' });
  const missing: CommandRunner = () => Promise.reject(new Error('no such program'));
  expect(await readAptHost(missing, root.path)).toBeUndefined();
});
