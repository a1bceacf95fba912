import { describe, expect, it } from 'vitest';
import type { DesiredService } from '../../../scripts/plan/desired.ts';
import { hashFiles } from '../../../scripts/state/files-hash.ts';
import {
  readMasked,
  readRelease,
  releaseEntries,
  slotPath,
  switchEntries,
} from '../../../scripts/state/release-files.ts';
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

function file(path: string, content: string): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: 'a test' };
}

function withFiles(files: readonly RenderedFile[]): DesiredService {
  const [desired] = desiredStack(['prometheus']).services;
  if (desired?.release === undefined) throw new Error('Prometheus has a release');
  return { ...desired, release: { ...desired.release, files } };
}
