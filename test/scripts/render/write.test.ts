import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { writeRendered } from '../../../scripts/render/write.ts';
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
    const paths = await writeRendered(folder, [
      file('a.yml', secret),
      file('bin/run.sh', { mode: 0o555 }),
      file('b', { content: new Secret('x', 'y') }),
    ]);
    expect(paths).toEqual(['prometheus/a.yml', 'prometheus/bin/run.sh', 'prometheus/b']);
    expect(await readFile(join(folder, 'prometheus/a.yml'), 'utf8')).toBe('a: [secret]\n');
    expect(await readFile(join(folder, 'prometheus/b'), 'utf8')).toBe('[secret]\n');
    expect((await stat(join(folder, 'prometheus/a.yml'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'prometheus/bin/run.sh'))).mode & 0o777).toBe(0o755);
  });

  it('must replace those of the last run only', async () => {
    await writeRendered(folder, [file('old.yml'), file('same.yml')]);
    await writeFile(join(folder, 'prometheus/notes.txt'), 'mine');
    await writeRendered(folder, [file('same.yml', { content: 'new\n' }), file('new.yml')]);
    expect(await filesIn()).toEqual(['prometheus/new.yml', 'prometheus/notes.txt', 'prometheus/same.yml']);
    expect(await readFile(join(folder, 'prometheus/same.yml'), 'utf8')).toBe('new\n');
  });

  it('must not overwrite other files', async () => {
    await writeRendered(folder, [file('a.yml')]);
    await writeFile(join(folder, 'prometheus/b.yml'), 'mine');
    await expect(writeRendered(folder, [file('b.yml')])).rejects.toThrow(
      'it already contains prometheus/b.yml, which promstack did not write',
    );
    expect(await filesIn()).toEqual(['prometheus/a.yml', 'prometheus/b.yml']);
    expect(await readFile(join(folder, 'prometheus/b.yml'), 'utf8')).toBe('mine');
  });

  it('must not be written to a folder with other files', async () => {
    await expect(writeRendered(join(folder, '..'), [])).resolves.toEqual([]);
    const foreignFolder = await mkdtemp(join(root, 'other-'));
    await writeFile(join(foreignFolder, 'thesis.tex'), '');
    await expect(writeRendered(foreignFolder, [file('a.yml')])).rejects.toThrow(
      `writing the rendered files to ${foreignFolder}: it already contains thesis.tex, which promstack did not write\n  try: use an empty folder, or one that promstack rendered to before`,
    );
    expect(await readdir(foreignFolder)).toEqual(['thesis.tex']);
  });

  it('must not be removed outside the folder, whatever its list of files says', async () => {
    await writeRendered(folder, [file('a.yml')]);
    const outside = join(folder, '../outside');
    await writeFile(outside, 'mine');
    await writeFile(
      join(folder, '.promstack-render'),
      `../outside\nprometheus/../../outside\n${outside}\nprometheus/a.yml\n`,
    );
    await writeRendered(folder, []);
    expect(await readFile(outside, 'utf8')).toBe('mine');
    expect(await filesIn()).toEqual([]);
  });

  it('must be reported with the reason when they cannot be written', async () => {
    await writeFile(folder, 'a file');
    await expect(writeRendered(folder, [file('a.yml')])).rejects.toThrow(/^writing the rendered files to .*: /);
  });
});
