import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findScenario, shippedScenarios } from '../../../../scripts/cli/demo/scenario.ts';
import { copyScenario } from '../../../../scripts/cli/demo/scenario-demo.ts';
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

test.each([
  ['--list --down', '--list takes no --down'],
  ['--list --scenario disk-full', '--list takes no --scenario'],
  ['--list --name talk', '--list takes no --name'],
  ['--list --eject mine', '--list takes no --eject'],
  ['--list --speed 2', '--list takes no --speed'],
  ['--list --detach', '--list takes no --detach'],
  ['--list --wait 5s', '--list takes no --wait'],
  ['--scenario disk-full --eject mine --down', '--eject takes no --down'],
  ['--scenario disk-full --eject mine --name talk', '--eject takes no --name'],
  ['--down --detach', '--down takes no --detach'],
  ['--down --scenario disk-full --speed 2', '--down takes no --speed'],
  ['--down --speed 2', '--speed is that of a scenario'],
])('demo %s must be refused, since an option would do nothing', async (args, message) => {
  const { exitCode, stdout, stderr } = await runInProcess(tmpdir(), ['demo', ...args.split(' ')]);
  expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
});

test('the copy of a scenario that is played must have no links to the files of the user', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-scenario-'));
  try {
    await writeFile(join(folder, 'shared.yml'), 'groups: []\n');
    await mkdir(join(folder, 'mine'));
    await symlink('../shared.yml', join(folder, 'mine', 'rules.yml'));
    const copy = await copyScenario({ folder: join(folder, 'mine') });
    await writeFile(join(copy, 'rules.yml'), 'edited');
    await rm(copy, { recursive: true });
    expect(await readFile(join(folder, 'shared.yml'), 'utf8')).toBe('groups: []\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
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
      ...['../rules.yml', '/etc/rules.yml', 'rules/../../a.yml', '..'].map((path) => [
        `title: A\nsteps:\n  - say: B\n    reload: {files: {${path}: ''}}\n`,
        'each file is named by its path in the folder of the scenario',
      ]),
    ] as const;
    for (const [broken, message] of mistakes) {
      await writeFile(file, broken);
      const played = await runInProcess(folder, ['demo', '--scenario', './mine', '--no-setup']);
      expect(played).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
    }
    const unknown = await runInProcess(folder, ['demo', '--scenario', 'disk-fill']);
    expect(unknown.stderr).toContain('--scenario disk-fill: there is no such scenario');
    const inside = await runInProcess(folder, ['demo', '--scenario', './mine', '--eject', 'mine/copy']);
    expect(inside).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('in the folder of the scenario') });
    const onFile = await runInProcess(folder, ['demo', '--scenario', 'disk-full', '--eject', 'mine/stack.yml']);
    expect(onFile).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('mine/stack.yml cannot be created') });
    const absolute = await runInProcess(join(folder, 'mine'), [...eject.slice(0, 4), join(folder, 'other')]);
    expect(absolute.stderr).toBe(`wrote ${folder}/other; next: promstack demo --scenario ${folder}/other\n`);
    await rename(join(folder, 'other'), join(folder, 'My Demo'));
    const named = await runInProcess(folder, ['demo', '--scenario', './My Demo', '--no-setup']);
    expect(named).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('name the demo: --name talk') });
    const alone = await runInProcess(folder, ['demo', '--eject', 'x']);
    expect(alone.stderr).toContain('name one with --scenario');
    expect((await runInProcess(folder, ['demo', '--speed', '0'])).exitCode).toBe(2);
    expect((await runInProcess(folder, ['demo', '--speed', '2'])).stderr).toContain('--speed is that of a scenario');
    const detached = await runInProcess(folder, ['demo', '--scenario', 'disk-full', '--detach']);
    expect(detached).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('a scenario ends by itself') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
