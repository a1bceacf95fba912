import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { currentEngine } from '../../scripts/dev/current-engine.ts';
import { roleLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { setup as startCurrentEngine } from '../support/current-engine.ts';
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

  test('must be whole or absent, and leave nothing behind, when it is killed after any step', {
    timeout: 600_000,
  }, async ({ skip }) => {
    skip(!isFull, reason);
    const folders = ['/prometheus', '/alertmanager', '/pushgateway'];
    const copies = async (): Promise<readonly string[]> => {
      const services = ['prometheus', 'alertmanager', 'pushgateway'];
      const lists = await Promise.all(
        services.map((service, at) =>
          execa('docker', ['exec', `${folder.name}-${service}`, 'ls', '-a', folders[at] ?? '']),
        ),
      );
      return lists.flatMap(({ stdout }) => stdout.split('\n').filter((name) => name.startsWith('.promstack')));
    };
    const helpers = async (): Promise<string> => {
      const labels = [`${stackLabel}=${folder.name}`, `${roleLabel}=check`].flatMap((label) => [
        '--filter',
        `label=${label}`,
      ]);
      return (await execa('docker', ['ps', '--all', '--quiet', ...labels])).stdout;
    };
    const containers = await execa('docker', ['ps', '--quiet', '--filter', `label=${stackLabel}=${folder.name}`]);
    await folder.write('pass', 'correct horse\n');
    const target = join(folder.path, 'backups', 'killed.tar');
    const args = ['backup', 'backups/killed.tar', '--with-secrets', '--passphrase-file', 'pass'];
    for (const step of ['lock', 'helper', 'link', 'copy', 'manifest', 'archive', 'clear', 'close']) {
      const killed = await folder.start(args, { PROMSTACK_STOP_AFTER: `backup:${step}` });
      expect(killed.signal, `${step}: ${killed.stderr}`).toBe('SIGKILL');
      const files = (await readdir(join(folder.path, 'backups'))).filter((name) => !name.endsWith('.part'));
      expect(files, step).toEqual(['shop.tar']);
      expect(await groups(), step).toEqual(before.groups);
      // The next command converges, whichever it is.
      if (step === 'link' || step === 'archive') {
        expect(await run('up')).toMatch(/: (?:nothing to do|0 changed), 4 /);
        expect(await helpers(), step).toBe('');
      }
      await run(...args);
      expect([await helpers(), await copies()], step).toEqual(['', []]);
      expect((await readdir(join(folder.path, 'backups'))).sort(), step).toEqual(['killed.tar', 'shop.tar']);
      await rm(target);
    }
    const after = await execa('docker', ['ps', '--quiet', '--filter', `label=${stackLabel}=${folder.name}`]);
    expect(after.stdout).toBe(containers.stdout);
    // What killed backups have left in a folder goes with the next one to it, and one that may be of another engine stays.
    const parts = ['2026-01-01T00-00-00Z', '2026-01-02T00-00-00Z'].map((time) =>
      join(folder.path, 'backups', `${folder.name}-${time}.tar.part`),
    );
    for (const part of parts) await writeFile(part, 'begun');
    const old = new Date(Date.now() - 3_600_000);
    await utimes(parts[0] ?? '', old, old);
    await run('backup', 'backups/');
    const left = (await readdir(join(folder.path, 'backups'))).filter((name) => name.endsWith('.part'));
    expect(left).toEqual([`${folder.name}-2026-01-02T00-00-00Z.tar.part`]);
    for (const name of await readdir(join(folder.path, 'backups'))) {
      if (name !== 'shop.tar') await rm(join(folder.path, 'backups', name));
    }
  });

  test('must take its copies away when it is interrupted', { timeout: 120_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    for (const ms of [700, 1_200, 1_800, 2_500]) {
      const running = folder.start(['backup', 'backups/interrupted.tar']);
      const timer = setTimeout(() => running.kill('SIGINT'), ms);
      await running;
      clearTimeout(timer);
      const { stdout } = await execa('docker', ['exec', `${folder.name}-prometheus`, 'ls', '-a', '/prometheus']);
      expect(stdout).not.toContain('.promstack');
      await rm(join(folder.path, 'backups', 'interrupted.tar'), { force: true });
      expect(await readdir(join(folder.path, 'backups'))).toEqual(['shop.tar']);
    }
  });

  test('must be taken under load, and restored into another engine with all series, silences and groups', {
    timeout: 600_000,
  }, async ({ skip }) => {
    skip(!isFull, reason);
    await startCurrentEngine();
    await folder.write(
      'rules/load.yml',
      'groups: [{name: load, interval: 1s, rules: [{alert: Always, expr: vector(1), labels: {severity: warning}}]}]\n',
    );
    await folder.configure({ ...keys, prometheus: { ...keys.prometheus, rules: ['rules/load.yml'] } });
    await run('up');
    const ending = new AbortController();
    const push = async (): Promise<void> => {
      for (let at = 0; !ending.signal.aborted; at++) {
        const url = folder.url('pushgateway', `/metrics/job/load/instance/i${at % 20}`);
        const { ok } = await fetch(url, { method: 'PUT', body: `load_total ${at}\n` });
        if (!ok) throw new Error(`the Pushgateway refused push ${at}`);
      }
    };
    const pushing = push().then(
      () => 'pushed',
      (error: unknown) => error,
    );
    let settled = 0;
    const queries = [
      'count({__name__=~".+"})',
      'sum(count_over_time(up[1m]))',
      'sum(count_over_time(load_total[1m]))',
      'sum(count_over_time(ALERTS{alertname="Always"}[1m]))',
    ];
    const resultsOf = async (of: StackFolder): Promise<readonly (string | undefined)[]> =>
      Promise.all(
        queries.map(async (query) => {
          const path = `/api/v1/query?query=${encodeURIComponent(query)}&time=${settled}`;
          const response = await fetch(of.url('prometheus', path));
          const { data } = (await response.json()) as { data: { result: readonly { value: [number, string] }[] } };
          return data.result[0]?.value[1];
        }),
      );
    const silencesOf = async (of: StackFolder): Promise<readonly unknown[]> => {
      const response = await fetch(of.url('alertmanager', '/api/v2/silences'));
      const silences = (await response.json()) as { comment: string; endsAt: string; matchers: readonly unknown[] }[];
      // One that Alertmanager had not yet written has a new id, and begins now.
      return silences.map(({ comment, endsAt, matchers }) => `${comment} ${endsAt} ${JSON.stringify(matchers)}`).sort();
    };
    let [results, silences]: (readonly unknown[])[] = [];
    try {
      await eventually(async () => {
        settled = Math.floor(Date.now() / 1000) - 5;
        results = await resultsOf(folder);
        expect(results.filter((value) => Number(value) > 0)).toHaveLength(queries.length);
        const alerts = await fetch(folder.url('alertmanager', '/api/v2/alerts'));
        expect(JSON.stringify(await alerts.json())).toContain('"Always"');
      });
      silences = await silencesOf(folder);
      await run('backup', 'backups/load.tar');
    } finally {
      ending.abort();
    }
    expect(await pushing).toBe('pushed');
    const other = await stackFolder({ ...keys, prometheus: { ...keys.prometheus, rules: ['rules/load.yml'] } });
    const env = { DOCKER_HOST: currentEngine };
    const elsewhere = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await other.start(args, env);
      expect(exitCode, `${stderr}`).toBe(0);
      return String(stdout);
    };
    try {
      await other.write('rules/load.yml', 'groups: []\n');
      await elsewhere('restore', join(folder.path, 'backups', 'load.tar'));
      expect(await resultsOf(other)).toEqual(results);
      expect(await silencesOf(other)).toEqual(silences);
      const { groups: restored } = JSON.parse(await elsewhere('groups', '--json')) as {
        groups: readonly { job: string; pushedAt: string }[];
      };
      expect(restored.filter(({ job }) => job === 'load')).toHaveLength(20);
      const others = restored.filter(({ job }) => job !== 'load').map(({ job, pushedAt }) => `${job} ${pushedAt}`);
      expect(others.sort()).toEqual(before.groups);
    } finally {
      await elsewhere('down', '--volumes', '--yes');
      await other[Symbol.asyncDispose]();
      await rm(join(folder.path, 'backups', 'load.tar'), { force: true });
      await run('groups', '--json').then(async (text) => {
        const { groups: all } = JSON.parse(text) as { groups: { job: string; labels: Record<string, string> }[] };
        for (const { job, labels } of all.filter((group) => group.job === 'load')) {
          await run('groups', 'rm', '--job', job, '--label', `instance=${labels['instance']}`);
        }
      });
    }
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
