import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { makeData, type StackData } from '../support/stack-data.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const reason = 'it takes minutes: `npm run test:full` runs it';

describe.sequential('the rename of a stack', () => {
  let folder: StackFolder;
  const names: string[] = [];
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await folder.run(...args);
    expectFine(done);
    return done.stdout;
  };
  const nameNow = async (): Promise<string> => {
    const [, name = ''] = /^name: (.*)$/m.exec(await readFile(join(folder.path, 'stack.yml'), 'utf8')) ?? [];
    return name;
  };
  const newName = (): string => {
    const name = `${folder.name}-${names.length + 1}`;
    names.push(name);
    return name;
  };
  const remove = (name: string) => folder.run('down', '-p', name, '--volumes', '--yes');
  let data: StackData;

  beforeAll(async () => {
    if (!isFull) return;
    folder = await stackFolder({
      prometheus: { scrape_interval: '1s' },
      pushgateway: { persistence: { interval: '2s' } },
    });
    await run('up');
    data = await makeData(folder);
  }, 240_000);

  afterAll(async () => {
    if (!isFull) return;
    for (const name of names) await remove(name);
    await folder[Symbol.asyncDispose]();
  });

  test('must bring along data, history and name, and keep the old volumes', { timeout: 240_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    const revisions = (await run('history')).trim().split('\n').length;
    const name = newName();
    const printed = JSON.parse(await run('rename', name, '--json')) as { volumes: unknown[]; stack: string };
    expect([printed.volumes.length, printed.stack]).toEqual([6, name]);
    expect(await nameNow()).toBe(name);
    await data.expectAll();
    expect((await run('history')).trim().split('\n').length).toBeGreaterThan(revisions);
    expect(JSON.parse(await run('plan', '--json'))).toMatchObject({ steps: [] });
    const { stdout: volumes } = await execa('docker', ['volume', 'ls', '-q']);
    expect(volumes.split('\n').filter((each) => each.startsWith(`${folder.name}-`))).toHaveLength(12);
    const { stdout: containers } = await execa('docker', [
      'ps',
      '-aq',
      '--filter',
      `label=dev.promstack.stack=${folder.name}`,
    ]);
    expect(containers).toBe('');
    expectFine(await remove(folder.name));
  });

  test.for([
    ['a name that is not valid', 'Shop', 'lowercase'],
    ['a name that the engine reserves', 'host', 'reserves'],
  ] as const)('must refuse %s', async ([, name, why], { skip }) => {
    skip(!isFull, reason);
    const refused = await folder.run('rename', name);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(why)]);
  });

  test('must refuse a name whose volumes exist, and its own', { timeout: 60_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    const taken = newName();
    await execa('docker', ['volume', 'create', `${taken}-prometheus-data`]);
    const refused = await folder.run('rename', taken);
    await execa('docker', ['volume', 'rm', `${taken}-prometheus-data`]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('on the engine already')]);
    const own = await folder.run('rename', await nameNow());
    expect([own.exitCode, own.stderr]).toEqual([2, expect.stringContaining('already')]);
    await run('status');
  });

  test('must run as before when the new one does not start', { timeout: 240_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    const [before, name] = [await nameNow(), newName()];
    // A foreign container gets a name of the new stack while the volumes are copied.
    const renaming = folder.start(['rename', name]);
    await eventually(async () => {
      const { stdout } = await execa('docker', ['volume', 'ls', '-q', '--filter', `name=${name}-prometheus-data`]);
      expect(stdout).not.toBe('');
    });
    const { stdout: image } = await execa('docker', ['inspect', '-f', '{{.Config.Image}}', `${before}-pushgateway`]);
    await execa('docker', ['create', '--name', `${name}-prometheus`, image]);
    const failed = await renaming;
    await execa('docker', ['rm', `${name}-prometheus`]);
    expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringContaining(`the stack runs as ${before} again`)]);
    expect(await nameNow()).toBe(before);
    await data.expectAll();
    const { stdout: volumes } = await execa('docker', ['volume', 'ls', '-q', '--filter', `name=${name}-`]);
    expect(volumes).toBe('');
  });

  test('must converge with all data when it is killed after any step', { timeout: 900_000 }, async ({ skip }) => {
    skip(!isFull, reason);
    for (const [at, step] of ['stop', 'copy', 'down', 'write', 'mark'].entries()) {
      const [before, name] = [await nameNow(), newName()];
      const killed = await folder.start(['rename', name], { PROMSTACK_STOP_AFTER: `rename:${step}` });
      expect(killed.signal, `${step}: ${killed.stderr}`).toBe('SIGKILL');
      // Either continues, until stack.yml has the new name.
      if ((await nameNow()) === name || at % 2 === 0) await run('up');
      if ((await nameNow()) !== name) await run('rename', name);
      await data.expectAll();
      await run('up');
      expect(await nameNow()).toBe(name);
      expectFine(await remove(before));
    }
  });

  test('must converge with all data when it is killed or interrupted at any moment', { timeout: 900_000 }, async ({
    skip,
  }) => {
    skip(!isFull, reason);
    for (const [at, ms] of [700, 1_500, 2_500, 4_000, 6_000].entries()) {
      const [before, name] = [await nameNow(), newName()];
      const renaming = folder.start(['rename', name]);
      const timer = setTimeout(() => renaming.kill(at % 2 === 0 ? 'SIGKILL' : 'SIGINT'), ms);
      await renaming;
      clearTimeout(timer);
      await run('up');
      await data.expectAll();
      if ((await nameNow()) !== name) await run('rename', name);
      await data.expectAll();
      expectFine(await remove(before));
    }
  });
});
