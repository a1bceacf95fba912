import { once } from 'node:events';
import { createServer } from 'node:http';
import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { eventually } from '../support/eventually.ts';
import { getJson, getText, query } from '../support/servers.ts';
import { stackFolder } from '../support/stack-folder.ts';

describe('up', () => {
  it('must start every service until it is ready, and then have nothing to do', async () => {
    await using stack = await stackFolder();
    const first = await stack.run('up', '--json');
    expect(first.exitCode, first.stderr).toBe(0);
    const result = JSON.parse(first.stdout) as { changes: { service: string; action: string }[] };
    expect(result.changes.map(({ service, action }) => `${service} ${action}`)).toEqual([
      'pushgateway create',
      'prometheus create',
      'alertmanager create',
      'sink create',
    ]);
    for (const service of ['pushgateway', 'prometheus', 'alertmanager'] as const) {
      await expect(getText(stack.url(service, '/-/ready'))).resolves.toBeTypeOf('string');
    }
    await eventually(async () =>
      expect(await query(stack.url('prometheus'), 'sum by (job) (up)')).toEqual([
        '{job="alertmanager"} 1',
        '{job="prometheus"} 1',
        '{job="pushgateway"} 1',
      ]),
    );

    await using engine = await connect({ env: process.env });
    const before = await engine.listContainers({ [stackLabel]: stack.name });
    const second = await stack.run('up');
    expect(second.stdout).toMatch(/^test-\w+: nothing to do, 4 services unchanged/);
    expect(second.exitCode).toBe(0);
    const after = await engine.listContainers({ [stackLabel]: stack.name });
    expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
  });

  it('must recreate a container whose flags changed, and keep the others and the data', async () => {
    await using stack = await stackFolder();
    const first = await stack.run('up');
    expect(first.exitCode).toBe(0);
    await stack.configure({ prometheus: { retention: { time: '3d' } } });

    const plan = await stack.run('plan', '--detailed-exitcode');
    expect(plan.exitCode).toBe(3);
    expect(plan.stdout).toContain(
      '± prometheus     recreate  argument --storage.tsdb.retention.time=15d -> --storage.tsdb.retention.time=3d',
    );

    expect(plan.stdout).toContain(': 1 to change, 3 unchanged');

    const second = await stack.run('up');
    expect(second.exitCode).toBe(0);
    // A warning about an image of another version is for the command that brings the image.
    expect(first.stderr.includes('is used in place of')).toBe(plan.stdout.includes('is a substitute for'));
    expect(second.stderr).not.toContain('is used in place of');
    const flags = await getJson<{ data: Record<string, string> }>(stack.url('prometheus', '/api/v1/status/flags'));
    expect(flags.data['storage.tsdb.retention.time']).toBe('3d');
    expect((await stack.run('plan', '--detailed-exitcode')).exitCode).toBe(0);
  });

  it('must let two services swap their ports', async () => {
    await using stack = await stackFolder({ pushgateway: { enabled: false } });
    expect((await stack.run('up')).exitCode).toBe(0);
    const { prometheus, alertmanager } = stack.ports;
    await stack.configure({
      pushgateway: { enabled: false },
      prometheus: { port: alertmanager },
      alertmanager: { port: prometheus },
    });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
    const [behindPrometheus, behindAlertmanager] = await Promise.all(
      (['prometheus', 'alertmanager'] as const).map((service) => getText(stack.url(service, '/metrics'))),
    );
    expect(behindPrometheus).toContain('alertmanager_build_info{');
    expect(behindAlertmanager).toContain('prometheus_build_info{');
  });

  it('must be removed except what others use, and say what to do about that', async () => {
    await using stack = await stackFolder({ sink: { enabled: false }, pushgateway: { enabled: false } });
    expect((await stack.run('up')).exitCode).toBe(0);
    await using engine = await connect({ env: process.env });
    const [running] = await engine.listContainers({ [stackLabel]: stack.name });
    const stranger = await new Docker().createContainer({
      name: `${stack.name}-stranger`,
      Image: running?.image ?? '',
      Entrypoint: ['/bin/sh', '-c', 'sleep 300'],
      HostConfig: { NetworkMode: stack.name, Binds: [`${stack.name}-prometheus-data:/data`] },
    });
    try {
      await stranger.start();
      const warning = `warning: the network ${stack.name} is kept: ${stack.name}-stranger is connected to it
  try: docker network disconnect ${stack.name} ${stack.name}-stranger; then \`promstack down\` removes it\n`;
      const network = await stack.run('down');
      expect(network).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(warning) });
      expect(network.stdout).toBe(`${stack.name}: 2 containers removed, its volumes are kept\n`);
      const again = await stack.run('down', '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({
        removed: { containers: [], networks: [] },
        keptNetworks: [{ name: stack.name, usedBy: [`${stack.name}-stranger`] }],
      });
      await new Docker().getNetwork(stack.name).disconnect({ Container: stranger.id, Force: true });
      const volume = await stack.run('down', '--volumes', '--yes');
      expect(volume.exitCode).toBe(1);
      expect(volume.stderr).toContain(
        `✖ delete the volume ${stack.name}-prometheus-data and its data: a container that is not part of this stack still uses it\n`,
      );
    } finally {
      await stranger.remove({ force: true });
    }
  });

  it('must leave a service out until it is added again, with its data', async () => {
    await using stack = await stackFolder();
    expect((await stack.run('up')).exitCode).toBe(0);
    await push(stack.url('pushgateway', '/metrics/job/kept'), 'kept_metric 1\n');
    const without = await stack.run('up', '--without', 'pushgateway', '--json');
    expect(without.exitCode, without.stderr).toBe(0);
    expect(JSON.parse(without.stdout).changes).toContainEqual({
      service: 'pushgateway',
      action: 'remove',
      reasons: ['the stack has no pushgateway any more'],
      risks: [],
    });
    await expect(getText(stack.url('pushgateway', '/-/ready'))).rejects.toThrow();

    const note =
      'pushgateway is left out, as `up --without pushgateway` asked; `promstack up --with pushgateway` starts it';
    for (const command of [['up'], ['status'], ['reload'], ['plan', '--detailed-exitcode'], ['open', 'prometheus']]) {
      const later = await stack.run(...command);
      expect([later.exitCode, later.stderr], command.join(' ')).toEqual([0, expect.stringContaining(note)]);
    }
    await stack.configure({ prometheus: { scrape_interval: '7s' } });
    expect((await stack.run('reload')).stdout).toContain('1 changed, 2 unchanged');
    expect((await stack.run('down')).exitCode).toBe(0);
    expect((await stack.run('up', '--json')).stdout).not.toContain('pushgateway');

    for (const [options, problem] of [
      [['--with', 'pushgatewy'], '--with pushgatewy: there is no such service'],
      [['--with', 'grafana'], '--with grafana: it is disabled in stack.yml'],
      [['--with', 'sink', '--without', 'sink'], '--with and --without both name sink'],
    ] as const) {
      const refused = await stack.run('up', ...options);
      expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(problem)]);
    }
    const added = await stack.run('up', '--with', 'pushgateway');
    expect([added.exitCode, added.stderr]).toEqual([0, expect.not.stringContaining('left out')]);
    expect((await stack.run('up')).stdout).toContain('nothing to do, 4 services unchanged');
    expect(await getText(stack.url('pushgateway', '/metrics'))).toContain('kept_metric{instance="",job="kept"} 1');
  });

  it('must reach services on the host by host.docker.internal', async () => {
    const host = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/plain; version=0.0.4');
      answer.end('on_the_host 7\n');
    }).listen(0, '0.0.0.0');
    await once(host, 'listening');
    const address = host.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await using stack = await stackFolder({
        prometheus: {
          scrape_interval: '1s',
          scrape_configs: [{ job_name: 'host', static_configs: [{ targets: [`host.docker.internal:${port}`] }] }],
        },
      });
      const up = await stack.run('up');
      expect(up.exitCode, up.stderr).toBe(0);
      await eventually(async () => expect(await query(stack.url('prometheus'), 'sum(on_the_host)')).toEqual(['{} 7']));
    } finally {
      host.close();
    }
  });

  it('must let only one of two concurrent runs continue, and name it to the other', async () => {
    await using stack = await stackFolder();
    const [one, other] = await Promise.all([stack.run('up'), stack.run('up')]);
    const codes = [one.exitCode, other.exitCode].sort();
    const refused = one.exitCode === 0 ? other : one;
    expect(codes, `${one.stderr}\n${other.stderr}`).toEqual([0, 1]);
    expect(refused.stderr).toMatch(
      /taking the lock of the stack test-\w+: \S+@\S+ \(promstack up, pid \d+, since \S+\) holds the lock/,
    );
    expect((await stack.run('plan', '--detailed-exitcode')).exitCode).toBe(0);
  });

  it('must converge after an interrupt at any moment', async () => {
    await using stack = await stackFolder();
    for (const delayMs of [300, 700, 1100, 1500]) {
      const running = stack.start(['up']);
      // The moment is what is tested, so it is a matter of time and not of state.
      const timer = setTimeout(() => running.kill('SIGINT'), delayMs);
      const { exitCode, signal, stdout, stderr } = await running;
      clearTimeout(timer);
      // Before Node has run a line of promstack the signal ends it by itself.
      expect(signal === 'SIGINT' || exitCode === 0 || exitCode === 130, `${exitCode} ${signal}`).toBe(true);
      // One that comes after the last step leaves a complete result.
      if (exitCode === 130) expect(`${stderr}${stdout}`).toMatch(/^✖ interrupted: |unchanged \(revision/m);
    }
    const last = await stack.run('up');
    expect(last.exitCode, last.stderr).toBe(0);
    expect((await stack.run('plan', '--detailed-exitcode')).exitCode).toBe(0);
  });

  it('must keep what was pushed through a kill after a persistence interval, and through down and up', async () => {
    await using stack = await stackFolder({ pushgateway: { persistence: { interval: '1s' } } });
    expect((await stack.run('up')).exitCode).toBe(0);
    const metrics = (): Promise<string> => getText(stack.url('pushgateway', '/metrics'));
    await push(stack.url('pushgateway', '/metrics/job/batch/instance/a'), 'batch_rows 42\n');
    await using engine = await connect({ env: process.env });
    const container = await engine.findContainer(`${stack.name}-pushgateway`);
    if (container === undefined) throw new Error('the Pushgateway has a container');
    await eventually(async () => {
      const { exitCode } = await engine.exec(container.id, ['grep', '-q', 'batch_rows', '/pushgateway/metrics.store']);
      expect(exitCode).toBe(0);
    });
    // Removed by force: no signal that the Pushgateway could write its metrics at.
    await engine.removeContainer(container.id);
    expect((await stack.run('up')).exitCode).toBe(0);
    expect(await metrics()).toContain('batch_rows{instance="a",job="batch"} 42');

    await push(stack.url('pushgateway', '/metrics/job/batch/instance/b'), 'batch_rows 43\n');
    expect((await stack.run('down')).exitCode).toBe(0);
    expect((await stack.run('up')).exitCode).toBe(0);
    expect(await metrics()).toContain('batch_rows{instance="b",job="batch"} 43');
  });
});

async function push(url: string, body: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', body });
  expect(answer.status, await answer.text()).toBe(200);
}
