import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { engineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { alertRule, containerIds, expectFine, expectSettled, historyOf, running } from '../support/revisions.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { watching } from '../support/watching.ts';

const keys = { prometheus: { rules: ['rules/*.yml'] } };

describe('watch', () => {
  it('must apply edits of every kind of file, including new ones', async () => {
    await using stack = await upAndRunning();
    await using watch = watching(stack);
    await watch.next('idle');

    await stack.write('rules/a.yml', alertRule('TestA'));
    expect(servicesOf(await watch.next('applied'))).toEqual(['prometheus']);
    await stack.write('rules/new.yml', alertRule('TestNew'));
    await watch.next('applied');
    expect((await running(stack)).alerts.toSorted()).toEqual(['TestA', 'TestNew']);

    await stack.configure({ ...keys, alertmanager: { route: { receiver: 'sink', group_wait: '1s' } } });
    expect(servicesOf(await watch.next('applied'))).toEqual(['alertmanager']);

    await stack.write('secrets/hook', 'http://sink:8080/\n');
    await stack.write('stack.yml', `${await stackYml(stack)}${secretReceiver}`);
    expect(servicesOf(await watch.next('applied'))).toEqual(['alertmanager']);
    await stack.write('secrets/hook', 'http://sink:8080/other\n');
    expect(servicesOf(await watch.next('applied'))).toEqual(['alertmanager']);

    await stack.write('templates/prometheus/rules/template.yml', alertRule('TestTemplate'));
    expect(servicesOf(await watch.next('applied'))).toEqual(['prometheus']);
    await stack.write('templates/prometheus/rules/template.yml', alertRule('TestTemplateAgain'));
    await watch.next('applied');
    expect((await running(stack)).alerts).toContain('TestTemplateAgain');
    await expectSettled(stack);

    // Written in place, the file is empty for a moment, which a watch may see as an edit of its own.
    await writeFile(join(stack.path, 'rules/a.yml'), alertRule('TestInPlace'));
    await eventually(async () => expect((await running(stack)).alerts).toContain('TestInPlace'));
    await eventually(() => expectSettled(stack));
  });

  it('must apply edits of further stack files and of .env, of a stack that is managed from all of them', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    await stack.write('prod.yml', prodYml('first'));
    await stack.write('.env', dotEnv('http://sink:8080/'));
    expectFine(await stack.run('up'));
    const other = await stack.run('up', '-f', 'stack.yml', '--json');
    expect(JSON.parse(other.stdout)).toMatchObject({
      ok: false,
      error: {
        why: expect.stringContaining(
          `it is managed from ${stack.path}/stack.yml with prod.yml, not from ${stack.path}/stack.yml`,
        ),
      },
    });

    await using watch = watching(stack);
    await watch.next('idle');
    await stack.write('prod.yml', prodYml('second'));
    expect(servicesOf(await watch.next('applied'))).toEqual(['prometheus']);
    expect((await running(stack)).jobs).toContain('second');
    await stack.write('.env', dotEnv('http://sink:8080/planted-path'));
    expect(servicesOf(await watch.next('applied'))).toEqual(['alertmanager']);
    await stack.write('.env', 'planted-path\n');
    expect((await watch.next('invalid')).diagnostics?.map(({ message }) => message)).toContain(
      'this line is not an assignment',
    );
    await stack.write('.env', dotEnv('http://sink:8080/planted-path'));
    await watch.next('applied');
    expect(JSON.stringify(watch.lines)).not.toContain('planted-path');
    await expectSettled(stack);
  });

  it('must keep the last valid revision after an invalid edit, report that once, and apply the next valid one, undo included', async () => {
    await using stack = await upAndRunning();
    await using watch = watching(stack);
    await watch.next('idle');
    const before = await running(stack);

    await stack.write('rules/a.yml', alertRule('TestBad', { expr: 'sum(' }));
    const wrong = await watch.next('invalid');
    expect(wrong.diagnostics).toHaveLength(1);
    // Written again, and a file that means nothing beside it: the same is not said again.
    await stack.write('rules/a.yml', alertRule('TestBad', { expr: 'sum(' }));
    await stack.write('rules/notes.txt', 'nothing');
    await watch.next('idle');
    expect(watch.lines.filter(({ kind }) => kind === 'invalid')).toHaveLength(1);
    expect(await running(stack)).toEqual(before);

    await stack.write('rules/a.yml', alertRule('TestBefore'));
    const undone = await watch.next('applied');
    expect(undone.changes).toEqual([]);
    await stack.write('rules/a.yml', alertRule('TestBad', { expr: 'sum(' }));
    await watch.next('invalid');
    await stack.write('rules/a.yml', alertRule('TestGood'));
    await watch.next('applied');
    expect((await running(stack)).alerts).toEqual(['TestGood']);
  });

  it("must run the user's tests when only they change", async () => {
    await using stack = await upAndRunning();
    const route = (receiver: string) =>
      `routes:\n  - name: the only way\n    labels: {alertname: TestBefore}\n    receivers: [${receiver}]\n`;
    await using watch = watching(stack);
    await watch.next('idle');
    await stack.write('tests/routes.yml', route('nobody'));
    expect((await watch.next('invalid')).diagnostics?.[0]?.message).toContain('nobody');
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await watch.next('idle');
    expect((await running(stack)).alerts).toEqual(['TestBefore']);
    await stack.write('tests/routes.yml', route('sink'));
    expect(servicesOf(await watch.next('applied'))).toEqual(['prometheus']);
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
  });

  it('must report an edit that needs up, and continue with the next', async () => {
    await using stack = await upAndRunning();
    await using watch = watching(stack);
    await watch.next('idle');
    await stack.configure({ prometheus: { ...keys.prometheus, retention: { time: '3d' } } });
    expect((await watch.next('failed')).error?.why).toContain('it needs more than new files');
    await stack.configure(keys);
    await watch.next('applied');
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    await watch.next('applied');
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
  });

  it('must apply the last of 200 edits in 10 seconds, with far fewer reloads, and leave nothing behind', async () => {
    await using stack = await upAndRunning();
    const containers = await containerIds(stack);
    const watch = watching(stack);
    await watch.next('idle');
    // The edits come at their times whatever the watch does: that is what is tested.
    const began = Date.now();
    for (let number = 1; number <= 200; number++) {
      await stack.write('rules/a.yml', alertRule(`Test${number}`));
      await sleep(Math.max(0, began + number * 50 - Date.now()));
    }
    await eventually(async () => expect((await running(stack)).alerts).toEqual(['Test200']));
    const reloads = watch.lines.filter(({ kind, changes }) => kind === 'applied' && changes?.length !== 0).length;
    expect(reloads).toBeLessThan(100);
    expect(watch.lines.some(({ kind }) => kind === 'invalid' || kind === 'failed')).toBe(false);

    expect((await watch.interrupt()).exitCode).toBe(130);
    expect(await containerIds(stack)).toEqual(containers);
    for (const id of Object.values(containers)) {
      const { ExecIDs: execs } = await new Docker().getContainer(id).inspect();
      expect(execs ?? []).toEqual([]);
    }
    await using engine = await connect({ env: process.env });
    const entries = await engine.getFiles(containers[`${stack.name}-prometheus`] ?? '', '/etc/promstack/releases');
    const releases = entries?.filter(({ kind, path }) => kind === 'directory' && path.split('/').length === 3) ?? [];
    expect(releases.length).toBeLessThanOrEqual(12);
    expect((await historyOf(stack)).length).toBeLessThanOrEqual(50);
    await expectSettled(stack);
  }, 120_000);

  it('must leave nothing behind when it is killed, and not block the next change', async () => {
    await using stack = await upAndRunning();
    const containers = await containerIds(stack);
    const watch = watching(stack);
    await watch.next('idle');
    await stack.write('rules/a.yml', alertRule('TestKilled'));
    await watch.next('applied');
    process.kill(watch.pid, 'SIGKILL');
    expect(await containerIds(stack)).toEqual(containers);
    await stack.write('rules/a.yml', alertRule('TestAfter'));
    expectFine(await stack.run('reload'));
    expect((await running(stack)).alerts).toEqual(['TestAfter']);
  });

  it('must survive a restart of the engine, and apply edits made during it', async () => {
    await using stack = await upAndRunning();
    await using proxy = await engineProxy();
    await using watch = watching(stack, { DOCKER_HOST: `unix://${proxy.path}` });
    await watch.next('idle');
    await stack.write('rules/a.yml', alertRule('TestBeforeRestart'));
    await watch.next('applied');

    await proxy.stop();
    await stack.write('rules/a.yml', alertRule('TestMeanwhile'));
    expect((await watch.next('postponed')).why).toContain('the engine does not answer');
    await proxy.start();
    await watch.next('applied');
    expect((await running(stack)).alerts).toEqual(['TestMeanwhile']);
    await stack.write('rules/a.yml', alertRule('TestAfterRestart'));
    await watch.next('applied');
    expect((await running(stack)).alerts).toEqual(['TestAfterRestart']);
  });

  it('must wait while another command holds the lock, and then continue', async () => {
    await using stack = await upAndRunning();
    await using watch = watching(stack);
    await watch.next('idle');
    await using engine = await connect({ env: process.env });
    const holder = { nonce: 'x', user: 'ann', host: 'elsewhere', pid: 1, command: 'up', since: '2026-01-02T03:04:05Z' };
    await engine.createVolume(`${stack.name}-lock`, {
      'dev.promstack.stack': stack.name,
      'dev.promstack.role': 'lock',
      'dev.promstack.lock': JSON.stringify(holder),
    });
    await stack.write('rules/a.yml', alertRule('TestWaiting'));
    expect((await watch.next('postponed')).why).toContain('ann@elsewhere (promstack up, pid 1');
    await engine.removeVolume(`${stack.name}-lock`);
    await watch.next('applied');
    expect((await running(stack)).alerts).toEqual(['TestWaiting']);
  });

  it('must exit when nothing is pending with --once-idle, with the outcome as its exit code', async () => {
    await using stack = await upAndRunning();
    await stack.write('rules/a.yml', alertRule('TestOnce'));
    const live = await stack.run('watch', '--once-idle');
    expectFine(live);
    expect(live.stdout).toMatch(/^\d\d:\d\d:\d\d revision \w{12} is live after .*, prometheus reloaded\n$/);
    const again = await stack.run('watch', '--once-idle');
    expectFine(again);
    expect(again.stdout).toMatch(/^\d\d:\d\d:\d\d revision \w{12} runs\n$/);
    await stack.write('rules/a.yml', alertRule('TestBad', { expr: 'sum(' }));
    const wrong = await stack.run('watch', '--once-idle');
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stdout).toBe('');
    expect(wrong.stderr).toContain('rules/a.yml:5:');
    expect(wrong.stderr).toContain('not applied; the previous revision keeps running');
  });
});

const secretReceiver = `  receivers:
    - name: hook
      webhook_configs:
        - url: !file secrets/hook
`;

/** A file that is merged over stack.yml. */
function prodYml(job: string): string {
  const receivers = '[{name: hook, webhook_configs: [{url: !env HOOK}]}]';
  return `prometheus: {scrape_configs: [{job_name: ${job}}]}\nalertmanager: {route: {receiver: hook}, receivers: ${receivers}}\n`;
}

function dotEnv(hook: string): string {
  return `PROMSTACK_FILE=stack.yml:prod.yml\nHOOK=${hook}\n`;
}

async function upAndRunning(): Promise<StackFolder> {
  const stack = await stackFolder(keys);
  await stack.write('rules/a.yml', alertRule('TestBefore'));
  expectFine(await stack.run('up'));
  return stack;
}

/** A stack.yml whose last section is Alertmanager's. */
async function stackYml(stack: StackFolder): Promise<string> {
  const { name, ports } = stack;
  return [
    `name: ${name}`,
    'images: {source: auto}',
    'grafana: {enabled: false}',
    `sink: {enabled: true, port: ${ports.sink}}`,
    `pushgateway: {port: ${ports.pushgateway}}`,
    `prometheus: {port: ${ports.prometheus}, rules: [rules/*.yml]}`,
    'alertmanager:',
    `  port: ${ports.alertmanager}`,
    '',
  ].join('\n');
}

function servicesOf({ changes = [] }: { changes?: readonly { service: string; action: string }[] }): readonly string[] {
  return changes.filter(({ action }) => action !== 'none').map(({ service }) => service);
}
