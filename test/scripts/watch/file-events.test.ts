import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileEvents, openFileEvents } from '../../../scripts/watch/file-events.ts';
import { eventually } from '../../support/eventually.ts';

let folder: string;
let events: FileEvents;
let reported: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-'));
  for (const name of ['rules', 'deep/er', '.git']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'rules/a.yml'), 'a');
  reported = [];
  events = openFileEvents(
    (path) => reported.push(path),
    (why) => {
      throw new Error(why);
    },
  );
});

afterEach(async () => {
  await events[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('changes of files', () => {
  it('must be reported every time, however close together they are', async () => {
    await events.watch({ shallow: [join(folder, 'rules')], deep: [], files: [] });
    for (let number = 0; number < 5; number++) {
      reported = [];
      await writeFile(join(folder, 'rules/a.yml'), `a${number}`);
      await eventually(() => expect(reported).toContain(join(folder, 'rules/a.yml')));
    }
  });

  it('must be reported for new, renamed and removed files', async () => {
    await events.watch({ shallow: [join(folder, 'rules')], deep: [], files: [] });
    const [file, other] = [join(folder, 'rules/b.yml'), join(folder, 'rules/c.yml')];
    await writeFile(file, 'b');
    await eventually(() => expect(reported).toContain(file));
    await rename(file, other);
    await eventually(() => expect(reported).toContain(other));
    reported = [];
    await rm(other);
    await eventually(() => expect(reported).toContain(other));
  });

  it('must be reported for editors that write a temporary file and rename it', async () => {
    await events.watch({ shallow: [join(folder, 'rules')], deep: [], files: [] });
    for (const content of ['one', 'two']) {
      reported = [];
      await writeFile(join(folder, 'rules/.a.yml.swp'), content);
      await rename(join(folder, 'rules/.a.yml.swp'), join(folder, 'rules/a.yml'));
      await eventually(() => expect(reported).toContain(join(folder, 'rules/a.yml')));
    }
  });

  it('must be reported deep below a watched folder, including new folders', async () => {
    await events.watch({ shallow: [], deep: [join(folder, 'deep')], files: [] });
    await writeFile(join(folder, 'deep/er/a.yml'), 'a');
    await eventually(() => expect(reported).toContain(join(folder, 'deep/er/a.yml')));
    await mkdir(join(folder, 'deep/new'));
    await eventually(() => expect(reported).toContain(join(folder, 'deep/new')));
    await eventually(async () => {
      await writeFile(join(folder, 'deep/new/b.yml'), String(Date.now()));
      expect(reported).toContain(join(folder, 'deep/new/b.yml'));
    });
  });

  it('must be reported in sibling, nested and hidden folders', async () => {
    for (const name of ['rules.d', '.secrets', '.deep/er']) await mkdir(join(folder, name), { recursive: true });
    const shallow = [folder, ...['rules', 'rules.d', '.secrets'].map((name) => join(folder, name))];
    const files = ['.slack', '.secrets/.hook'].map((name) => join(folder, name));
    await events.watch({ shallow, deep: [join(folder, '.deep')], files });
    for (const name of [
      'rules/a.yml',
      'rules.d/a.yml',
      '.secrets/hook',
      '.secrets/.hook',
      '.slack',
      '.deep/er/a.yml',
    ]) {
      await writeFile(join(folder, name), 'new');
      await eventually(() => expect(reported).toContain(join(folder, name)));
    }
    await writeFile(join(folder, '.other'), 'new');
    await writeFile(join(folder, '.secrets/.other'), 'new');
    await writeFile(join(folder, 'rules/last.yml'), 'new');
    await eventually(() => expect(reported).toContain(join(folder, 'rules/last.yml')));
    expect(reported.filter((path) => path.endsWith('.other'))).toEqual([]);
  });

  it('must report whether the watched paths have changed, and ignore missing ones', async () => {
    expect(await events.watch({ shallow: [folder], deep: [join(folder, 'templates')], files: [] })).toBe(true);
    expect(await events.watch({ shallow: [folder], deep: [join(folder, 'templates')], files: [] })).toBe(false);
    await mkdir(join(folder, 'templates'));
    expect(await events.watch({ shallow: [folder], deep: [join(folder, 'templates')], files: [] })).toBe(true);
    await writeFile(join(folder, 'templates/a'), 'a');
    await eventually(() => expect(reported).toContain(join(folder, 'templates/a')));
  });
});
