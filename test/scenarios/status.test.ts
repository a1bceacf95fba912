import { once } from 'node:events';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import type { statusSchema } from '../../scripts/cli/json/status.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { eventually } from '../support/eventually.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

describe('a running stack', () => {
  let stack: StackFolder;
  beforeAll(async () => {
    stack = await stackFolder();
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const status = async () => {
    const { exitCode, stdout } = await stack.run('status', '--json');
    return { exitCode, status: JSON.parse(stdout) as z.infer<ReturnType<typeof statusSchema>> };
  };

  it('must be shown completely, with exit code 0', async () => {
    await eventually(async () =>
      expect(
        (await fetch(stack.url('pushgateway', '/metrics/job/backup'), { method: 'POST', body: 'x 1\n' })).status,
      ).toBe(200),
    );
    await eventually(async () => {
      const { exitCode, status: result } = await status();
      expect(exitCode).toBe(0);
      expect(result).toMatchObject({
        stack: stack.name,
        ok: true,
        revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      });
      expect(result.services.map(({ service, state, isReady }) => `${service} ${state} ${isReady}`)).toEqual([
        'pushgateway running true',
        'prometheus running true',
        'alertmanager running true',
        'sink running true',
      ]);
      const facts = Object.fromEntries(
        result.services.flatMap(({ service, indicators }) =>
          indicators.map(({ label, values }) => [`${service} ${label}`, values]),
        ),
      );
      expect(facts).toMatchObject({
        'pushgateway groups': { groups: 1 },
        'prometheus targets': { up: 3, down: 0, waiting: 0 },
        'prometheus jobs': { withTargets: 3, withoutTargets: [] },
        'prometheus rules': { failing: 0, waiting: 0 },
        'prometheus last reload': { succeeded: true },
        'alertmanager notifications': { failed: 0 },
        'alertmanager last reload': { succeeded: true },
      });
    });
    const { stdout } = await stack.run('status');
    expect(stdout).toContain(stack.url('prometheus'));
    expect(stdout).toMatch(/✔ no problems found\n$/);
  });

  it('must be planned without a removed service: its alerts, their receivers, and its files', async () => {
    const { stdout, stderr } = await stack.run('plan', '--without', 'alertmanager');
    expect(stdout, stderr).toMatch(/^ {2}- alertmanager +remove {4}/m);
    expect(stdout).toMatch(/^alerts: .*\d+ routed differently/m);
    expect(stdout).toMatch(/^ {2}> sink -> nobody:$/m);
    expect(stdout).toMatch(/^--- alertmanager\/alertmanager\.yml\n\+\+\+ \/dev\/null\n@@ -1,\d+ \+0,0 @@\n-/m);
  });

  it('must be reported as a problem, with what to do, while a container is stopped', async () => {
    await using engine = await connect({ env: process.env });
    const container = `${stack.name}-sink`;
    await engine.stopContainer(container, 0);
    const { exitCode, stdout } = await stack.run('status');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✖ sink: it is stopped\n {2}try: promstack start sink;/);
    expect(stdout).toMatch(/✖ 1 problem\n$/);
    const { exitCode: openCode, stderr } = await stack.run('open', 'sink', '--print');
    expect({ openCode, stderr }).toEqual({
      openCode: 1,
      stderr: '✖ opening sink: its container is stopped\n  try: promstack start sink\n',
    });
    await engine.startContainer(container);
    await eventually(async () => expect((await status()).exitCode).toBe(0));
  });

  it('must be reported as different from an edited stack.yml, but not as a problem', async () => {
    await stack.configure({
      alertmanager: { route: { receiver: 'nobody', group_by: ['job'] }, receivers: [{ name: 'nobody' }] },
    });
    const { exitCode, status: result } = await status();
    expect(exitCode).toBe(0);
    expect(result.problems).toMatchObject([{ severity: 'warning', service: 'alertmanager', try: 'promstack reload' }]);
    await stack.configure({});
  });

  it('must show the merged logs of its services, and follow them with -f until Ctrl-C', async () => {
    const { stdout } = await stack.run('logs', '--tail', 'all', 'prometheus', 'alertmanager');
    expect(stdout).toMatch(/^prometheus {3}\| \d\d:\d\d:\d\d\.\d{3} .*Server is ready to receive web requests/m);
    expect(stdout).toMatch(/^alertmanager \| .*Listening on/m);
    expect(stdout).not.toMatch(/^(pushgateway|sink)/m);
    const { lines } = JSON.parse((await stack.run('logs', '--json', '--tail', 'all')).stdout) as {
      lines: { time: string }[];
    };
    expect(lines).not.toEqual([]);
    const times = lines.map(({ time }) => Date.parse(time));
    expect(times).toEqual([...times].sort((one, other) => one - other));

    const following = stack.start(['-f', 'stack.yml', 'logs', 'sink', '--raw', '-f']);
    let seen = '';
    following.stdout.on('data', (chunk: Buffer) => {
      seen += String(chunk);
    });
    const seenMark = eventually(async () => {
      await fetch(stack.url('sink', '/cgi-bin/notify'), {
        method: 'POST',
        body: JSON.stringify({ receiver: 'mark', alerts: [] }),
      }).catch(() => undefined);
      expect(seen).toContain('mark');
    });
    await seenMark.finally(() => following.kill('SIGINT'));
    expect((await following).exitCode).toBe(130);
  });

  it('must follow the logs of a named stack when -f means both', async () => {
    for (const [printed, ...words] of [
      [/\S/, '-f', 'stack.yml', '-f', 'sink', '--raw'],
      [/^{"kind":"line","service":"sink",/, '-f', '-f', 'stack.yml', 'sink', '--json'],
    ] as const) {
      const following = stack.start(['logs', ...words, '--tail', '1']);
      const [line] = (await once(following.stdout, 'data')) as [Buffer];
      expect(line.toString('utf8')).toMatch(printed);
      following.kill('SIGINT');
      expect((await following).exitCode).toBe(130);
    }
  });

  it('must be watched as JSON: a line for each change, errors of stack.yml too, and the envelope after Ctrl-C', async () => {
    const watching = stack.start(['status', '--watch', '--json']);
    const lines: { readonly kind?: string; readonly ok?: boolean; readonly diagnostics?: readonly object[] }[] = [];
    createInterface(watching.stdout).on('line', (line) => lines.push(JSON.parse(line)));
    await eventually(async () => expect(lines.at(-1)).toMatchObject({ kind: 'status', ok: true }));
    await stack.configure({ prometheus: { port: 'none' } });
    await eventually(async () =>
      expect(lines.at(-1)).toMatchObject({ kind: 'invalid', diagnostics: [{ severity: 'error' }] }),
    );
    await stack.configure({});
    await eventually(async () => expect(lines.at(-1)).toMatchObject({ kind: 'status', ok: true }));
    watching.kill('SIGINT');
    expect((await watching).exitCode).toBe(130);
    expect(lines.at(-1)).toMatchObject({ ok: false, error: { kind: 'interrupted' } });
  });

  it('must have its pages opened by name', async () => {
    const { stdout, exitCode } = await stack.run('open', '--print');
    expect({ stdout, exitCode }).toEqual({ stdout: `${stack.url('prometheus')}\n`, exitCode: 0 });
    const named = (await stack.run('open', 'alertmanager', '--print', '--json')).stdout;
    expect(JSON.parse(named)).toMatchObject({ service: 'alertmanager', url: stack.url('alertmanager') });
    expect(JSON.parse((await stack.run('version', '--json')).stdout)).toMatchObject({ engine: { isLocal: true } });
    const { exitCode: code, stderr } = await stack.run('open', 'prometeus', '--print');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '✖ this stack has no service prometeus\n  did you mean prometheus?\n',
    });
  });

  it('must be found by commands that only need its name, although secrets and files of stack.yml are missing', async () => {
    await stack.configure({ prometheus: { rules: ['half/a.yml'] } });
    await stack.write('half/a.yml', 'groups: [');
    const text = await readFile(join(stack.path, 'stack.yml'), 'utf8');
    await stack.write(
      'stack.yml',
      text.replace('alertmanager:\n', 'alertmanager:\n  global: {smtp_auth_password: !env NOT_SET_HERE}\n'),
    );
    try {
      expect((await stack.run('check')).exitCode).toBe(2);
      for (const words of [
        'logs --tail 1',
        'open --print',
        'images',
        'groups',
        'silence list',
        'history',
        'unlock --yes',
      ]) {
        const { exitCode, stderr } = await stack.run(...words.split(' '));
        expect(exitCode, `${words}: ${stderr}`).toBe(0);
      }
    } finally {
      await stack.configure({});
    }
  });

  it('must have its images listed, saved into one file and loaded from it', async () => {
    const { stdout } = await stack.run('images', '--json');
    const { images } = JSON.parse(stdout) as {
      images: { service: string; localImage: string; sizeBytes: number }[];
    };
    expect(images.map(({ service }) => service)).toEqual(['pushgateway', 'prometheus', 'alertmanager', 'sink']);
    expect(images.every(({ sizeBytes }) => sizeBytes > 1_000_000)).toBe(true);
    const archive = join(stack.path, 'images.tar');
    const saved = JSON.parse((await stack.run('images', 'save', archive, '--json')).stdout);
    expect(saved).toMatchObject({ ok: true, archive });
    expect((await stat(archive)).size).toBeGreaterThan(10_000_000);
    const load = await stack.run('images', 'load', archive, '--json');
    expect(load.exitCode, load.stdout).toBe(0);
    const { loaded } = JSON.parse(load.stdout) as { loaded: string[] };
    expect(loaded.sort()).toEqual([...new Set(images.map(({ localImage }) => localImage))].sort());
    await rm(archive);
  });

  it('must be checked by the tools of its images without changes', async () => {
    const good = await stack.run('check');
    expect(good.exitCode, good.stderr).toBe(0);
    expect(good.stdout).toMatch(/^test-\w+: \d+ files for 4 services are valid \(revision [0-9a-f]{12}\)\n$/);
    await stack.write(
      'rules/bad.yml',
      'groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: sum(up)\n        labels: { severity: "{{ .Nothing" }\n',
    );
    await stack.configure({ prometheus: { rules: ['rules/*.yml'] } });
    const bad = await stack.run('check');
    expect(bad.exitCode).toBe(2);
    expect(bad.stdout).toBe('');
    expect(bad.stderr).toMatch(/✖ rules\/bad\.yml/);
    await stack.configure({});
    expect((await status()).exitCode).toBe(0);
  });
});

describe('a stack that is not running', () => {
  it('must be reported as such by each command', async () => {
    await using stack = await stackFolder();
    const result = await stack.run('status');
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain('no revision confirmed yet');
    expect(result.stdout).toMatch(
      /✖ pushgateway, prometheus, alertmanager, sink: they have no container\n {2}try: promstack up/,
    );
    const logs = await stack.run('logs');
    expect({ exitCode: logs.exitCode, stderr: logs.stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        `^✖ finding the stack ${stack.name}: no stack of that name is on the engine\n  try: promstack up`,
      ),
    });
    const open = await stack.run('open', '--print');
    expect({ exitCode: open.exitCode, stderr: open.stderr }).toEqual({
      exitCode: 1,
      stderr: '✖ opening prometheus: it has no container\n  try: promstack up\n',
    });
  });
});
