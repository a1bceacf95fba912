import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { compareRendered, writeRendered } from '../../../scripts/render/write.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';

const root = await mkdtemp(join(tmpdir(), 'promstack-write-'));
let folder = '';

beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'case-')), 'out');
});

afterAll(() => rm(root, { recursive: true, force: true }));

const file = (path: string, rest: Partial<RenderedFile> = {}): RenderedFile => ({
  service: 'prometheus',
  path,
  content: `content of ${path}\n`,
  mode: 0o444,
  origin: 'x',
  ...rest,
});

const write = (files: readonly RenderedFile[], options: { prune?: boolean } = {}) =>
  writeRendered(folder, { files }, options);

async function filesIn(): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe('rendered files in a folder', () => {
  it('must be writable by the user, with secrets masked', async () => {
    const secret = { content: new Secret('a: hunter2\n', '!env X'), masked: 'a: [secret]\n', mode: 0o400 };
    const { written } = await write([
      file('a.yml', secret),
      file('bin/run.sh', { mode: 0o555 }),
      file('b', { content: new Secret('x', 'y') }),
    ]);
    expect(written).toEqual(['prometheus/a.yml', 'prometheus/bin/run.sh', 'prometheus/b']);
    expect(await readFile(join(folder, 'prometheus/a.yml'), 'utf8')).toBe('a: [secret]\n');
    expect(await readFile(join(folder, 'prometheus/b'), 'utf8')).toBe('[secret]\n');
    expect((await stat(join(folder, 'prometheus/a.yml'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'prometheus/bin/run.sh'))).mode & 0o777).toBe(0o755);
  });

  it('must replace those of earlier runs, and keep all others without prune', async () => {
    await write([file('old.yml'), file('same.yml')]);
    await writeFile(join(folder, 'prometheus/notes.txt'), 'mine');
    const second = await write([file('same.yml', { content: 'new\n' }), file('new.yml')]);
    expect([second.stale, second.removed]).toEqual([['prometheus/old.yml'], []]);
    const present = ['prometheus/new.yml', 'prometheus/notes.txt', 'prometheus/old.yml', 'prometheus/same.yml'];
    expect(await filesIn()).toEqual(present);
    expect(await readFile(join(folder, 'prometheus/same.yml'), 'utf8')).toBe('new\n');
    const third = await write([file('same.yml')], { prune: true });
    expect([third.stale, third.removed]).toEqual([[], ['prometheus/new.yml', 'prometheus/old.yml']]);
    expect(await filesIn()).toEqual(['prometheus/notes.txt', 'prometheus/same.yml']);
  });

  it('must not make the files stale that a part of the stack leaves out', async () => {
    const all = ['prometheus/a.yml', 'prometheus/b.yml'];
    await write([file('a.yml'), file('b.yml')]);
    const part = await writeRendered(folder, { files: [file('a.yml')], all }, { prune: true });
    expect([part.stale, part.removed]).toEqual([[], []]);
    expect(await write([file('b.yml')])).toMatchObject({ stale: ['prometheus/a.yml'] });
  });

  it('must be compared without a change of the folder', async () => {
    const compare = (files: readonly RenderedFile[]) => compareRendered(folder, { files });
    const [before, after] = ['content of a.yml\n', 'b\n'];
    const added = { path: 'prometheus/a.yml', kind: 'added', before: '', after: before };
    expect(await compare([file('a.yml')])).toEqual([added]);
    await write([file('a.yml'), file('gone.yml')]);
    expect(await compare([file('a.yml'), file('gone.yml')])).toEqual([]);
    expect(await compare([file('a.yml', { content: after })])).toEqual([
      { path: 'prometheus/a.yml', kind: 'changed', before, after },
      { path: 'prometheus/gone.yml', kind: 'removed', before: 'content of gone.yml\n', after: '' },
    ]);
    expect(await filesIn()).toEqual(['prometheus/a.yml', 'prometheus/gone.yml']);
  });

  it('must not overwrite other files', async () => {
    await write([file('a.yml')]);
    await writeFile(join(folder, 'prometheus/b.yml'), 'mine');
    await expect(write([file('b.yml')])).rejects.toThrow(
      'it already contains prometheus/b.yml, which promstack did not write',
    );
    expect(await filesIn()).toEqual(['prometheus/a.yml', 'prometheus/b.yml']);
    expect(await readFile(join(folder, 'prometheus/b.yml'), 'utf8')).toBe('mine');
  });

  it('must not be removed behind a link', async () => {
    await write([file('rules/a.yml')]);
    const elsewhere = await mkdtemp(join(root, 'other-'));
    await writeFile(join(elsewhere, 'a.yml'), 'mine');
    await rm(join(folder, 'prometheus/rules'), { recursive: true });
    await symlink(elsewhere, join(folder, 'prometheus/rules'));
    await write([], { prune: true });
    expect(await readdir(elsewhere)).toEqual(['a.yml']);
  });

  it('must not be removed outside the folder, whatever its list of files says', async () => {
    await write([file('a.yml')]);
    const outside = join(folder, '../outside');
    await writeFile(outside, 'mine');
    await writeFile(
      join(folder, '.promstack-render'),
      `../outside\nprometheus/../../outside\n${outside}\nprometheus/a.yml\n`,
    );
    await write([], { prune: true });
    expect(await readFile(outside, 'utf8')).toBe('mine');
    expect(await filesIn()).toEqual([]);
  });

  it('must be reported with the reason when they cannot be written', async () => {
    await writeFile(folder, 'a file');
    await expect(write([file('a.yml')])).rejects.toThrow(/^writing the rendered files to .*: /);
  });
});
