import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadTemplates, warnOfStrays } from '../../../scripts/render/templates.ts';

const root = await mkdtemp(join(tmpdir(), 'promstack-templates-'));
let folder = '';

beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'case-')), 'templates');
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
  await chmod(join(folder, path), mode);
}

const load = () => loadTemplates(folder, dirname(folder));

describe('templates', () => {
  it("must be promstack's own without a user folder", async () => {
    const { files, diagnostics } = await load();
    expect(diagnostics).toEqual([]);
    expect(files.every(({ isShipped }) => isShipped)).toBe(true);
    expect(files.map(({ service, path }) => `${service}/${path}`)).toEqual(
      expect.arrayContaining(['alertmanager/alertmanager.yml', 'prometheus/prometheus.yml', 'sink/www/cgi-bin/notify']),
    );
    expect(files.filter(({ isExecutable }) => isExecutable).map(({ path }) => path)).toContain('www/cgi-bin/notify');
    expect((await loadTemplates(undefined)).files.length).toBe(files.length);
  });

  it('must not include files next to the service folders', async () => {
    const { files } = await load();
    expect(files.filter(({ service }) => service === 'init' || service === 'examples')).toEqual([]);
  });

  it("must be replaced and extended by the user's files", async () => {
    await write('prometheus/prometheus.yml', 'mine: true\n');
    await write('prometheus/more/script.sh', '#!/bin/sh\n', 0o755);
    const shipped = (await loadTemplates(undefined)).files;
    const { files, diagnostics } = await load();
    expect(diagnostics).toEqual([]);
    expect(files.length).toBe(shipped.length + 1);
    expect(files.filter(({ isShipped }) => !isShipped)).toEqual([
      {
        service: 'prometheus',
        path: 'more/script.sh',
        text: '#!/bin/sh\n',
        isExecutable: true,
        isShipped: false,
        origin: 'templates/prometheus/more/script.sh',
      },
      {
        service: 'prometheus',
        path: 'prometheus.yml',
        text: 'mine: true\n',
        isExecutable: false,
        isShipped: false,
        origin: 'templates/prometheus/prometheus.yml',
      },
    ]);
  });

  it('must not include files that editors and file managers leave behind', async () => {
    for (const path of ['prometheus/.DS_Store', 'prometheus/prometheus.yml~', '.git/config', 'prometheus/.x.swp']) {
      await write(path, 'no');
    }
    const { files, diagnostics } = await load();
    expect(diagnostics).toEqual([]);
    expect(files.filter(({ isShipped }) => !isShipped)).toEqual([]);
  });

  it('outside the folders of services must be reported, once per folder', async () => {
    await write('promethus/a.yml', '');
    await write('promethus/b.yml', '');
    await write('init/stack.yml', '');
    await write('prometheus.yml', '');
    const { files, strays, diagnostics } = await load();
    expect(files.filter(({ isShipped }) => !isShipped)).toEqual([]);
    expect(diagnostics).toEqual([]);
    expect(
      warnOfStrays(strays)
        .map(({ severity, message, hint }) => `${severity}: ${message} (${hint})`)
        .sort(),
    ).toEqual([
      expect.stringMatching(
        /^warning: templates\/init is not the folder of a service \(it is not used; the folders in templates\/ are pushgateway, /,
      ),
      'warning: templates/promethus is not the folder of a service (it is not used; did you mean prometheus?)',
      expect.stringMatching(
        /^warning: the template templates\/prometheus.yml is not in the folder of a service \(it is not used/,
      ),
    ]);
  });

  it('that are not text must be refused', async () => {
    await write('grafana/logo.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff]));
    expect((await load()).diagnostics).toEqual([
      expect.objectContaining({
        severity: 'error',
        code: 'template-unreadable',
        message: 'the template templates/grafana/logo.png is not UTF-8 text',
        hint: 'it is a binary file: name a text file, or move it out of the templates folder',
      }),
    ]);
  });

  it('that are broken symbolic links must be refused', async () => {
    await mkdir(join(folder, 'prometheus'), { recursive: true });
    await symlink('/nowhere/prometheus.yml', join(folder, 'prometheus/prometheus.yml'));
    expect((await load()).diagnostics).toEqual([
      {
        severity: 'error',
        code: 'template-unreadable',
        message:
          'the template templates/prometheus/prometheus.yml is a symbolic link to /nowhere/prometheus.yml, which does not exist',
        hint: 'make it a readable file, or move it out of the templates folder',
      },
    ]);
  });

  it('that are pipes must be refused, for nobody may ever write to them', async () => {
    await mkdir(join(folder, 'prometheus'), { recursive: true });
    await execa('mkfifo', [join(folder, 'prometheus/prometheus.yml')]);
    expect((await load()).diagnostics).toMatchObject([
      { message: 'the template templates/prometheus/prometheus.yml is not a regular file' },
    ]);
  });

  it.each([
    ['/dev/zero', 'is not a regular file'],
    ['/dev/null', 'is not a regular file'],
    ['/proc/self/mem', 'cannot be read: i/o error (EIO)'],
  ])('that are links to %s must be refused', async (target, because) => {
    await mkdir(join(folder, 'prometheus'), { recursive: true });
    await symlink(target, join(folder, 'prometheus/prometheus.yml'));
    expect((await load()).diagnostics).toMatchObject([
      { severity: 'error', message: `the template templates/prometheus/prometheus.yml ${because}` },
    ]);
  });

  it('that appear and disappear must not keep others from being read', async () => {
    await write('prometheus/mine.yml', 'mine: true\n');
    let isOver = false;
    const restless = (async () => {
      while (!isOver) {
        await write('prometheus/deep/er/other.yml', 'other: true\n');
        await rm(join(folder, 'prometheus/deep'), { recursive: true });
      }
    })();
    for (let time = 0; time < 50; time++) {
      const { files, diagnostics } = await load();
      expect(diagnostics).toEqual([]);
      expect(files.map(({ path }) => path)).toContain('mine.yml');
    }
    isOver = true;
    await restless;
  });

  it('must be read through links to folders', async () => {
    await write('../elsewhere/a.yml', 'a: 1\n');
    await mkdir(folder, { recursive: true });
    await symlink('../elsewhere', join(folder, 'prometheus'));
    expect((await load()).files.map(({ origin }) => origin)).toContain('templates/prometheus/a.yml');
    await rm(join(folder, '../elsewhere'), { recursive: true });
  });

  it('must not be read from a file instead of a folder', async () => {
    await writeFile(folder, '');
    await expect(load()).rejects.toThrow(`reading the templates in ${folder}: `);
  });
});
