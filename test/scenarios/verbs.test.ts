import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

interface Listed {
  readonly name: string;
  readonly services: readonly { readonly service: string; readonly state: string }[];
  readonly volumes: readonly string[];
  readonly configFile?: { readonly path: string };
}

describe('the commands that users of docker compose know', () => {
  let stack: StackFolder;
  beforeAll(async () => {
    stack = await stackFolder({ pushgateway: { enabled: false } });
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const listed = async (...args: readonly string[]) => {
    const { stdout } = await stack.run('ls', '--json', ...args);
    return (JSON.parse(stdout) as { stacks: Listed[] }).stacks.find(({ name }) => name === stack.name);
  };
  const containers = async (...args: readonly string[]) => {
    const { stdout } = await stack.run('ps', '--json', ...args);
    return (JSON.parse(stdout) as { containers: { service: string; state: string; ports: unknown[] }[] }).containers;
  };

  it('must show without changing anything what up would do', async () => {
    const { exitCode, stdout } = await stack.run('up', '--dry-run');
    expect({ exitCode, stdout: stdout.split('\n')[0] }).toEqual({
      exitCode: 0,
      stdout: `plan for ${stack.name}: 3 to change, 0 unchanged`,
    });
    expect(await listed('--all')).toBeUndefined();
    const nothing = await stack.run('ps');
    expect({ exitCode: nothing.exitCode, lines: nothing.stdout.split('\n').length }).toEqual({ exitCode: 0, lines: 2 });
    expect(nothing.stderr).toContain('`promstack up` creates them');
  });

  it('must wait for a stack that is started elsewhere', async () => {
    const waiting = stack.start(['wait', '--timeout', '90s']);
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
    const waited = await waiting;
    expect(waited.exitCode, String(waited.stderr)).toBe(0);
    expect(waited.stdout).toMatch(/: ready, with revision [0-9a-f]{12}: prometheus, alertmanager, sink\n$/);
  });

  it('must list the stack, its containers and their ports', async () => {
    const port = stack.ports.prometheus;
    expect(await listed()).toMatchObject({
      services: ['prometheus', 'alertmanager', 'sink'].map((service) => ({ service, state: 'running' })),
      configFile: { path: join(stack.path, 'stack.yml') },
    });
    expect((await stack.run('ls', '-q')).stdout.split('\n')).toContain(stack.name);
    expect(await containers('prometheus')).toMatchObject([
      { service: 'prometheus', ports: [{ address: '127.0.0.1', hostPort: port, containerPort: 9090 }] },
    ]);
    expect((await stack.run('ps', '-q', 'sink')).stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stack.run('port', 'prometheus')).stdout).toBe(`127.0.0.1:${port}\n`);
    expect((await stack.run('port', 'prometheus', '9999')).exitCode).toBe(1);
  });

  it('must stop a service until it is started again, with the same files', async () => {
    const { stdout } = await stack.run('stop', 'prometheus');
    expect(stdout).toBe(`${stack.name}: 1 stopped\n  prometheus  stopped\n`);
    expect((await containers()).map(({ service }) => service)).toEqual(['alertmanager', 'sink']);
    expect((await containers('--all')).map(({ state }) => state)).toEqual(['exited', 'running', 'running']);
    const status = await stack.run('status');
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toMatch(/^prometheus {2,}stopped/m);
    expect(status.stdout).toContain('✖ prometheus: it is stopped\n  try: promstack start prometheus;');
    expect((await stack.run('plan', '--summary')).stdout).toMatch(/^ {2}> prometheus +start +it is stopped$/m);
    expect((await stack.run('port', 'prometheus')).stderr).toContain('try: promstack start prometheus\n');
    const late = await stack.run('wait', '--timeout', '1s');
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain('\n    prometheus: it is stopped\n');

    await stack.configure({ pushgateway: { enabled: false }, prometheus: { scrape_interval: '14s' } });
    for (const args of [['reload'], ['watch', '--once-idle']]) {
      const refused = await stack.run(...args);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('prometheus is stopped\n  try: promstack start prometheus, then reload again;');
    }

    const started = await stack.run('start', 'prometheus');
    expect(started.exitCode, started.stderr).toBe(0);
    expect((await fetch(stack.url('prometheus', '/-/ready'))).status).toBe(200);
    const config = await (await fetch(stack.url('prometheus', '/api/v1/status/config'))).text();
    expect(config).toContain('scrape_interval: 15s');
    expect((await stack.run('reload')).exitCode).toBe(0);
  });

  it('must work by the name of the stack, and while stack.yml is half written', async () => {
    await stack.write('stack.yml', `name: ${stack.name}\nprometheus: {\n`);
    const stopped = await stack.run('stop');
    expect(stopped.stdout).toContain(': 3 stopped\n');
    expect(stopped.stderr).toMatch(/stack\.yml:2:\d+ is invalid .*: using the stack test-/);
    await rm(join(stack.path, 'stack.yml'));
    expect(await listed()).toBeUndefined();
    expect(await listed('--all')).toMatchObject({
      services: [{ state: 'exited' }, { state: 'exited' }, { state: 'exited' }],
    });
    const restarted = await stack.run('restart', '-p', stack.name);
    expect(restarted.exitCode, restarted.stderr).toBe(0);
    expect(restarted.stdout).toContain(': 3 started\n');
    expect((await stack.run('-p', stack.name, 'wait', '--timeout', '30s')).exitCode).toBe(0);
    expect((await stack.run('-p', stack.name, 'history', '--json')).stdout).not.toMatch(
      /"command":"(stop|start|restart)"/,
    );
  });

  it('must name the services there are when one does not exist', async () => {
    const { exitCode, stderr } = await stack.run('restart', '-p', stack.name, 'grafana');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('it has prometheus, alertmanager and sink;');
  });

  it('must list what down keeps', async () => {
    await stack.run('-p', stack.name, 'down');
    expect(await listed()).toBeUndefined();
    const left = await listed('--all');
    expect(left).toMatchObject({ services: [], configFile: { path: join(stack.path, 'stack.yml') } });
    expect(left?.volumes).toContain(`${stack.name}-prometheus-data`);
  });
});
