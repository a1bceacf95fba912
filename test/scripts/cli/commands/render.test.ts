import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

test('render --check must exit 3 with the diff when the folder differs, and change nothing', async () => {
  await using folder = await emptyFolder();
  const run = (...args: string[]) => runInProcess(folder.path, ['render', '--out', 'config', ...args]);
  const configure = (interval: string) =>
    writeFile(join(folder.path, 'stack.yml'), `name: shop\nprometheus: {scrape_interval: ${interval}}\n`);
  await configure('15s');
  expect(await run()).toMatchObject({ exitCode: 0 });
  expect(await run('--check')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });

  await configure('20s');
  for (let time = 1; time <= 2; time++) {
    const { exitCode, stdout, stderr } = await run('--check');
    expect(exitCode).toBe(3);
    expect(stdout).toContain('--- config/prometheus/prometheus.yml\n+++ config/prometheus/prometheus.yml\n');
    expect(stdout).toContain('-  scrape_interval: 15s\n+  scrape_interval: 20s\n');
    expect(stderr).toMatch(/^\d+ files below config would change; render --out config writes\n$/);
  }
  const one = await run('--check', 'prometheus/rules/targets.yml');
  expect([one.exitCode, one.stdout]).toEqual([0, '']);

  await run();
  await rm(join(folder.path, 'config', 'prometheus', 'prometheus.yml'));
  expect((await run('--check')).stdout).toContain('--- /dev/null\n+++ config/prometheus/prometheus.yml\n');
});

test('render must report the files that are not rendered any more, and remove them with --prune', async () => {
  await using folder = await emptyFolder();
  const run = (...args: string[]) => runInProcess(folder.path, ['render', '--out', 'config', ...args]);
  await writeFile(join(folder.path, 'stack.yml'), 'name: shop\n');
  await run();
  await writeFile(join(folder.path, 'stack.yml'), 'name: shop\nalertmanager: {enabled: false}\n');
  expect((await run()).stderr).toMatch(
    /not rendered any more; --prune removes them:\n {2}config\/alertmanager\/alertmanager.yml\n/,
  );
  expect((await run('--check')).stdout).toContain('+++ /dev/null\n');
  expect((await run('--prune')).stderr).toContain('removed config/alertmanager/alertmanager.yml\n');
  expect(await run('--check')).toMatchObject({ exitCode: 0 });
});

test.each(['--check', '--prune'])('render must refuse %s without --out', async (option) => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), '');
  const { exitCode, stderr } = await runInProcess(folder.path, ['render', option]);
  expect([exitCode, stderr]).toEqual([2, `✖ ${option} needs --out\n  name the folder with --out\n`]);
});

test('--check and --prune must not be combined, since one of them would have no effect', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), '');
  const { exitCode, stderr } = await runInProcess(folder.path, ['render', '--out', 'x', '--check', '--prune']);
  expect([exitCode, stderr]).toEqual([
    2,
    '✖ --check and --prune cannot be combined\n  --check writes and removes nothing\n',
  ]);
});
