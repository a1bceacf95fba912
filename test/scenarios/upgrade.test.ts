import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { imagesOf } from '../support/old-images.ts';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { makeData, type StackData } from '../support/stack-data.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const reason = 'it takes minutes and builds images of earlier versions: `npm run test:full` runs it';

/** An image with the programs of another one, whose server starts by a script. */
async function imageWith(name: string, from: string, script: string): Promise<string> {
  const dockerfile = `FROM ${from}\nENTRYPOINT ["/bin/sh", "-c", ${JSON.stringify(script)}, "sh"]\n`;
  await execa('docker', ['build', '--tag', name, '-'], { input: dockerfile });
  return name;
}

describe.sequential('the upgrade of a running stack', () => {
  let folder: StackFolder;
  let versions: Readonly<Record<'bookworm' | 'trixie' | 'sid', Awaited<ReturnType<typeof imagesOf>>>>;
  const made: string[] = [];
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await folder.run(...args);
    expectFine(done);
    return done.stdout;
  };
  const stackText = () => readFile(join(folder.path, 'stack.yml'), 'utf8');
  const containers = async (): Promise<string> => {
    const label = `label=dev.promstack.stack=${folder.name}`;
    return (await execa('docker', ['ps', '--quiet', '--no-trunc', '--filter', label])).stdout;
  };
  const images = async (): Promise<string> => {
    const { services } = JSON.parse(await run('upgrade', '--json')) as {
      services: { service: string; version: string }[];
    };
    return services.map(({ service, version }) => `${service} ${version}`).join(', ');
  };
  let data: StackData;

  beforeAll(async () => {
    if (!isFull) return;
    const engine = await connect({ env: process.env, signal: AbortSignal.timeout(600_000), report: () => undefined });
    versions = {
      bookworm: await imagesOf(engine, 'bookworm'),
      trixie: await imagesOf(engine, 'trixie'),
      sid: await imagesOf(engine, 'sid'),
    };
    await engine[Symbol.asyncDispose]();
    const { prometheus, alertmanager, pushgateway } = versions.bookworm;
    folder = await stackFolder({
      prometheus: { image: prometheus, scrape_interval: '1s' },
      alertmanager: { image: alertmanager },
      pushgateway: { image: pushgateway, persistence: { interval: '2s' } },
    });
    await run('up');
    data = await makeData(folder);
  }, 600_000);

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
    if (made.length > 0) await execa('docker', ['rmi', '--force', ...made], { reject: false });
  });

  test('must list newer versions and their changes, and change nothing', async ({ skip }) => {
    skip(!isFull, reason);
    const before = await stackText();
    const text = await run('upgrade');
    expect(text).toMatch(/^prometheus +2\.42\.0 +2\.55\.1 +3\.14\.0$/m);
    expect(text).toContain('prometheus 3.0.0: `scrape_classic_histograms` is now `always_scrape_classic_histograms`');
    expect(text).toContain('promstack upgrade --to pushgateway prometheus alertmanager');
    expect(await stackText()).toBe(before);
  });

  test.for([
    ['an image that does not exist', ['--to', 'prometheus=v2.99.0'], 'is not available'],
    ['an older version', ['--to', 'prometheus=v2.41.0'], 'whose data it may not be able to read'],
    ['an unknown service', ['--to', 'prometeus=v3.0.0'], 'the stack has no such service'],
    ['a service twice', ['--to', 'prometheus', 'prometheus'], 'names prometheus twice'],
    ['the image that runs', ['--to', 'prometheus=v2.42.0'], 'it is the image of stack.yml already'],
  ] as const)('must refuse %s before anything is touched', async ([, args, why], { skip }) => {
    skip(!isFull, reason);
    const before = [await stackText(), await containers()];
    const refused = await folder.run('upgrade', ...args);
    expect(refused.exitCode).toBeGreaterThan(0);
    expect(refused.stderr).toContain(why);
    expect([await stackText(), await containers()]).toEqual(before);
  });

  test('must go through major versions with all data', { timeout: 600_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    await run('images', 'lock');
    for (const { prometheus, alertmanager, pushgateway } of [versions.trixie, versions.sid]) {
      const targets = [`prometheus=${prometheus}`, `alertmanager=${alertmanager}`, `pushgateway=${pushgateway}`];
      await run('upgrade', '--to', ...targets);
      await data.expectAll();
      await run('images', 'lock', '--check');
      await run('verify');
    }
    expect(await images()).toMatch(/^pushgateway 1\.11\.\d+, prometheus 3\.\d+\.\d+, alertmanager 0\.\d+\.\d+$/);
    expect(await readdir(join(folder.path, 'backups'))).toHaveLength(2);
  });

  test.for([
    ['dies', 'exit 1'],
    [
      'dies after some seconds',
      'case "$*" in *storage.tsdb.path=/prometheus*) sleep 3; exit 1;; esac; exec /bin/prometheus "$@"',
    ],
    ['never gets ready', 'case "$*" in *no-data*|*check*) exec /bin/prometheus "$@";; esac; sleep 1000'],
    [
      'loses the data',
      'case "$*" in *storage.tsdb.path=/prometheus*) rm -rf /prometheus/*;; esac; exec /bin/prometheus "$@"',
    ],
    [
      'cannot read the data',
      'case "$*" in *storage.tsdb.path=/prometheus*) echo broken > /prometheus/wal/00000000; echo broken > /prometheus/wal/00000001;; esac; exec /bin/prometheus "$@"',
    ],
  ] as const)(
    'to an image that %s must bring back the images and the data of before within its deadline',
    {
      timeout: 600_000,
    },
    async ([what, script], { skip }) => {
      skip(!isFull, reason);
      const name = `old.test/prom/prometheus:v9.${made.length}.0`;
      made.push(await imageWith(name, versions.sid.prometheus, script));
      const before = await stackText();
      const began = Date.now();
      const failed = await folder.run('upgrade', '--to', `prometheus=${name}`, '--no-backup', '--deadline', '40s');
      expect(Date.now() - began, what).toBeLessThan(300_000);
      expect(failed.exitCode, failed.stderr).toBe(1);
      expect(failed.stderr).toContain('the images and the data of before are in place again, and that is confirmed');
      expect(await stackText()).toBe(before);
      await data.expectAll();
      await run('verify');
    },
  );

  test('must converge with all data when it is killed after any step', { timeout: 1_800_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    const steps = ['stop', 'copy', 'write', 'change', 'verify'];
    const back = ['restore-stack', 'stop-again', 'put-back', 'change-back'];
    const losing = `old.test/prom/prometheus:v9.${made.length}.0`;
    const script =
      'case "$*" in *storage.tsdb.path=/prometheus*) rm -rf /prometheus/*;; esac; exec /bin/prometheus "$@"';
    made.push(await imageWith(losing, versions.sid.prometheus, script));
    for (const [at, step] of [...steps, ...back].entries()) {
      const env = { PROMSTACK_STOP_AFTER: `upgrade:${step}` };
      const good = `old.test/prom/prometheus:v8.${at}.0`;
      await execa('docker', ['tag', versions.sid.prometheus, good]);
      made.push(good);
      const args = [
        'upgrade',
        '--to',
        `prometheus=${back.includes(step) ? losing : good}`,
        '--no-backup',
        '--no-verify',
      ];
      const before = await stackText();
      const killed = await folder.start(args, env);
      expect(killed.signal, `${step}: ${killed.stderr}`).toBe('SIGKILL');
      // Each of the two must converge.
      if (at % 2 === 0) await run('up');
      await run('upgrade', '--yes');
      await run('up');
      await data.expectAll();
      if (back.includes(step)) expect(await stackText()).toBe(before);
    }
  });
});
