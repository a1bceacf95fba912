import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findScenario, shippedScenarios } from '../../../../scripts/cli/demo/scenario.ts';
import { runInProcess } from '../../../support/test-process.ts';

test('every scenario must wait only for alerts that its rules have', async () => {
  const scenarios = await shippedScenarios();
  expect(scenarios.length).toBeGreaterThanOrEqual(7);
  for (const { name, folder, steps } of scenarios) {
    const { exitCode, stdout, stderr } = await runInProcess(folder, ['render']);
    expect(exitCode, stderr).toBe(0);
    const awaited = steps.flatMap(({ alert, notification }) => [alert?.name ?? [], notification?.alert ?? []].flat());
    expect(awaited.length, name).toBeGreaterThan(0);
    for (const alert of awaited) expect(stdout, name).toContain(`alert: ${alert}\n`);
    const resolves = steps.at(-1);
    expect([resolves?.notification?.status, resolves?.alert?.state], name).toContain(
      resolves?.alert === undefined ? 'resolved' : 'inactive',
    );
  }
});

test('a scenario must be listed, and copied only into an empty folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-scenario-'));
  try {
    expect((await runInProcess(folder, ['demo', '--list'])).stdout).toMatch(/^disk-full +A disk fills up$/m);
    const eject = ['demo', '--scenario', 'disk-full', '--eject', 'mine'];
    const { exitCode, stderr } = await runInProcess(folder, eject);
    expect([exitCode, stderr]).toEqual([0, 'wrote mine; next: promstack demo --scenario ./mine\n']);
    expect(await findScenario('./mine', folder)).toMatchObject({ name: 'mine', title: 'A disk fills up' });
    expect(await runInProcess(folder, eject)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('mine is not empty; nothing was written'),
    });

    const file = join(folder, 'mine', 'scenario.yml');
    const text = await readFile(file, 'utf8');
    const mistakes = [
      [text.replace('title: A', 'titel: A'), 'mine/scenario.yml:1:1 unknown key "titel"'],
      [text.replace('over: 10s', 'over: ten'), 'mine/scenario.yml:20:13 '],
      [text.replace('      over: 10s\n', ''), 'from, to and over are given together'],
      [text.replace('state: firing', 'state: fires'), 'mine/scenario.yml:23:'],
      ['title: [', 'mine/scenario.yml:1:'],
    ] as const;
    for (const [broken, message] of mistakes) {
      await writeFile(file, broken);
      const played = await runInProcess(folder, ['demo', '--scenario', './mine', '--no-setup']);
      expect(played).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
    }
    const unknown = await runInProcess(folder, ['demo', '--scenario', 'disk-fill']);
    expect(unknown.stderr).toContain('--scenario disk-fill: there is no such scenario');
    const alone = await runInProcess(folder, ['demo', '--eject', 'x']);
    expect(alone.stderr).toContain('name one with --scenario');
    expect((await runInProcess(folder, ['demo', '--speed', '0'])).exitCode).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
