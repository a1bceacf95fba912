import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { roleLabel, serviceLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { eventually } from '../support/eventually.ts';
import {
  alertRule,
  containerIds,
  expectFine,
  expectSettled,
  historyOf,
  refusedReceiver,
  running,
} from '../support/revisions.ts';
import { getText } from '../support/servers.ts';
import { stackFolder, toRun } from '../support/stack-folder.ts';

/** A job that promtool accepts and Prometheus rejects: only the server opens the file for failed scrapes. */
const refusedJob = {
  prometheus: {
    rules: ['rules/*.yml'],
    scrape_configs: [
      {
        job_name: 'refused',
        scrape_failure_log_file: '/nowhere/failures.log',
        static_configs: [{ targets: ['127.0.0.1:1'] }],
      },
    ],
  },
};
const ownRules = { prometheus: { rules: ['rules/*.yml'] } };

/** Less than Alertmanager needs to start: the kernel ends it, or already the runtime that is to start it. */
const tooLittleMemory = { resources: { memory: '6MB' } };

describe('a change that only a server rejects', () => {
  it('must be rolled back on every server when Alertmanager rejects it, and confirmed', async () => {
    await using stack = await stackFolder(ownRules);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    const [before, containers] = [await running(stack), await containerIds(stack)];

    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await stack.configure({ ...ownRules, ...refusedReceiver });
    const { exitCode, stderr } = await stack.run('reload');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/✖ reloading alertmanager: it rejected its new files \(status 500\): .*\/nowhere\/ca\.pem/);
    expect(stderr).toContain('  everything was rolled back to what ran before, and that is confirmed\n');
    expect(await running(stack)).toEqual(before);
    expect(await containerIds(stack)).toEqual(containers);

    const history = await historyOf(stack);
    expect(history.map(({ state }) => state)).toEqual(['current', 'refused']);
    expect(history[1]?.refusedReason).toContain('/nowhere/ca.pem');
    expect((await stack.run('plan', '--detailed-exitcode')).exitCode).toBe(3);

    await stack.configure(ownRules);
    expectFine(await stack.run('reload'));
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
    await expectSettled(stack);
  });

  it('must be rolled back when Prometheus has applied half of it', async () => {
    await using stack = await stackFolder(ownRules);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    const before = await running(stack);

    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await stack.configure(refusedJob);
    const { exitCode, stderr } = await stack.run('reload');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('reloading prometheus: it rejected its new files (status 500)');
    expect(stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
    expect(await running(stack)).toEqual(before);
  });

  it('must be rolled back with the containers that were recreated', async () => {
    await using stack = await stackFolder(ownRules);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    const [before, containers] = [await running(stack), await containerIds(stack)];

    await stack.configure({
      prometheus: { ...ownRules.prometheus, scrape_interval: '7s' },
      alertmanager: tooLittleMemory,
      pushgateway: { extra_args: ['--push.enable-utf8-names'] },
    });
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /starting alertmanager: (?:(?:it exited(?: with code \d+)?|its container is (?:restarting|exited)) while starting|.*OCI runtime)/,
    );
    expect(stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
    expect(await running(stack)).toEqual(before);
    const after = await containerIds(stack);
    expect(Object.keys(after).sort()).toEqual(Object.keys(containers).sort());
    expect(after[`${stack.name}-sink`]).toBe(containers[`${stack.name}-sink`]);

    await stack.configure(ownRules);
    await expectSettled(stack);
  });

  it('must be rolled back when the server exits during a reload that an unreachable store slows down', async () => {
    const to = (url: string) => ({
      prometheus: {
        ...ownRules.prometheus,
        scrape_interval: '1s',
        remote_write: [{ url }],
        extra_args: ['--storage.remote.flush-deadline=30s'],
      },
    });
    await using stack = await stackFolder(to('http://127.0.0.1:9/one'));
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    const before = await running(stack);
    await eventually(async () => {
      const metrics = await getText(stack.url('prometheus', '/metrics'));
      expect(metrics).toMatch(/^prometheus_remote_storage_samples_pending\{.*\} [1-9]/m);
    });

    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await stack.configure(to('http://127.0.0.1:9/two'));
    const reloading = stack.start(['reload']);
    let said = '';
    reloading.stderr?.on('data', (piece: Buffer) => {
      said += piece.toString('utf8');
    });
    await eventually(async () => expect(said).toContain('it may be flushing samples to a changed remote_write'));
    await using engine = await connect({ env: process.env });
    const [prometheus] = await engine.listContainers({ [stackLabel]: stack.name, [serviceLabel]: 'prometheus' });
    await engine.stopContainer(prometheus?.id ?? '', 0);
    const { exitCode, stderr } = toRun(await reloading);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('✖ reloading prometheus: it did not answer: ');
    expect(stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
    expect(await running(stack)).toEqual(before);
  });

  it('must leave a new server that never became ready stopped, so that its log can be read', async () => {
    await using stack = await stackFolder({ sink: { enabled: false } });
    expectFine(await stack.run('up'));
    await stack.configure({ sink: { enabled: false }, traffic: { enabled: true }, pushgateway: { enabled: true } });
    await stack.write('templates/traffic/push.sh', '#!/bin/sh\necho this is why\nexit 7\n');
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /starting traffic: (?:it exited(?: with code 7)?|its container is (?:restarting|exited)) while starting/,
    );
    expect(stderr).toContain('this is why');
    expect(stderr).toContain('traffic was stopped; its container is left so that its log can be read');
    await using engine = await connect({ env: process.env });
    expect((await engine.findContainer(`${stack.name}-traffic`))?.state).toBe('exited');
    expect((await stack.run('logs', 'traffic', '--raw')).stdout).toContain('this is why');

    await stack.configure({ sink: { enabled: false } });
    expectFine(await stack.run('up'));
    expect(await engine.findContainer(`${stack.name}-traffic`)).toBeUndefined();
    await expectSettled(stack);
  });

  it('must stop a server that never became ready in a first up, and keep the others running', async () => {
    await using stack = await stackFolder({ traffic: { enabled: true }, pushgateway: { enabled: true } });
    await stack.write('templates/traffic/push.sh', '#!/bin/sh\nexit 7\n');
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('traffic was stopped; its container is left so that its log can be read');
    await using engine = await connect({ env: process.env });
    const services = await engine.listContainers({ [stackLabel]: stack.name, [roleLabel]: 'service' });
    expect(services.filter(({ state }) => state === 'exited').map(({ name }) => name)).toEqual([
      `${stack.name}-traffic`,
    ]);
    await stack.configure({});
    expectFine(await stack.run('up'));
    await expectSettled(stack);
  });
});

describe('reload', () => {
  it('must refuse a change that needs more than files, and report what up would do', async () => {
    await using stack = await stackFolder();
    expectFine(await stack.run('up'));
    const [before, containers] = [await running(stack), await containerIds(stack)];
    await stack.configure({ prometheus: { retention: { time: '3d' }, scrape_interval: '7s' } });
    const { exitCode, stderr } = await stack.run('reload');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('it needs more than new files, and a reload never creates or replaces a container:');
    expect(stderr).toContain(
      'prometheus: recreate, argument --storage.tsdb.retention.time=15d -> --storage.tsdb.retention.time=3d',
    );
    expect(stderr).toContain('try: `promstack up` applies all of it');
    expect(await running(stack)).toEqual(before);
    expect(await containerIds(stack)).toEqual(containers);
  });
});
