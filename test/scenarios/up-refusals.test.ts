import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { roleLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { takeLock } from '../../scripts/state/lock.ts';
import { systemClock } from '../../scripts/util/clock.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { haveImages } from '../support/images.ts';
import { remoteEngine } from '../support/remote-engine.ts';
import { freePorts, stackFolder } from '../support/stack-folder.ts';

describe('up with an external failure', () => {
  it('must name the process that uses a port, before anything is changed', async () => {
    await using stack = await stackFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(stack.ports.prometheus, '127.0.0.1', resolve));
    try {
      const { exitCode, stderr } = await stack.run('up');
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`publishing port ${stack.ports.prometheus} for prometheus: the port is taken by `);
      expect(stderr).toContain(`(pid ${process.pid})`);
      expect(stderr).toContain('set prometheus.port in stack.yml to a different one');
      await expectNothingThere(stack.name);
    } finally {
      server.close();
    }
  });

  it('must refuse an address that the host does not have, before anything is changed', async () => {
    await using stack = await stackFolder({ bind: '192.0.2.7' });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toContain("`bind: 192.0.2.7` in stack.yml is not an address of the engine's host");
    expect(stderr).toMatch(/set bind to 0\.0\.0\.0, 127\.0\.0\.1/);
    const planned = JSON.parse((await stack.run('plan', '--json')).stdout) as { blocker?: { why: string } };
    expect(planned.blocker?.why).toContain('`bind: 192.0.2.7`');
    await using remote = await remoteEngine();
    const far = await stack.start(['up'], { DOCKER_HOST: remote.address });
    expect(far.exitCode).toBe(1);
    expect(far.stderr).toContain("`bind: 192.0.2.7` in stack.yml is not an address of the engine's host");
    await expectNothingThere(stack.name);
  });

  it('must be announced by plan when another command holds the lock', async () => {
    await using stack = await stackFolder();
    await using engine = await connect({ env: process.env });
    const { signal } = new AbortController();
    const lock = { engine, stack: stack.name, command: 'reload', report: () => undefined, clock: systemClock, signal };
    await using _lock = await takeLock(lock);
    const { stderr } = await stack.run('plan');
    expect(stderr).toMatch(/up would refuse this: taking the lock of the stack .*\(promstack reload, pid \d+/);
  });

  it('must refuse flags that the server does not have, before anything is changed', async () => {
    await using stack = await stackFolder({ prometheus: { extra_args: ['--storage.tsdb.retention=15d'] } });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/stack\.yml:\d+:\d+ prometheus: unknown long flag '--storage\.tsdb\.retention'/);
    expect(stderr).toContain('use prometheus.retention in place of it');
    await expectNothingThere(stack.name);
  });

  it('must refuse flags with which a server crashes once it has loaded its config', async () => {
    await using stack = await stackFolder({
      prometheus: { extra_args: ['--web.max-connections=-1'] },
      alertmanager: { extra_args: ['--log.level=debug', '--dispatch.maintenance-interval=0s'] },
      pushgateway: { enabled: true, extra_args: ['--web.telemetry-path=x'] },
    });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/stack\.yml:\d+:\d+ alertmanager: it crashes when it starts: non-positive interval/);
    expect(stderr).toMatch(/stack\.yml:\d+:\d+ prometheus: it crashes when it starts: makechan/);
    expect(stderr).toMatch(/stack\.yml:\d+:\d+ pushgateway: /);
    await expectNothingThere(stack.name);
  });

  it('must find every web config that its server would not take, before anything is started', async () => {
    await using stack = await stackFolder({
      prometheus: { extra_args: ['--web.config.file=/etc/promstack/current/web.yml'] },
      alertmanager: {
        extra_args: ['--web.config.file', '/etc/promstack/current/web.yml', '--enable-feature=nonsense'],
      },
      pushgateway: { enabled: true, extra_args: ['--web.config.file=/nowhere.yml'] },
    });
    await stack.write('templates/prometheus/web.yml', 'http_server_config:\n  headers: {X-Foo: a}\n');
    await stack.write('templates/alertmanager/web.yml', 'http_server_confg:\n  http2: true\n');
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('templates/prometheus/web.yml:2:13 promtool: HTTP header "X-Foo" can not be configured');
    expect(stderr).toContain('templates/alertmanager/web.yml:1:1 alertmanager: unknown key "http_server_confg"');
    expect(stderr).toContain('did you mean "http_server_config"?');
    expect(stderr).toMatch(
      /stack\.yml:\d+:\d+ amtool: this version of Alertmanager does not have the feature "nonsense"/,
    );
    expect(stderr).toMatch(
      /stack\.yml:\d+:\d+ pushgateway: Pushgateway cannot read the file: open \/nowhere\.yml: no such/,
    );
    await expectNothingThere(stack.name);

    await stack.write('templates/prometheus/web.yml', 'http_server_config: {http2: false}\n');
    await stack.write('templates/alertmanager/web.yml', 'rate_limit: {burst: 100, interval: 1ms}\n');
    await stack.configure({
      prometheus: { extra_args: ['--web.config.file=/etc/promstack/current/web.yml'] },
      alertmanager: { extra_args: ['--web.config.file', '/etc/promstack/current/web.yml'] },
    });
    expect((await stack.run('up')).exitCode).toBe(0);
  });

  it('must name the containers that use its ports', async () => {
    await using holder = await stackFolder({ pushgateway: { enabled: true } });
    expect((await holder.run('up', '--without', 'alertmanager')).exitCode).toBe(0);
    const { pushgateway, prometheus } = holder.ports;
    await using stack = await stackFolder({ prometheus: { port: pushgateway }, alertmanager: { port: prometheus } });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    const place = `which is managed from ${holder.path}/stack.yml on `;
    expect(stderr).toContain(
      `port ${pushgateway} for prometheus is taken by the container ${holder.name}-pushgateway of the stack ${holder.name}, ${place}`,
    );
    expect(stderr).toContain(
      `port ${prometheus} for alertmanager is taken by the container ${holder.name}-prometheus of the stack ${holder.name}, ${place}`,
    );
    expect(stderr).toContain(
      'free them, or set prometheus.port and alertmanager.port in stack.yml to different ones\n',
    );
    await expectNothingThere(stack.name);
  });

  it('must fail immediately when a server exits while starting, with its last log lines', async () => {
    await using stack = await stackFolder({
      alertmanager: { resources: { memory: '6m' } },
    });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /alertmanager[^\n]*: (?:(?:it exited(?: with code \d+)?|its container is (?:restarting|exited)) while starting|.*OCI runtime)/,
    );
    // Where already the runtime of the engine has too little memory, there is no log.
    expect(stderr).toMatch(/promstack logs alertmanager|OCI runtime/);
    await stack.configure({});
    expect((await stack.run('up')).exitCode).toBe(0);
  });

  it('must not touch a container and a volume of another owner with its names', async () => {
    await using stack = await stackFolder();
    await using engine = await connect({ env: process.env });
    const [image = ''] = await haveImages(engine, [defaultImages.pushgateway]);
    const foreign = await engine.createHelper({
      name: `${stack.name}-prometheus`,
      image,
      user: '65534:65534',
      entrypoint: ['/bin/true'],
      args: [],
      labels: { 'com.docker.compose.project': 'other' },
      mounts: [],
    });
    const plan = await stack.run('plan', '--summary');
    const planned = JSON.parse((await stack.run('plan', '--json')).stdout) as { blocker?: { why: string } };
    const one = await stack.run('up');
    await engine.removeContainer(foreign);
    expect(plan.exitCode).toBe(0);
    expect(plan.stderr).toContain(
      `up would refuse this: bringing up the stack ${stack.name}: the container ${stack.name}-prometheus is not part`,
    );
    expect(planned.blocker?.why).toContain('it belongs to the compose project other');
    expect(one.exitCode).toBe(1);
    expect(one.stderr).toContain(
      `the container ${stack.name}-prometheus is not part of this stack: it belongs to the compose project other`,
    );
    await engine.createVolume(`${stack.name}-prometheus-data`, {});
    const two = await stack.run('up');
    await engine.removeVolume(`${stack.name}-prometheus-data`);
    expect(two.exitCode).toBe(1);
    expect(two.stderr).toContain(
      `the volume ${stack.name}-prometheus-data is not part of this stack: it was not created by promstack`,
    );
    await expectNothingThere(stack.name);
  });

  it('must ask before a stack is managed from a second folder, and know a renamed one', async () => {
    await using stack = await stackFolder({ alertmanager: { enabled: false }, pushgateway: { enabled: false } });
    await using copy = await stackFolder();
    expect((await stack.run('up')).exitCode).toBe(0);
    await using engine = await connect({ env: process.env });
    const containers = async () => {
      const all = await engine.listContainers({ [stackLabel]: stack.name, [roleLabel]: 'service' });
      return all.map(({ id }) => id).sort();
    };
    const created = await containers();
    await copy.write('stack.yml', await readFile(join(stack.path, 'stack.yml'), 'utf8'));

    for (const command of ['up', 'reload', 'rollback', 'watch --once-idle', 'down']) {
      const { exitCode, stderr } = await copy.run(...command.split(' '));
      expect([command, exitCode, stderr]).toEqual([
        command,
        1,
        expect.stringContaining(`it is managed from ${stack.path}/stack.yml, not from ${copy.path}/stack.yml`),
      ]);
      expect(stderr).toContain('--yes');
    }
    const plan = await copy.run('plan');
    expect([plan.exitCode, plan.stderr]).toEqual([0, expect.stringContaining('up would ask about this: changing the')]);

    expect((await copy.run('status')).stdout).toContain(`stack.yml: it is managed from ${stack.path}/stack.yml`);

    expect((await copy.run('watch', '--once-idle', '--yes')).exitCode).toBe(0);
    expect((await copy.run('up')).stdout).toContain('nothing to do');
    expect((await stack.run('up')).exitCode).toBe(1);
    expect((await stack.run('up', '--yes')).exitCode).toBe(0);
    expect((await stack.run('up')).stdout).toContain('nothing to do');
    expect(await containers()).toEqual(created);

    await stack.configure({ name: `${stack.name}-new`, pushgateway: { enabled: false } });
    for (const command of ['up --yes', 'reload', 'plan', 'history', 'rollback', 'down', 'status', 'logs']) {
      const { stdout, stderr } = await stack.run(...command.split(' '));
      const printed = stdout + stderr;
      expect([command, printed]).toEqual([command, expect.stringContaining('its name was changed')]);
      expect(printed).toContain(`\`name: ${stack.name}\``);
    }
    await expectNothingThere(`${stack.name}-new`);
    expect(await containers()).toEqual(created);
  }, 120_000);

  it('must stop before anything is changed when an image is not available', async () => {
    const [port = 0] = await freePorts(1);
    await using stack = await stackFolder({
      images: { source: 'registry', mirror: `127.0.0.1:${port}` },
      prometheus: { image: 'nobody/has-this:v1' },
    });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('nobody/has-this:v1 for prometheus');
    expect(stderr).toContain('promstack images load FILE');
    await expectNothingThere(stack.name);
  });

  it('must list the addresses tried when there is no engine', async () => {
    await using stack = await stackFolder();
    const ended = await stack.start(['up'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain('unix:///nowhere/docker.sock');
  });
});

async function expectNothingThere(stack: string): Promise<void> {
  await using engine = await connect({ env: process.env });
  const labels = { [stackLabel]: stack };
  expect(await engine.listContainers(labels)).toEqual([]);
  expect(await engine.listVolumes(labels)).toEqual([]);
  expect(await engine.listNetworks(labels)).toEqual([]);
}
