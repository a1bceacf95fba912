import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { findStack } from '../../scripts/state/find-stack.ts';
import { lastConfirmed } from '../../scripts/state/history.ts';
import { alertRule, containerIds, expectFine, expectSettled, running } from '../support/revisions.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const keys = { prometheus: { rules: ['rules/*.yml'] } };

describe('manual changes', { timeout: 180_000 }, () => {
  it('must be reported by plan and fixed by up: containers', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    const before = await running(stack);
    await using engine = await connect({ env: process.env });
    const ids = await containerIds(stack);
    const id = (service: string): string => ids[`${stack.name}-${service}`] ?? '';
    // Like `docker update`.
    const limits = { RestartPolicy: { Name: 'no' }, Memory: 300 * 2 ** 20, MemorySwap: 600 * 2 ** 20 };
    await new Docker().getContainer(id('alertmanager')).update(limits);
    await engine.stopContainer(id('pushgateway'), 5);
    await engine.removeContainer(id('sink'));

    expect(await driftOf(stack)).toEqual([
      'pushgateway: its container is stopped',
      'alertmanager: its memory limit was changed by hand: unset -> 300MB',
      'alertmanager: its restart policy was changed by hand: unless-stopped -> no',
      'sink: its container was removed',
    ]);
    expectFine(await stack.run('up'));
    await expectSettled(stack);
    expect(await running(stack)).toEqual(before);
    expect((await containerIds(stack))[`${stack.name}-prometheus`]).toBe(id('prometheus'));
  });

  it('must be reported by plan and fixed by up: files edited and added in the volume', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    const before = await running(stack);
    await using engine = await connect({ env: process.env });
    for (const path of ['rules/user/rules__a.yml', 'rules/user/added.yml']) {
      await put(engine, stack, path, alertRule('TestByHand'));
      expect(await driftOf(stack), path).toEqual(['prometheus: its files were changed by hand in the config volume']);
      expectFine(await stack.run('up'));
      await expectSettled(stack);
      expect(await running(stack), path).toEqual(before);
    }
  });

  it('must be reported by plan and fixed by up: a moved link, and a server with different files', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    await stack.write('rules/a.yml', alertRule('Test1'));
    expectFine(await stack.run('up'));
    const before = await running(stack);
    await using engine = await connect({ env: process.env });
    const ids = await containerIds(stack);
    const current = await engine.readLink(ids[`${stack.name}-prometheus`] ?? '', '/etc/promstack/current');
    const entries = await engine.getFiles(ids[`${stack.name}-prometheus`] ?? '', '/etc/promstack/releases/1');
    const older = `releases/1/${entries?.find(({ path }) => path.split('/').length === 2)?.path.split('/')[1]}`;
    expect(older).not.toBe(current);
    await engine.putFiles(`${stack.name}-carrier`, '/volumes/prometheus', [
      { kind: 'link', path: 'current', to: older, uid: 0, gid: 0 },
    ]);
    expect((await driftOf(stack))[0]).toMatch(
      /^prometheus: the files in place are of revision \w+, which was not confirmed/,
    );
    expectFine(await stack.run('up'));
    await expectSettled(stack);
    expect(await running(stack)).toEqual(before);

    await engine.putFiles(`${stack.name}-carrier`, '/volumes/prometheus', [
      { kind: 'directory', path: 'current', mode: 0o755, uid: 0, gid: 0 },
    ]);
    expect(await driftOf(stack)).toEqual(['prometheus: the link to its files was removed or broken by hand']);
    expectFine(await stack.run('up'));
    await expectSettled(stack);
    expect(await running(stack)).toEqual(before);

    // The server loads the older files, and then the link is restored.
    await engine.putFiles(`${stack.name}-carrier`, '/volumes/prometheus', [
      { kind: 'link', path: 'current', to: older, uid: 0, gid: 0 },
    ]);
    await fetch(stack.url('prometheus', '/-/reload'), { method: 'POST' });
    const link = await engine.readLink(ids[`${stack.name}-prometheus`] ?? '', '/etc/promstack/current');
    expect(link).toBe(older);
    await putBack(engine, stack);
    expect((await driftOf(stack))[0]).toMatch(
      /^prometheus: it does not run the files in place: it still runs revision \w+/,
    );
    expectFine(await stack.run('up'));
    await expectSettled(stack);
    expect(await running(stack)).toEqual(before);
  });
});

/** The drift in plan; status has to report the same services, by stack.yml and by the stack's name. */
async function driftOf(stack: StackFolder): Promise<readonly string[]> {
  const { stdout, stderr } = await stack.run('plan', '--json');
  expect(stdout, stderr).not.toBe('');
  const { drift } = JSON.parse(stdout) as { drift: { service: string; message: string }[] };
  const services = [...new Set(drift.map(({ service }) => service))].sort();
  // Prometheus may have missed a scrape of a stopped service.
  for (const args of [[], ['-p', stack.name]]) {
    expect(await wrongServices(stack, args), args.join(' ')).toEqual(expect.arrayContaining(services));
  }
  return drift.map(({ service, message }) => `${service}: ${message}`);
}

async function wrongServices(stack: StackFolder, args: readonly string[]): Promise<readonly string[]> {
  const status = await stack.run('status', '--json', ...args);
  expect(status.exitCode, status.stderr).toBe(1);
  const { problems } = JSON.parse(status.stdout) as { problems: { severity: string; service: string }[] };
  return [...new Set(problems.filter(({ severity }) => severity === 'error').map(({ service }) => service))].sort();
}

async function put(engine: Engine, stack: StackFolder, path: string, text: string): Promise<void> {
  const entry = { kind: 'file', path, content: Buffer.from(text), mode: 0o444, uid: 65534, gid: 65534 } as const;
  await engine.putFiles(`${stack.name}-carrier`, '/volumes/prometheus/current', [entry]);
}

/** The link to the last confirmed release in the history. */
async function putBack(engine: Engine, stack: StackFolder): Promise<void> {
  const { history } = await findStack(engine, stack.name);
  const to = `releases/${lastConfirmed(history)?.services['prometheus']?.folder}`;
  await engine.putFiles(`${stack.name}-carrier`, '/volumes/prometheus', [
    { kind: 'link', path: 'current', to, uid: 0, gid: 0 },
  ]);
}
