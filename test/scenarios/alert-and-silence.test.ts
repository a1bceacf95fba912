import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
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
          { name: 'oncall', webhook_configs: [{ url: 'http://sink:8080/cgi-bin/nothing' }] },
        ],
        route: {
          receiver: 'chat',
          group_by: ['alertname'],
          group_wait: '0s',
          group_interval: '10s',
          routes: [
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

  it('must show the way of an alert by stack.yml while nothing runs', { timeout: testMs }, async () => {
    const { exitCode, stdout } = await stack.run('alert', 'test', '--label', 'severity=critical');
    expect(exitCode).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "{alertname="PromstackTest", severity="critical"}  (as stack.yml routes it: Alertmanager does not answer)

      │  all alerts                                              chat
         ├─ alertname="PromstackVerify", job="promstack-verify"  sink
      ➜  ├─ severity="critical" (continue)                       oncall
      ➜  ├─ severity=~"critical|warning"                         chat
         └─ team="night"                                         chat

      ✔ oncall is told by webhook  grouped by alertname; after 0s, then every 10s, again after 4h
      ✔ chat is told by webhook  grouped by alertname; after 0s, then every 10s, again after 4h
        would be inhibited by an alert with alertname="Outage", with the same host
        silences are known to the running Alertmanager alone
      "
    `);
  });

  it('must send an alert and say who got it and who did not, and why', { timeout: testMs }, async () => {
    await up();
    const good = await stack.run('alert', 'test', '--label', 'alertname=Fine', '--send', '--timeout', '30s');
    expect(good.exitCode, good.stdout + good.stderr).toBe(0);
    expect(good.stdout).toContain('(as the running Alertmanager routes it)');
    expect(good.stdout).toMatch(/✔ delivered to chat by webhook\[0\]\n$/);
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
    // The failure of a receiver that people are told by is the drill's to say too.
    const drill = await stack.run('verify');
    expect(drill.exitCode).toBe(1);
    expect(drill.stdout).toMatch(/✖ routes .*\n {4}the receiver oncall \(webhook\[0\]\) answers 40\d \(.* ago\)\n/);
  });

  it('must say what mutes, inhibits or silences an alert', { timeout: testMs }, async () => {
    const muted = await stack.run('alert', 'test', '--label', 'team=night', '--send');
    expect({ exitCode: muted.exitCode, stdout: muted.stdout }).toEqual({
      exitCode: 1,
      stdout: expect.stringContaining('! chat is not told: it is muted by always\n'),
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
    expect(silenced.stdout).toMatch(/! chat would be told by webhook/);
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
    const expired = await stack.run('silence', 'expire', id);
    expect({ exitCode: expired.exitCode, stderr: expired.stderr }).toEqual({ exitCode: 0, stderr: `expired ${id}\n` });
    expect((await stack.run('silence', 'list', '--json')).stdout).toBe('[]\n');
    expect((await stack.run('silence', 'list', '--json', '--expired')).stdout).toContain(id);
  });

  it('must refuse what is no matcher and name a silence that is not there', { timeout: testMs }, async () => {
    const wrong = await stack.run('silence', 'add', 'alertname=Foo', 'severity', '--comment', 'x');
    expect({ exitCode: wrong.exitCode, stderr: wrong.stderr }).toEqual({
      exitCode: 2,
      stderr: '✖ severity is not a matcher\n  name=value, with =, !=, =~ or !~ between the two\n',
    });
    const gone = await stack.run('silence', 'expire', 'nope');
    expect({ exitCode: gone.exitCode, stderr: gone.stderr }).toEqual({
      exitCode: 1,
      stderr: '✖ expiring silences: there is no silence nope; nothing was changed\n  try: promstack silence list\n',
    });
  });
});
