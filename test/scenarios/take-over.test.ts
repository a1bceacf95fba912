import { cp, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { pathExists } from '../../scripts/util/path-exists.ts';
import { eventually } from '../support/eventually.ts';
import { buildStandInImage, type StandInImage } from '../support/grafana-image/build.ts';
import { type GrafanaStack, grafanaStack } from '../support/grafana-stack.ts';
import { emptyFolder } from '../support/promstack.ts';
import { alertRule, expectFine, expectSettled, historyOf, running } from '../support/revisions.ts';
import { getText } from '../support/servers.ts';
import { spawnProgram, stackFolder, toRun } from '../support/stack-folder.ts';

/** Programs whose running stacks the present one must take over: each change of a stored format adds the last commit before it. */
const commits = ['09b7c69'];

describe.sequential.each(commits)('a stack that the program of %s brought up', (commit) => {
  let old: string;
  let image: StandInImage;
  let stack: GrafanaStack;
  let password: string;
  /** The revisions that the old program made. */
  let revisions: readonly string[];

  const startOld = (...args: readonly string[]) => spawnProgram(old, stack.folder.path, args);
  const runOld = async (...args: readonly string[]): Promise<string> => {
    const ended = toRun(await startOld(...args));
    expectFine(ended);
    return ended.stdout;
  };
  const edit = async (number: number): Promise<void> => {
    await stack.folder.write('rules/a.yml', alertRule(`Test${number}`));
    const route = { receiver: 'sink', group_wait: `${number}s` };
    await stack.configure({}, { prometheus: { rules: ['rules/*.yml'] }, alertmanager: { route } });
  };
  const pushed = (): Promise<string> => getText(stack.folder.url('pushgateway', '/metrics'));

  beforeAll(async () => {
    old = await programOf(commit);
    await using engine = await connect({ env: process.env });
    image = await buildStandInImage(engine);
    stack = await grafanaStack(image.reference);
    await edit(1);
    await runOld('up');
    await runOld('push', '--job', 'batch', '--var', 'batch_rows=42');
    await edit(2);
    await runOld('reload');
    password = (await runOld('password')).trim();
    revisions = (await historyOf(stack.folder)).map(({ revision }) => revision);
  }, 600_000);

  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await image?.[Symbol.asyncDispose]();
  });

  test('must have a readable history, password and drift', async () => {
    const history = await historyOf(stack.folder);
    expect(history.map(({ command, state }) => [command, state])).toEqual([
      ['up', 'restorable'],
      ['reload', 'current'],
    ]);
    expect(new Set(revisions).size).toBe(2);
    expect(await stack.password()).toBe(password);
    expect(JSON.parse(await stack.fine('plan', '--json'))).toMatchObject({ drift: [] });
    // The servers were started a moment ago: not every target has been scraped yet.
    await eventually(() => stack.fine('status'));
  });

  test('must be changed by up as planned, and keep all its data', async () => {
    const planned = JSON.parse(await stack.fine('plan', '--json')) as { changes: readonly object[] };
    const done = JSON.parse(await stack.fine('up', '--json')) as { changes: readonly object[] };
    expect(actionsOf(done)).toEqual(actionsOf(planned));
    await expectSettled(stack.folder);
    expect(await pushed()).toContain('batch_rows{instance="",job="batch"} 42');
    expect((await running(stack.folder)).alerts).toEqual(['Test2']);
    expect(await stack.statusOf('/api/plugins/prometheus/settings', password)).toBe(200);
  });

  test('must not be changed while the old program holds its lock, and be taken over once that is dead', async () => {
    await edit(3);
    const holder = startOld('up', '--json');
    let said = '';
    await new Promise<void>((resolve, reject) => {
      holder.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
        if (said.includes('"kind":"started","id":"step-')) resolve();
      });
      holder.then(() => reject(new Error(`the old up took no step:\n${said}`)), reject);
    });
    holder.kill('SIGSTOP');
    const refused = await stack.folder.run('up');
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/promstack up, pid \d+, since/)]);
    holder.kill('SIGKILL');
    await holder;
    const next = await stack.folder.run('up');
    expectFine(next);
    expect(next.stderr).toContain('took over the lock');
    expect((await running(stack.folder)).alerts).toEqual(['Test3']);
    await expectSettled(stack.folder);
  }, 120_000);

  test('must roll back to each revision of the old program', async () => {
    for (const [revision, alert] of [
      [revisions[0] ?? '', 'Test1'],
      [revisions[1] ?? '', 'Test2'],
    ] as const) {
      await stack.fine('rollback', revision);
      expect((await running(stack.folder)).alerts).toEqual([alert]);
    }
    expect(await stack.password()).toBe(password);
  }, 120_000);

  test('must keep its data after down and up, and leave nothing after down --volumes', async () => {
    await stack.fine('down');
    await stack.fine('up');
    expect(await pushed()).toContain('batch_rows{instance="",job="batch"} 42');
    expect(await stack.password()).toBe(password);
    await stack.fine('down', '--volumes', '--yes');
    await using engine = await connect({ env: process.env });
    const labels = { [stackLabel]: stack.folder.name };
    expect(await engine.listContainers(labels)).toEqual([]);
    expect(await engine.listVolumes(labels)).toEqual([]);
  }, 120_000);
});

const actionsOf = ({ changes }: { readonly changes: readonly object[] }): readonly unknown[] =>
  changes.map((change) => ('service' in change && 'action' in change ? [change.service, change.action] : change));

/** The built program of a commit; built once and kept beside the packages. */
async function programOf(commit: string): Promise<string> {
  const kept = join(packageRoot(), 'node_modules', '.cache', 'promstack-commits', commit);
  const program = join(kept, 'dist', 'scripts', 'promstack.cjs');
  if (await pathExists(program)) return program;
  await using folder = await emptyFolder();
  const archive = join(folder.path, 'source.tar');
  const { failed, stderr } = await execa('git', ['archive', '--output', archive, commit], {
    cwd: packageRoot(),
    reject: false,
  });
  if (failed) {
    throw new Error(
      `the source of ${commit} cannot be read: ${stderr}\nA shallow clone does not have it: git fetch --unshallow`,
    );
  }
  await execa('tar', ['-xf', archive], { cwd: folder.path });
  // Its `prepare` script builds dist/.
  await execa('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder.path });
  const fresh = `${kept}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  for (const part of ['dist', 'templates', 'package.json']) {
    await cp(join(folder.path, part), join(fresh, part), { recursive: true });
  }
  await rename(fresh, kept);
  return program;
}

describe.sequential('a stack that a newer program changed', () => {
  test('must be left as it is by every command that would change it, with the version to use', async () => {
    await using newer = await emptyFolder();
    const manifest = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as object;
    await writeFile(join(newer.path, 'package.json'), JSON.stringify({ ...manifest, version: '99.1.0' }));
    for (const part of ['dist', 'templates', 'node_modules']) {
      await symlink(join(packageRoot(), part), join(newer.path, part));
    }
    await mkdir(join(newer.path, 'copy'));
    await cp(join(packageRoot(), 'dist', 'scripts'), join(newer.path, 'copy', 'scripts'), { recursive: true });
    const program = join(newer.path, 'copy', 'scripts', 'promstack.cjs');
    const one = { sink: { enabled: false }, alertmanager: { enabled: false } };
    await using folder = await stackFolder(one);
    const runNewer = async (...args: readonly string[]): Promise<void> =>
      expectFine(toRun(await spawnProgram(program, folder.path, args)));
    await using _removed = { [Symbol.asyncDispose]: () => runNewer('down', '--volumes', '--yes') };
    await runNewer('up');
    await using engine = await connect({ env: process.env });
    const containers = async () =>
      (await engine.listContainers({ [stackLabel]: folder.name })).map(({ id }) => id).sort();
    const before = await containers();
    await folder.configure({ ...one, prometheus: { retention: { time: '1d' } } });
    for (const command of [
      ['up'],
      ['reload'],
      ['plan'],
      ['stop'],
      ['restart'],
      ['rollback'],
      ['down', '--volumes', '--yes'],
    ]) {
      const { exitCode, stderr, stdout } = await folder.run(...command);
      expect(exitCode, command.join(' ')).toBe(command[0] === 'plan' ? 0 : 1);
      expect(stdout + stderr, command.join(' ')).toContain('promstack 99.1.0 has changed it, and this is promstack');
    }
    expect(await containers()).toEqual(before);
  });
});
