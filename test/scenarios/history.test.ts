import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { findStack } from '../../scripts/state/find-stack.ts';
import { alertRule, containerIds, expectFine, expectSettled, historyOf, running } from '../support/revisions.ts';
import { binary, type StackFolder, stackFolder } from '../support/stack-folder.ts';

const keys = { prometheus: { rules: ['rules/*.yml'] } };

describe('history', () => {
  it('must list each revision with user, command and changed files, on every client', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    await change(stack, 1);
    const history = await historyOf(stack);
    const user = `${userInfo().username}@${hostname()}`;
    expect(history).toMatchObject([
      { command: 'up', user, state: 'restorable' },
      { command: 'reload', user, state: 'current' },
    ]);
    expect(history[1]?.changedFiles).toEqual(['rules/a.yml']);
    expect(history[0]?.changedFiles).toContain('prometheus/prometheus.yml');

    // A different client has neither the folder nor stack.yml.
    const elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const { stdout } = await execa('node', [binary, 'history', '--name', stack.name, '--json'], { cwd: elsewhere });
    await rm(elsewhere, { recursive: true });
    expect(JSON.parse(stdout).revisions).toEqual(history);
  });

  it('must continue after down and up, and keep only ten revisions in the volume', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    for (let number = 1; number <= 13; number++) await change(stack, number);
    const last = (await historyOf(stack)).at(-1)?.revision;
    expectFine(await stack.run('down'));
    const [status, listed] = [await stack.run('status'), await stack.run('history')];
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toMatch(new RegExp(`^${stack.name}  stopped, last revision ${last}\n`));
    expect(listed.stdout).toMatch(new RegExp(`^${stack.name}: stopped, last revision ${last}\n\n.*\n${last} .* last `));
    expect((await stack.run('-p', stack.name, 'status')).stderr).toContain(`it is stopped, last revision ${last}`);
    expect((await stack.run('rollback')).stderr).toContain(`it is stopped, last revision ${last}`);
    await using engine = await connect({ env: process.env });
    expect(await engine.listContainers({ [stackLabel]: stack.name })).toEqual([]);
    expectFine(await stack.run('up'));
    expect((await historyOf(stack)).map(({ command }) => command)).toEqual(['up', ...Array(13).fill('reload'), 'up']);

    const ids = await containerIds(stack);
    const entries = await engine.getFiles(ids[`${stack.name}-prometheus`] ?? '', '/etc/promstack/releases');
    const places = new Set(entries?.flatMap(({ path, kind }) => (kind === 'file' ? (path.split('/')[1] ?? '') : [])));
    expect(places.size).toBeLessThanOrEqual(13);
    expect(places.size).toBeGreaterThanOrEqual(10);

    const { exitCode, stderr } = await stack.run('rollback', (await historyOf(stack))[1]?.revision ?? '');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('to roll back to');
  }, 120_000);
});

describe('rollback', () => {
  it('must restore the previous revision, confirm it, and keep containers and stack.yml unchanged', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    const first = await running(stack);
    await change(stack, 1);
    const [second, containers] = [await running(stack), await containerIds(stack)];

    const back = await stack.run('rollback', '--json');
    expectFine(back);
    expect((JSON.parse(back.stdout) as { changes: object[] }).changes).toContainEqual(
      expect.objectContaining({ service: 'prometheus', action: 'reload' }),
    );
    expect(await running(stack)).toEqual(first);
    expect(await containerIds(stack)).toEqual(containers);
    const history = await historyOf(stack);
    expect(history.at(-1)).toMatchObject({ command: 'rollback', revision: history[0]?.revision, state: 'current' });

    // A reload applies stack.yml again, and nothing is reported as changed by hand.
    expect((await stack.run('plan', '--json')).stdout).toContain('"drift":[]');
    expectFine(await stack.run('reload'));
    expect(await running(stack)).toEqual(second);
    await expectSettled(stack);
  });

  it('must restore any named revision, from any client', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    const first = await running(stack);
    for (let number = 1; number <= 3; number++) await change(stack, number);
    const [entry] = await historyOf(stack);
    const elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const args = ['rollback', entry?.revision.slice(0, 6) ?? '', '--name', stack.name];
    const { exitCode, stderr } = await execa('node', [binary, ...args], { cwd: elsewhere, reject: false });
    await rm(elsewhere, { recursive: true });
    expect(exitCode, stderr).toBe(0);
    expect(await running(stack)).toEqual(first);
  });

  it('must refuse a revision whose files were changed by hand, and change nothing', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    await change(stack, 1);
    const before = await running(stack);
    await using engine = await connect({ env: process.env });
    const { history } = await findStack(engine, stack.name);
    const folder = history.entries[0]?.services['prometheus']?.folder ?? '';
    await engine.putFiles(`${stack.name}-carrier`, `/volumes/prometheus/releases/${folder}`, [
      {
        kind: 'file',
        path: 'rules/user/extra.yml',
        content: Buffer.from(alertRule('TestExtra')),
        mode: 0o444,
        uid: 0,
        gid: 0,
      },
    ]);
    const { exitCode, stderr } = await stack.run('rollback');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `rolling back to revision ${history.entries[0]?.revision}: its files of prometheus were changed by hand`,
    );
    expect(await running(stack)).toEqual(before);
  });

  it('must report when there is nothing to roll back to', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    const none = await stack.run('rollback');
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain('no stack of that name is on the engine');
    expectFine(await stack.run('up'));
    const one = await stack.run('rollback');
    expect(one.exitCode).toBe(2);
    expect(one.stderr).toContain('there is no revision before the current one');
  });
});

async function change(stack: StackFolder, number: number): Promise<void> {
  await stack.write('rules/a.yml', alertRule(`Test${number}`));
  expectFine(await stack.run('reload'));
}
