import { describe, expect, it } from 'vitest';
import type { DesiredService } from '../../../scripts/plan/desired.ts';
import { hashFiles } from '../../../scripts/state/files-hash.ts';
import {
  linkEntries,
  readMasked,
  readRelease,
  readSecretsOfAll,
  releaseEntries,
  slotPath,
  switchEntries,
} from '../../../scripts/state/release-files.ts';
import { forgetSecrets, redact } from '../../../scripts/util/redaction.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { MemoryFiles } from '../../support/config-files.ts';
import { desiredStack } from '../../support/states.ts';

describe('a release in a config volume', () => {
  it('must be read as it was written', async () => {
    const files = new MemoryFiles();
    const desired = withFiles([file('prometheus.yml', 'a: 1\n'), file('rules/user/a.yml', 'groups: []\n')]);
    await files.write(releaseEntries(desired, '1/3f2a'));
    const stored = await readRelease(files, 'prometheus', '1/3f2a');
    const read = stored?.files ?? [];
    expect(stored?.folder).toBe('1/3f2a');
    expect(stored?.hash).toBe(hashFiles(read));
    expect(read.map(({ path, content }) => [path, content])).toEqual([
      ['prometheus.yml', 'a: 1\n'],
      ['rules/user/a.yml', 'groups: []\n'],
    ]);
    expect(hashFiles(read)).toBe(hashFiles(desired.release?.files ?? []));
  });

  it('must make its secrets known to the redaction, those of earlier releases too', async () => {
    const files = new MemoryFiles();
    for (const revision of ['old', 'new']) {
      const config = `remote_write: [{url: http://x, basic_auth: {username: u, password: plain-${revision}}}]\n`;
      const secret = { ...file('secrets/env/A', ''), content: new Secret(`of-${revision}-release`, '!env A') };
      const desired = withFiles([file('prometheus.yml', config), secret]);
      await files.write(releaseEntries(desired, `${revision === 'old' ? 1 : 2}/${revision}`));
    }
    forgetSecrets();
    await readSecretsOfAll(files, 'prometheus');
    await readSecretsOfAll(files, 'alertmanager');
    expect(redact('of-old-release plain-old of-new-release plain-new releases')).toBe(
      '[secret] [secret] [secret] [secret] releases',
    );
    forgetSecrets();
  });

  it('must leave nothing of the previous release in its slot', async () => {
    const files = new MemoryFiles();
    await files.write(releaseEntries(withFiles([file('old.yml', 'x'), file('rules/old.yml', 'x')]), '1/old'));
    const slot = slotPath('prometheus', '1/new');
    await files.write(releaseEntries(withFiles([file('new.yml', 'y')]), '1/new'), [slot]);
    expect(files.paths().filter((path) => path.includes('/1'))).toEqual([
      'prometheus/releases/1',
      'prometheus/releases/1/new',
      'prometheus/releases/1/new/new.yml',
    ]);
  });

  it('must exist for a service without files', async () => {
    const files = new MemoryFiles();
    await files.write(releaseEntries(withFiles([]), '1/none'));
    expect((await readRelease(files, 'prometheus', '1/none'))?.files).toEqual([]);
  });

  it('must keep a secret file secret, with its masked content beside it', async () => {
    const files = new MemoryFiles();
    const secret = {
      ...file('a.yml', ''),
      content: new Secret('key: hunter2\n', 'a test'),
      masked: 'key: [secret]\n',
      mode: 0o400,
    };
    await files.write(releaseEntries(withFiles([secret]), '1/3f2a'));
    const [read] = (await readRelease(files, 'prometheus', '1/3f2a'))?.files ?? [];
    expect(JSON.stringify(read)).not.toContain('hunter2');
    expect(read?.content).toBeInstanceOf(Secret);
    expect([...(await readMasked(files, 'prometheus', '1/3f2a'))]).toEqual([['a.yml', 'key: [secret]\n']]);
  });

  it('must be the target of `current` after the switch', async () => {
    const files = new MemoryFiles();
    await files.write(switchEntries([{ service: 'prometheus', folder: '2/3f2a' }]));
    expect(await files.readLink('prometheus', 'current')).toBe('releases/2/3f2a');
  });

  it('must give each file that is as before its former time, and every other one a new one', () => {
    const modified = new Date('2026-01-02T03:04:05Z');
    const before = [file('same.yml', 'x'), file('changed.yml', 'x'), file('moved.yml', 'x')];
    const after = [file('same.yml', 'x'), file('changed.yml', 'y'), file('to/moved.yml', 'x')];
    const previous = before.map((stored) => ({ ...stored, modified }));
    const times = releaseEntries(withFiles(after), '1/3f2a', previous).flatMap((entry) =>
      entry.kind === 'file' ? [[entry.path.slice('prometheus/releases/1/3f2a/'.length), entry.modified]] : [],
    );
    // Prometheus shows the times of files in whole seconds: one more than before is another one.
    expect(times).toEqual([
      ['same.yml', modified],
      ['changed.yml', expect.toSatisfy((time: Date) => time.getTime() >= modified.getTime() + 1_000)],
      ['to/moved.yml', undefined],
    ]);
    const future = new Date(Date.now() + 60_000);
    const [entry] = releaseEntries(withFiles([file('a.yml', 'y')]), '1/3f2a', [
      { ...file('a.yml', 'x'), modified: future },
    ]).filter(({ kind }) => kind === 'file');
    expect(entry).toMatchObject({ modified: new Date(future.getTime() + 1_000) });
  });

  it('must have the empty folders that its server looks for', () => {
    const desired = withFiles([file('a.yml', 'x')]);
    const service = { ...desired.service, emptyFolders: ['provisioning/plugins', 'empty'] };
    const entries = releaseEntries({ ...desired, service }, '1/3f2a');
    expect(entries.flatMap(({ kind, path }) => (kind === 'directory' ? [path] : []))).toEqual([
      'prometheus/releases',
      'prometheus/releases/1',
      'prometheus/releases/1/3f2a',
      'prometheus/releases/1/3f2a/empty',
      'prometheus/releases/1/3f2a/provisioning',
      'prometheus/releases/1/3f2a/provisioning/plugins',
    ]);
  });

  it("must be owned by the server's user, and its folders by root", () => {
    const entries = releaseEntries(withFiles([file('a/b.yml', 'x')]), '1/3f2a');
    expect(entries.map(({ path, uid }) => `${path} ${uid}`)).toEqual([
      'prometheus/releases 0',
      'prometheus/releases/1 0',
      'prometheus/releases/1/3f2a 0',
      'prometheus/releases/1/3f2a/a 0',
      'prometheus/releases/1/3f2a/a/b.yml 65534',
    ]);
  });
});

describe('a linked folder', () => {
  /** The links after a switch to each of these releases in turn, and the folders that are left where links were. */
  async function afterReleases(...releases: readonly (readonly string[])[]) {
    const files = new MemoryFiles();
    const writes: string[][] = [];
    for (const paths of releases) {
      const desired = withFiles(paths.map((path) => file(path, path)));
      const service = { ...desired.service, linkedFolder: 'boards' };
      const entries = await linkEntries({ ...desired, service }, files);
      writes.push(entries.map(({ path }) => path));
      await files.write(entries);
    }
    const stored = (await files.read('prometheus', 'boards')) ?? [];
    const links = stored.flatMap((entry) => (entry.kind === 'link' ? [[entry.path, entry.to]] : []));
    return { links, folders: stored.flatMap(({ kind, path }) => (kind === 'directory' ? [path] : [])), writes };
  }

  it('must have a link to each of its files in the current release, and exist without any', async () => {
    const { links } = await afterReleases(['other/a.json', 'boards/a.json', 'boards/hosts/b.json']);
    expect(links).toEqual([
      ['boards/a.json', '../current/boards/a.json'],
      ['boards/hosts/b.json', '../../current/boards/hosts/b.json'],
    ]);
    expect((await afterReleases([])).folders).toEqual(['boards']);
  });

  it('must not be written again for files that stay', async () => {
    const { writes } = await afterReleases(['boards/a.json', 'boards/b.json'], ['boards/a.json', 'boards/b.json']);
    expect(writes[1]).toEqual(['prometheus/boards']);
  });

  it('must have no link to a file that is gone, and a new one when it is back', async () => {
    const gone = await afterReleases(['boards/a.json', 'boards/x/b.json'], ['boards/a.json']);
    expect(gone.links.map(([path]) => path)).toEqual(['boards/a.json']);
    expect(gone.folders).toContain('boards/x/b.json');
    const back = await afterReleases(['boards/x/b.json'], [], ['boards/x/b.json']);
    expect(back.links.map(([path]) => path)).toEqual(['boards/x/b.json']);
  });
});

function file(path: string, content: string): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: 'a test' };
}

function withFiles(files: readonly RenderedFile[]): DesiredService {
  const [desired] = desiredStack(['prometheus']).services;
  if (desired?.release === undefined) throw new Error('Prometheus has a release');
  return { ...desired, release: { ...desired.release, files } };
}
