import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { historyOf } from '../support/revisions.ts';
import { getJson } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const testMs = 180_000;

describe('alert test and silence', () => {
  let stack: StackFolder;
  beforeAll(async () => {
    stack = await stackFolder({
      alertmanager: {
        receivers: [
          { name: 'chat', webhook_configs: [{ url: 'http://sink:8080/cgi-bin/notify' }] },
          { name: 'closed', webhook_configs: [{ url: 'http://127.0.0.1:9/' }] },
          { name: 'oncall', webhook_configs: [{ url: 'http://sink:8080/cgi-bin/nothing' }] },
        ],
        route: {
          receiver: 'chat',
          group_by: ['alertname'],
          group_wait: '0s',
          group_interval: '10s',
          routes: [
            { matchers: ['team="closed"'], receiver: 'closed', group_wait: '3s' },
            { matchers: ['severity="critical"'], receiver: 'oncall', continue: true },
            { matchers: ['severity=~"critical|warning"'], receiver: 'chat', mute_time_intervals: ['never'] },
            { matchers: ['team="night"'], receiver: 'chat', mute_time_intervals: ['always'] },
          ],
        },
        inhibit_rules: [
          { source_matchers: ['alertname="Outage"'], target_matchers: ['severity="critical"'], equal: ['host'] },
        ],
        time_intervals: [
          { name: 'always', time_intervals: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }] },
          { name: 'never', time_intervals: [{ years: ['1999'] }] },
        ],
      },
    });
  });
  afterAll(() => stack?.[Symbol.asyncDispose](), testMs);

  const up = async () => {
    const { exitCode, stderr } = await stack.run('up');
    expect(exitCode, stderr).toBe(0);
  };

  it('must trace an alert through stack.yml while nothing runs', { timeout: testMs }, async () => {
    const { exitCode, stdout } = await stack.run('alert', 'test', '--label', 'severity=critical');
    expect(exitCode).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "{alertname="PromstackTest", severity="critical"}  (routing of stack.yml: Alertmanager does not answer)

      │  all alerts                                              chat
         ├─ alertname="PromstackVerify", job="promstack-verify"  sink
         ├─ team="closed"                                        closed
      ➜  ├─ severity="critical" (continue)                       oncall
      ➜  ├─ severity=~"critical|warning"                         chat
         └─ team="night"                                         chat

      ✔ oncall is notified via webhook  group_by [alertname], group_wait 0s, group_interval 10s, repeat_interval 4h
      ✔ chat is notified via webhook  group_by [alertname], group_wait 0s, group_interval 10s, repeat_interval 4h
        would be inhibited by an alert with alertname="Outage" and equal host
        silences are unknown while Alertmanager does not answer
      "
    `);
  });

  it('must not take the notification of another receiver for its own', { timeout: testMs }, async () => {
    await up();
    const sent = stack.run('alert', 'test', '--label', 'team=closed', '--send', '--timeout', '20s', '--json');
    const another = await stack.run('alert', 'test', '--label', 'alertname=Another', '--send', '--timeout', '30s');
    expect(another.exitCode, another.stdout + another.stderr).toBe(0);
    const { exitCode, stdout } = await sent;
    expect(exitCode, stdout).toBe(1);
    expect((JSON.parse(stdout) as { deliveries: unknown }).deliveries).toMatchObject([
      { receiver: 'closed', outcome: 'failed', why: expect.stringContaining('connection refused') },
    ]);
  });

  it('must send an alert and report which receivers were notified, and why others were not', {
    timeout: testMs,
  }, async () => {
    await up();
    const good = await stack.run('alert', 'test', '--label', 'alertname=Fine', '--send', '--timeout', '30s');
    expect(good.exitCode, good.stdout + good.stderr).toBe(0);
    expect(good.stdout).toContain('(routing of the running Alertmanager)');
    expect(good.stdout).toMatch(/✔ delivered to chat via webhook\[0\]\n$/);
    await eventually(async () =>
      expect((await stack.run('logs', '--raw', 'sink')).stdout).toContain('"alertname":"Fine"'),
    );

    const bad = await stack.run(
      'alert',
      'test',
      '--label',
      'severity=critical',
      '--send',
      '--timeout',
      '30s',
      '--json',
    );
    expect(bad.exitCode, bad.stdout + bad.stderr).toBe(1);
    expect((JSON.parse(bad.stdout) as { deliveries: unknown }).deliveries).toMatchObject([
      { receiver: 'oncall', integration: 'webhook[0]', outcome: 'failed', why: expect.stringMatching(/answers 40\d$/) },
      { receiver: 'chat', integration: 'webhook[0]', outcome: 'delivered' },
    ]);
    // verify reports the failure of a receiver too.
    const verified = await stack.run('verify');
    expect(verified.exitCode).toBe(1);
    expect(verified.stdout).toMatch(/✖ routes .*\n {4}the receiver oncall \(webhook\[0\]\) answers 40\d \(.* ago\)\n/s);
  });

  it('must report what mutes, inhibits or silences an alert', { timeout: testMs }, async () => {
    const muted = await stack.run('alert', 'test', '--label', 'team=night', '--send');
    expect({ exitCode: muted.exitCode, stdout: muted.stdout }).toEqual({
      exitCode: 1,
      stdout: expect.stringContaining('! chat is not notified: it is muted by always\n'),
    });
    await stack.run('alert', 'test', '-l', 'alertname=Outage', '-l', 'host=a', '--send', '--timeout', '30s');
    const inhibited = await stack.run('alert', 'test', '-l', 'severity=critical', '-l', 'host=a');
    expect(inhibited.stdout).toContain('! inhibited by {alertname="Outage", host="a"}\n');

    const added = await stack.run(
      'silence',
      'add',
      'DiskFull',
      'host=~"a.*"',
      '--comment',
      'moving disks',
      '--author',
      'me',
      '--json',
    );
    expect(added.exitCode, added.stderr).toBe(0);
    const { id } = JSON.parse(added.stdout) as { id: string };
    const silenced = await stack.run('alert', 'test', '-l', 'alertname=DiskFull', '-l', 'host=ab');
    expect(silenced.stdout).toMatch(/! chat would be notified via webhook/);
    expect(silenced.stdout).toMatch(
      new RegExp(`! silenced until .* by me: moving disks\n {4}try: promstack silence expire ${id}\n`),
    );
    const other = await stack.run('alert', 'test', '-l', 'alertname=DiskFull', '-l', 'host=b');
    expect(other.stdout).not.toContain('silenced');

    expect((await stack.run('silence', 'list')).stdout).toContain(`${id}  alertname="DiskFull" host=~"a.*"  in`);
    expect(await getJson(stack.url('alertmanager', `/api/v2/silence/${id}`))).toMatchObject({
      createdBy: 'me',
      comment: 'moving disks',
      status: { state: 'active' },
    });
    const expired = await stack.run('silence', 'expire', id, '--json');
    expect(JSON.parse(expired.stdout)).toMatchObject({ ok: true, stack: stack.name, expired: [id] });
    expect((await stack.run('silence', 'expire', id)).stderr).toBe(`${id} had already expired\n`);
    expect(JSON.parse((await stack.run('silence', 'list', '--json')).stdout)).toMatchObject({ silences: [] });
    expect((await stack.run('silence', 'list', '--json', '--expired')).stdout).toContain(id);

    expect((await stack.run('silence', 'add', 'DiskFull', '--comment', 'mine')).exitCode).toBe(0);
    const [first] = await historyOf(stack);
    expect(JSON.parse((await stack.run('silence', 'list', '--json')).stdout)).toMatchObject({
      silences: [
        {
          state: 'active',
          createdBy: first?.user,
          matchers: [{ name: 'alertname', value: 'DiskFull', isRegex: false, isEqual: true }],
        },
      ],
    });
  });

  it('must refuse an invalid matcher and an unknown silence', { timeout: testMs }, async () => {
    const wrong = await stack.run('silence', 'add', 'alertname=Foo', 'severity', '--comment', 'x');
    expect({ exitCode: wrong.exitCode, stderr: wrong.stderr }).toEqual({
      exitCode: 2,
      stderr: '✖ severity is not a matcher\n  write name=value, with =, !=, =~ or !~\n',
    });
    const gone = await stack.run('silence', 'expire', 'nope');
    expect({ exitCode: gone.exitCode, stderr: gone.stderr }).toEqual({
      exitCode: 1,
      stderr: '✖ expiring silences: no silence has the ID nope; nothing was changed\n  try: promstack silence list\n',
    });
  });
});
