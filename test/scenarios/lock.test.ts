import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { baseLabels } from '../../scripts/engine/labels.ts';
import { alertRule, expectFine, expectSettled, running } from '../support/revisions.ts';
import { stackFolder } from '../support/stack-folder.ts';

const keys = { prometheus: { rules: ['rules/*.yml'] } };

describe('concurrent changes', () => {
  it('must not interleave: one is applied, the other reports the holder of the lock', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    const [one, other] = await Promise.all([stack.run('reload'), stack.run('reload')]);
    const refused = [one, other].filter(({ exitCode }) => exitCode !== 0);
    expect(refused.length, `${one.stderr}\n${other.stderr}`).toBeLessThanOrEqual(1);
    for (const { exitCode, stderr } of refused) {
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /taking the lock of the stack test-\w+: \S+@\S+ \(promstack reload, pid \d+, since \S+\) holds the lock/,
      );
      expect(stderr).toContain('promstack unlock');
    }
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
    await expectSettled(stack);
  });

  it('must not be blocked by the lock of a dead command, and report the takeover', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    const dead = await stack.start(['reload'], { PROMSTACK_STOP_AFTER: 'switchReleases' });
    expect(dead.signal).toBe('SIGKILL');
    const next = await stack.run('reload');
    expectFine(next);
    expect(next.stderr).toMatch(
      /took over the lock of \S+@\S+ \(promstack reload, pid \d+, since \S+\), which is no longer running/,
    );
    await expectSettled(stack);
  });

  it('must let exactly one of many commands take over the lock of a dead one', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await stack.start(['reload'], { PROMSTACK_STOP_AFTER: 'switchReleases' });
    const all = await Promise.all(Array.from({ length: 4 }, () => stack.run('reload')));
    expect(all.some(({ exitCode }) => exitCode === 0)).toBe(true);
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
    await expectSettled(stack);
  });
});

describe('a change that is interrupted', () => {
  it('must be rolled back or completed after a Ctrl-C at any time, never half applied', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('Test0'));
    expectFine(await stack.run('up'));
    for (const [index, step] of ['switch', 'reload', 'confirm', 'record'].entries()) {
      const before = await running(stack);
      await stack.write('rules/a.yml', alertRule(`Test${index + 1}`));
      const reload = stack.start(['reload', '--json']);
      reload.stderr?.on('data', (chunk: Buffer) => {
        if (
          chunk.toString('utf8').includes(`"kind":"started","id":"step-`) &&
          chunk.toString('utf8').includes(`"what":"${step} `)
        ) {
          reload.kill('SIGINT');
        }
      });
      const { exitCode, signal, stderr } = await reload;
      // The signal may come when the program has done its work and no longer listens.
      expect(exitCode === 0 || exitCode === 130 || signal === 'SIGINT', String(stderr)).toBe(true);
      const { alerts } = await running(stack);
      const after = [`Test${index + 1}`];
      if (exitCode === 0) expect(alerts).toEqual(after);
      else expect([before.alerts, after]).toContainEqual(alerts);
      const drift = JSON.parse((await stack.run('plan', '--json')).stdout).drift;
      expect(drift, step).toEqual([]);
      expectFine(await stack.run('reload'));
      await expectSettled(stack);
    }
  }, 120_000);
});

it('unlock must ask only when there is a lock, and print JSON', async () => {
  await using stack = await stackFolder(keys);
  await using engine = await connect({ env: process.env });
  const { name } = stack;
  const envelope = { format: 1, command: 'unlock', stack: name, ok: true, diagnostics: [] };
  const none = await stack.run('unlock', '--json');
  expect([none.exitCode, JSON.parse(none.stdout)]).toEqual([0, { ...envelope, isLocked: false }]);

  await engine.createVolume(`${name}-lock`, baseLabels(name, 'lock'));
  const asked = await stack.run('unlock', '--json');
  expect([asked.exitCode, asked.stdout]).toEqual([2, expect.stringContaining('add --yes to confirm')]);
  const { exitCode, stdout } = await stack.run('unlock', '--json', '--yes');
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { ...envelope, isLocked: false, removed: {} }]);
  expect(await engine.findVolume(`${name}-lock`)).toBeUndefined();
});
