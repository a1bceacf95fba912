import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { sumOf } from '../../stack/values/metrics-page.ts';
import { eventually } from '../support/eventually.ts';
import { getJson, getText } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const scrapesFile = 'templates/pushgateway/contribute/scrapes.yml';
const ruleFile = 'templates/pushgateway/contribute/rules/verify.yml';
const ruleTestFile = 'templates/pushgateway/tests/verify.yml';
const notifyFile = 'templates/sink/www/cgi-bin/notify';

/** The shipped job, more often. */
const scrapes = `
- job_name: pushgateway
  scrape_interval: 1s
  honor_labels: true
  static_configs: [{ targets: ["pushgateway:9091"] }]
`;

const jobWithoutTargets = { job_name: 'files', file_sd_configs: [{ files: ['/etc/promstack/none/*.json'] }] };

interface VerifyResult {
  readonly stages: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly why?: string;
    readonly detail?: string;
  }[];
}

/** Rules that every tool accepts and that fail on the stack's own series. */
const failingRules = `
groups:
  - name: failing
    interval: 1s
    limit: 1
    rules:
      - alert: TooMany
        expr: up >= 0
      - record: job:up:sum
        expr: up + on () up
  - name: templates
    interval: 1s
    rules:
      - alert: BadTemplate
        expr: vector(1)
        annotations: { summary: '{{ query "not_there" | first | value }}' }
`;

const answering = (status: string) =>
  `#!/bin/sh\nprintf 'HTTP/1.1 ${status}\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\n\\r\\nno\\n'\n`;

/** Every scenario may wait for a slow machine, and for the timeout of a stage. */
const testMs = 240_000;

describe('verify', () => {
  let stack: StackFolder;
  beforeAll(async () => {
    stack = await stackFolder();
    await stack.write(scrapesFile, scrapes);
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
  }, testMs);
  afterAll(() => stack?.[Symbol.asyncDispose](), testMs);

  const verify = async (timeout = '30s') => {
    const { exitCode, stdout, stderr } = await stack.run('verify', '--json', '--timeout', timeout);
    expect(stdout, stderr).not.toBe('');
    const result = JSON.parse(stdout) as VerifyResult;
    return { exitCode, result, stderr };
  };
  /** The only broken stage. */
  const brokenStage = async (timeout?: string): Promise<VerifyResult['stages'][number]> => {
    const { exitCode, result } = await verify(timeout);
    const [broken, ...more] = result.stages.filter(({ outcome }) => outcome === 'failed');
    expect({ exitCode, more }, JSON.stringify(result, null, 1)).toEqual({ exitCode: 1, more: [] });
    if (broken === undefined) throw new Error('no stage is broken');
    return broken;
  };
  /** Makes the stack run with these files of its own and keys of stack.yml; the other files are promstack's own. */
  const change = async (
    files: Readonly<Record<string, string>>,
    keys: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    await rm(join(stack.path, 'templates'), { recursive: true, force: true });
    for (const [file, content] of Object.entries({ [scrapesFile]: scrapes, ...files }))
      await stack.write(file, content);
    // What a web server is to run must be allowed to run.
    if (notifyFile in files) await chmod(join(stack.path, notifyFile), 0o755);
    await stack.configure(keys);
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
  };
  /** The sink with another answer; its web server goes on with the folder it was started in, so it is started again. */
  const sinkAnswers = async (script?: string): Promise<void> => {
    await change(script === undefined ? {} : { [notifyFile]: script });
    await using engine = await connect({ env: process.env });
    await engine.stopContainer(container('sink'), 0);
    await engine.startContainer(container('sink'));
  };
  const container = (service: string) => `${stack.name}-${service}`;

  it('must pass a new stack stage by stage, and leave nothing behind', { timeout: testMs }, async () => {
    const { exitCode, stdout, stderr } = await stack.run('verify');
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    const stage = (name: string) => expect.stringMatching(new RegExp(`^✔ ${name} .* (ms|s)( {2}.*)?$`));
    expect(stdout.trimEnd().split('\n')).toEqual([
      ...['network', 'route', 'pushgateway', 'prometheus', 'rule', 'rules', 'alertmanager', 'receiver', 'routes'].map(
        stage,
      ),
      expect.stringMatching(/^✔ the pipeline works \(.*\)$/),
    ]);
    await eventually(async () => expect(await getText(stack.url('pushgateway', '/metrics'))).not.toContain('canary'));
    await eventually(async () => {
      const { data } = await getJson<{ data: { alerts: unknown[] } }>(stack.url('prometheus', '/api/v1/alerts'));
      expect(data.alerts).toEqual([]);
    });
  });

  it('must delete its canary when it is interrupted', { timeout: testMs }, async () => {
    const page = () => getText(stack.url('pushgateway', '/metrics'));
    const running = stack.start(['verify']);
    await eventually(async () => expect(await page()).toContain('promstack_verify_canary'));
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    await eventually(async () => expect(await page()).not.toContain('promstack_verify_canary'));
  });

  it('must name the Pushgateway when it is stopped', { timeout: testMs }, async () => {
    await using engine = await connect({ env: process.env });
    await engine.stopContainer(container('pushgateway'), 0);
    expect(await brokenStage()).toMatchObject({
      name: 'pushgateway',
      why: 'pushgateway: its container is stopped',
      try: 'promstack start pushgateway',
    });
    await engine.startContainer(container('pushgateway'));
  });

  it('must name Prometheus when it is paused', { timeout: testMs }, async () => {
    const paused = new Docker().getContainer(container('prometheus'));
    await paused.pause();
    try {
      expect(await brokenStage()).toMatchObject({
        name: 'prometheus',
        why: 'prometheus: its container is paused',
        try: `docker unpause ${container('prometheus')}`,
      });
    } finally {
      await paused.unpause();
    }
  });

  it('must name Alertmanager when it is down', { timeout: testMs }, async () => {
    await using engine = await connect({ env: process.env });
    await engine.stopContainer(container('alertmanager'), 0);
    expect(await brokenStage()).toMatchObject({
      name: 'alertmanager',
      why: 'alertmanager: its container is stopped',
      try: 'promstack start alertmanager',
    });
    await engine.startContainer(container('alertmanager'));
  });

  it('must name Prometheus when no job scrapes the Pushgateway', { timeout: testMs }, async () => {
    await change({ [scrapesFile]: '[]\n' });
    expect(await brokenStage()).toMatchObject({
      name: 'prometheus',
      why: 'no scrape job of Prometheus has the Pushgateway as a target',
    });
  });

  it('must name Prometheus when the job does not honour labels', { timeout: testMs }, async () => {
    await change({ [scrapesFile]: scrapes.replace('  honor_labels: true\n', '') });
    expect(await brokenStage()).toMatchObject({
      name: 'prometheus',
      why: expect.stringContaining('became job="pushgateway", exported_job="promstack-verify"'),
      try: expect.stringContaining('honor_labels: true'),
    });
  });

  it('must name the rule when it has a typo', { timeout: testMs }, async () => {
    const rules = `
groups:
  - name: verify
    interval: 5s
    rules: [{ alert: PromstackVerify, expr: "promstack_verify_canry == 1", labels: { severity: info } }]
`;
    await change({ [ruleFile]: rules, [ruleTestFile]: 'rule_files: []\ntests: []\n' });
    expect(await brokenStage()).toMatchObject({
      name: 'rule',
      why: 'the expression of PromstackVerify, promstack_verify_canry == 1, does not select the canary',
    });
  });

  it('must name the routes when they lead to nobody', { timeout: testMs }, async () => {
    const team = { name: 'team', webhook_configs: [{ url: 'http://127.0.0.1:1/' }] };
    await change({}, { alertmanager: { receivers: [team, { name: 'nobody' }], route: { receiver: 'nobody' } } });
    expect(await brokenStage()).toMatchObject({
      name: 'routes',
      why: 'no route leads to a receiver with an integration: team is never notified',
    });
  });

  it('must name the receiver when the canary is routed to nobody', { timeout: testMs }, async () => {
    await change({
      'templates/alertmanager/alertmanager.yml': 'route: { receiver: void }\nreceivers: [{ name: void }]\n',
    });
    expect(await brokenStage()).toMatchObject({ name: 'receiver', why: 'Alertmanager routes it to void, not to sink' });
  });

  it('must push nothing when somebody would be notified', { timeout: testMs }, async () => {
    const yml =
      'route: { receiver: team }\nreceivers: [{ name: team, webhook_configs: [{ url: "http://127.0.0.1:1/" }] }]\n';
    await change({ 'templates/alertmanager/alertmanager.yml': yml });
    const { exitCode, result } = await verify();
    expect(exitCode).toBe(1);
    expect(result.stages.map(({ name, outcome }) => `${name} ${outcome}`).slice(0, 3)).toEqual([
      'network passed',
      'route failed',
      'pushgateway skipped',
    ]);
    expect(result.stages[1]?.why).toBe('Alertmanager would send the canary to team, so nothing was pushed');
  });

  it('must reach Alertmanager in a stack without a sink, and notify nobody', { timeout: testMs }, async () => {
    const team = { name: 'team', webhook_configs: [{ url: 'http://127.0.0.1:1/' }] };
    await change({}, { sink: { enabled: false }, alertmanager: { receivers: [team], route: { receiver: 'team' } } });
    const notifications = async () =>
      sumOf(await getText(stack.url('alertmanager', '/metrics')), 'alertmanager_notifications_total');
    const before = await notifications();
    const { exitCode, result } = await verify();
    expect(exitCode, JSON.stringify(result)).toBe(0);
    expect(result.stages.find(({ name }) => name === 'receiver')?.detail).toContain('routed to promstack-verify');
    expect(await notifications()).toBe(before);
  });

  it('must name rules and templates that fail, jobs without targets and a foreign container, as status does', {
    timeout: testMs,
  }, async () => {
    await stack.write('rules/failing.yml', failingRules);
    await change({}, { prometheus: { rules: ['rules/failing.yml'], scrape_configs: [jobWithoutTargets] } });
    const docker = new Docker();
    const foreign = await docker.createContainer({
      name: `${stack.name}-foreign`,
      Image: (await docker.getContainer(container('pushgateway')).inspect()).Image,
      HostConfig: { NetworkMode: stack.name },
      NetworkingConfig: { EndpointsConfig: { [stack.name]: { Aliases: ['alertmanager'] } } },
    });
    try {
      await foreign.start();
      const clash = expect.stringContaining(
        `${stack.name}-foreign, which is not part of the stack, answers to the name`,
      );
      await eventually(async () => {
        const { exitCode, stdout } = await stack.run('status', '--json');
        expect(exitCode).toBe(1);
        const { problems } = JSON.parse(stdout) as { problems: { severity: string; message: string }[] };
        expect(problems.map(({ severity, message }) => `${severity}: ${message}`)).toEqual(
          expect.arrayContaining([
            expect.stringContaining('answers to the name alertmanager on the network'),
            'error: the rule TooMany of group failing fails: exceeded limit of 1 with 3 alerts',
            expect.stringMatching(/^error: the rule job:up:sum of group failing fails: .*many-to-many/),
            expect.stringMatching(/^error: a template of the alert BadTemplate fails: .*first\(\) called on vector/),
            'warning: the job files has no targets: nothing was discovered',
          ]),
        );
      });
      const { exitCode, result } = await verify();
      const broken = result.stages.filter(({ outcome }) => outcome === 'failed');
      expect({ exitCode, broken }, JSON.stringify(result)).toMatchObject({
        exitCode: 1,
        broken: [
          { name: 'network', why: clash },
          { name: 'rules', why: expect.stringMatching(/^the rule .* fails: .* \(and 2 more failures\)$/) },
        ],
      });
    } finally {
      await foreign.remove({ force: true });
    }
  });

  it('must name the receiver when it answers 500', { timeout: testMs }, async () => {
    await sinkAnswers(answering('500 Internal Server Error'));
    expect(await brokenStage('15s')).toMatchObject({
      name: 'receiver',
      why: 'the receiver sink (webhook[0]) answers 500',
    });
  });

  it('must name the receiver when its secret is wrong', { timeout: testMs }, async () => {
    await sinkAnswers(answering('401 Unauthorized'));
    expect(await brokenStage('15s')).toMatchObject({
      name: 'receiver',
      why: 'the receiver sink (webhook[0]) rejects the credentials: it answers 401',
    });
  });

  it('must name the receiver when it hangs', { timeout: testMs }, async () => {
    await sinkAnswers('#!/bin/sh\nsleep 120\n');
    expect(await brokenStage('30s')).toMatchObject({
      name: 'receiver',
      why: 'the receiver sink (webhook[0]) does not answer in time',
    });
  });

  it('must pass again once everything is fixed', { timeout: testMs }, async () => {
    await sinkAnswers();
    const { exitCode, result } = await verify();
    expect(exitCode, JSON.stringify(result)).toBe(0);
  });
});
