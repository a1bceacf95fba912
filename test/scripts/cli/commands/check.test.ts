import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInProcess } from '../../../support/test-process.ts';

/** Has an amtool that accepts everything, in the folder `tools`. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-without-tools-'));
  await writeFile(join(folder, 'amtool'), '#!/bin/sh\nexit 0\n');
  await chmod(join(folder, 'amtool'), 0o755);
  // A warning of its own: this address is the container itself.
  await writeFile(
    join(folder, 'stack.yml'),
    'name: shop\nprometheus: {scrape_configs: [{job_name: a, static_configs: [{targets: ["localhost:1"]}]}]}\n',
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const env = { DOCKER_HOST: 'unix:///not-there.sock', PATH: '/not-there' };
const check = (more: readonly string[] = [], path = env.PATH) =>
  runInProcess(folder, ['check', ...more], { env: { ...env, PATH: path } });

describe('check without an engine', () => {
  it.each([[[]], [['-q']]])('must not call files valid that no tool has checked, with %j', async (more) => {
    const { exitCode, stdout } = await check(more);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(
      /^shop: \d+ files for \d services rendered; NOT checked by promtool and amtool: no container engine, no image, no tools, \d warnings \(/,
    );
  });

  it('must name the tool alone that is missing', async () => {
    const { exitCode, stdout } = await check([], folder);
    expect(exitCode).toBe(4);
    expect(stdout).toContain('rendered; NOT checked by promtool: no container engine');
  });

  it('must say so in JSON', async () => {
    const { exitCode, stdout } = await check(['--json']);
    expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({
      exitCode: 4,
      result: { ok: false, missingTools: ['promtool', 'amtool'] },
    });
  });

  it('must show with -q each warning that it counts, and no progress', async () => {
    const { stdout, stderr } = await check(['-q']);
    const shown = [...stderr.matchAll(/^▲ /gm)].length;
    expect(stdout).toContain(`, ${shown} warnings (`);
    expect(stderr).toMatch(/^▲ stack\.yml:2:\d+ Prometheus runs in a container/m);
    expect(stderr).not.toContain('skipped');
  });

  it('must exit 2 for what is wrong', async () => {
    expect((await check(['--strict'])).exitCode).toBe(2);
  });
});
