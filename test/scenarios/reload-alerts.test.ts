import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { alertRule, expectFine, refusedReceiver } from '../support/revisions.ts';
import { getJson, getText } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const keys = { prometheus: { rules: ['rules/*.yml'], evaluation_interval: '1s' } };

describe('the state of servers', () => {
  it('must survive a reload, a failed change and a rollback: the pending time of an alert', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestPending'));
    expectFine(await stack.run('up'));
    const since = await eventually(() => pendingSince(stack));
    const expectStillPending = async (): Promise<void> => {
      // An alert whose state was lost is inactive until the next evaluation, and then pending since that.
      await nextEvaluation(stack);
      expect(await pendingSince(stack)).toBe(since);
    };

    await stack.write('rules/b.yml', alertRule('TestOther'));
    expectFine(await stack.run('reload'));
    await expectStillPending();

    // In the same file, which is so a new one, and in the same group.
    await stack.write('rules/a.yml', `${alertRule('TestPending')}      - alert: TestBeside\n        expr: vector(1)\n`);
    expectFine(await stack.run('reload'));
    await expectStillPending();

    await stack.write('rules/b.yml', alertRule('TestAnother'));
    await stack.configure({ ...keys, ...refusedReceiver });
    const taken = await stack.run('reload');
    expect(taken.exitCode).toBe(1);
    expect(taken.stderr).toContain('everything was rolled back');
    await expectStillPending();

    expectFine(await stack.run('rollback'));
    await expectStillPending();
  });

  it('must be kept in Alertmanager when only files of Prometheus change', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    const loadedAt = async (): Promise<string | undefined> =>
      /^alertmanager_config_last_reload_success_timestamp_seconds (\S+)$/m.exec(
        await getText(stack.url('alertmanager', '/metrics')),
      )?.[1];
    const before = await loadedAt();
    expect(before).toBeDefined();
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    const { stdout } = await stack.run('reload', '--json');
    const { changes } = JSON.parse(stdout) as { changes: { service: string; action: string }[] };
    expect(changes.filter(({ action }) => action !== 'none').map(({ service }) => service)).toEqual(['prometheus']);
    expect(await loadedAt()).toBe(before);
  });
});

async function pendingSince(stack: StackFolder): Promise<string> {
  const { data } = await getJson<{
    data: { alerts: { labels: Record<string, string>; state: string; activeAt: string }[] };
  }>(stack.url('prometheus', '/api/v1/alerts'));
  const found = data.alerts.find(({ labels }) => labels['alertname'] === 'TestPending');
  expect(found?.state).toBe('pending');
  return found?.activeAt ?? '';
}

/** Waits until the group was evaluated after now. */
async function nextEvaluation(stack: StackFolder): Promise<void> {
  const now = Date.now();
  await eventually(async () => {
    const { data } = await getJson<{ data: { groups: { name: string; lastEvaluation: string }[] } }>(
      stack.url('prometheus', '/api/v1/rules'),
    );
    const last = data.groups.find(({ name }) => name === 'TestPending')?.lastEvaluation ?? '';
    expect(Date.parse(last)).toBeGreaterThan(now);
  });
}
