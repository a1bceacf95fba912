import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const keys = { pushgateway: { persistence: { interval: '2s' } }, prometheus: { scrape_interval: '1s' } };

const reason = 'it takes minutes: `npm run test:full` runs it';

describe.sequential('the backup of a running stack', () => {
  let folder: StackFolder;
  const file = () => join(folder.path, 'backups', 'shop.tar');
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await folder.run(...args);
    expectFine(done);
    return done.stdout;
  };
  const groups = async (): Promise<readonly string[]> => {
    const { groups } = JSON.parse(await run('groups', '--json')) as {
      groups: readonly { job: string; pushedAt: string }[];
    };
    return groups.map(({ job, pushedAt }) => `${job} ${pushedAt}`).sort();
  };
  const oldest = async (): Promise<number> => {
    const url = folder.url(
      'prometheus',
      '/api/v1/query?query=min_over_time(timestamp(up%7Bjob%3D%22prometheus%22%7D)%5B1h%3A1s%5D)',
    );
    const { data } = (await (await fetch(url)).json()) as { data: { result: readonly { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1]);
  };
  let before: { readonly groups: readonly string[]; readonly oldest: number; readonly containers: string };

  beforeAll(async () => {
    if (!isFull) return;
    folder = await stackFolder(keys);
    await run('up');
    await run('push', '--job', 'nightly', '--var', 'rows=42');
    await run('silence', 'add', 'alertname=Disk', '--duration', '2h', '--comment', 'maintenance');
    await sleep(45_000);
    expect(await groups()).toEqual([expect.stringMatching(/^nightly \d{4}-/)]);
    before = { groups: await groups(), oldest: await oldest(), containers: await run('ps') };
    await run('backup', 'backups/shop.tar');
  }, 240_000);

  afterAll(() => folder?.[Symbol.asyncDispose]());

  test('must be taken without a restart, and be readable only for its owner', async ({ skip }) => {
    skip(!isFull, reason);
    const started = (text: string) => text.split('\n').map((line) => line.split(/\s{2,}/)[0]);
    expect(started(await run('ps'))).toEqual(started(before.containers));
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder.path, 'backups'))).toEqual(['shop.tar']);
  });

  test('must be refused where a file exists, and when the stack is down', async ({ skip }) => {
    skip(!isFull, reason);
    const again = await folder.run('backup', 'backups/shop.tar');
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('it exists already');
    await run('stop', 'pushgateway');
    const down = await folder.run('backup', 'backups/other.tar');
    await run('start', 'pushgateway');
    expect(down.exitCode).toBe(1);
    expect(down.stderr).toContain('pushgateway does not run');
  });

  test('must replace what came after it only when that is confirmed', { timeout: 120_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    await run('push', '--job', 'later', '--var', 'rows=1');
    const asked = await folder.run('restore', 'backups/shop.tar');
    expect(asked.exitCode).not.toBe(0);
    expect(asked.stderr).toContain('--yes');
    expect(await groups()).toHaveLength(2);
    await run('restore', 'backups/shop.tar', '--yes');
    expect(await groups()).toEqual(before.groups);
    expect(await run('silence', 'list')).toContain('maintenance');
    expect(before.oldest).toBeGreaterThan(1e9);
    expect(await oldest()).toBe(before.oldest);
    await eventually(() => run('status'));
  });

  test('must not be lost, nor the data of before, when its restore is killed or interrupted at any moment', {
    timeout: 600_000,
  }, async ({ skip }) => {
    skip(!isFull, reason);
    const signals = ['SIGKILL', 'SIGINT'] as const;
    const times = [500, 1_500, 2_500, 3_500, 5_000, 7_000];
    for (const [at, ms] of times.flatMap((each) => [each, each]).entries()) {
      await run('push', '--job', 'later', '--var', 'rows=1');
      const restoring = folder.start(['restore', 'backups/shop.tar', '--yes']);
      await sleep(ms);
      restoring.kill(signals[at % 2]);
      await restoring;
      await run('up');
      const found = await groups();
      expect(found.map((text) => text.split(' ')[0])).toContain('nightly');
    }
    await run('restore', 'backups/shop.tar', '--yes');
    expect(await groups()).toEqual(before.groups);
    expect(await run('silence', 'list')).toContain('maintenance');
  });

  test('with secrets must bring back revisions and history, and need its passphrase', { timeout: 120_000 }, async ({
    skip,
  }) => {
    skip(!isFull, reason);
    await folder.write('pass', 'correct horse\n');
    await folder.write('wrong', 'horse\n');
    await run('backup', 'backups/', '--with-secrets', '--passphrase-file', 'pass', '--keep', '1');
    const [name = ''] = (await readdir(join(folder.path, 'backups'))).filter((each) => each.startsWith(folder.name));
    const revisions = await run('history');
    await run('down', '--volumes', '--yes');
    const wrong = await folder.run('restore', `backups/${name}`, '--with-secrets', '--passphrase-file', 'wrong');
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('the passphrase is wrong');
    await run('restore', `backups/${name}`, '--with-secrets', '--passphrase-file', 'pass');
    expect((await run('history')).split('\n').length).toBeGreaterThan(revisions.split('\n').length - 1);
    expect(await groups()).toEqual(before.groups);
  });
});
