import { expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

interface LoggedEvent {
  readonly event: string;
  readonly time: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly status: string }[];
  readonly receiver?: string;
  readonly suppressedBy?: Readonly<Record<string, unknown>>;
  readonly failure?: { readonly why: string };
}

const receivers = {
  receivers: [{ name: 'dead', webhook_configs: [{ url: 'http://127.0.0.1:1/' }] }],
  time_intervals: [{ name: 'always', time_intervals: [{ years: ['2020:2099'] }] }],
  inhibit_rules: [
    { source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: ['job'] },
  ],
};
const routes = [
  { receiver: 'dead', matchers: ['alertname="Dead"'] },
  { receiver: 'sink', matchers: ['alertname="Night"'], mute_time_intervals: ['always'] },
];
const route = { receiver: 'sink', group_by: ['alertname'], group_wait: '1s', group_interval: '2s', routes };
const alone = { prometheus: { enabled: false }, pushgateway: { enabled: false } };

const log = async (stack: StackFolder, ...args: readonly string[]): Promise<readonly LoggedEvent[]> => {
  const { stdout } = await stack.run('alert', 'log', '--json', ...args);
  return JSON.parse(stdout).events;
};

/** The events of an alert, without what is different in each run. */
const eventsOf = (events: readonly LoggedEvent[], name: string): readonly string[] =>
  events
    .filter(({ alerts }) => alerts.some(({ labels }) => labels['alertname'] === name))
    .map(({ event, receiver, suppressedBy, failure, alerts }) => {
      const by = suppressedBy && String(suppressedBy['comment'] ?? suppressedBy['mutedBy'] ?? suppressedBy['kind']);
      const status = event === 'notified' ? alerts.map((alert) => alert.status).join() : undefined;
      return [event, receiver, status, by, failure?.why].filter((part) => part !== undefined).join(' ');
    });

it('the alert log must be complete and in order over two reloads, a restart, a silence and an inhibition', async ({
  skip,
}) => {
  if (!isFull) skip('only `npm run test:full` runs it');
  await using stack = await stackFolder({ ...alone, alertmanager: { route, ...receivers } });
  expectFine(await stack.run('up'));
  expectFine(await stack.run('silence', 'add', 'alertname=Quiet', '--comment', 'maintenance'));
  const send = async (labels: Readonly<Record<string, string>>, more: object = {}): Promise<void> => {
    const body = JSON.stringify([{ labels, ...more }]);
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(stack.url('alertmanager', '/api/v2/alerts'), { method: 'POST', headers, body });
    expect(status).toBe(200);
  };
  const logged = async (name: string, last: string): Promise<void> => {
    await expect
      .poll(async () => eventsOf(await log(stack), name).at(-1), { timeout: 120_000, interval: 500 })
      .toContain(last);
  };
  await send({ alertname: 'Full', severity: 'critical', job: 'a' });
  await logged('Full', 'notified sink firing');
  await send({ alertname: 'Slow', severity: 'warning', job: 'a' });
  for (const alertname of ['Quiet', 'Night', 'Dead']) await send({ alertname });
  await logged('Slow', 'suppressed inhibition');
  await logged('Quiet', 'suppressed maintenance');
  await logged('Night', 'suppressed sink muted by always');
  await logged('Dead', 'failed dead');

  const reload = async (repeat_interval: string): Promise<void> => {
    await stack.configure({ ...alone, alertmanager: { route: { ...route, repeat_interval }, ...receivers } });
    expectFine(await stack.run('reload'));
  };
  await reload('2h');
  await reload('3h');
  await send(
    { alertname: 'Full', severity: 'critical', job: 'a' },
    { endsAt: new Date(Date.now() - 1000).toISOString() },
  );
  await logged('Full', 'resolved sink');
  await logged('Slow', 'notified sink firing');
  expectFine(await stack.run('stop', 'alertmanager'));
  // The file of a stopped container can be read too.
  expect(eventsOf(await log(stack), 'Full')).toContain('resolved sink');
  expectFine(await stack.run('start', 'alertmanager'));
  await send({ alertname: 'Full', severity: 'critical', job: 'a' });
  await logged('Full', 'notified sink firing');

  const events = await log(stack);
  const times = events.map(({ time }) => Date.parse(time));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const once = ['created', 'grouped sink', 'notified sink firing'];
  expect(eventsOf(events, 'Full')).toEqual([...once, 'notified sink resolved', 'resolved sink', ...once]);
  expect(eventsOf(events, 'Slow')).toEqual([
    'created',
    'grouped sink',
    'suppressed inhibition',
    'notified sink firing',
  ]);
  expect(eventsOf(events, 'Quiet')).toEqual(['created', 'grouped sink', 'suppressed maintenance']);
  expect(events.flatMap(({ event }) => (event === 'started' || event === 'stopped' ? [event] : []))).toEqual([
    'started',
    'stopped',
    'started',
  ]);
  const named = ['--alert', 'Dead', '--receiver', 'dead', '--name', stack.name];
  expect(eventsOf(await log(stack, ...named), 'Dead').slice(0, 2)).toEqual(['created', 'grouped dead']);
  expect((await stack.run('alert', 'log', '--alert', 'Ful')).stderr).toContain('did you mean Full?');
}, 600_000);

it('alerts must be recorded as long as the version of the image can, over an upgrade and a rollback', async ({
  skip,
}) => {
  if (!isFull) skip('only `npm run test:full` runs it');
  const withHistory = { pushgateway: { enabled: false } };
  await using stack = await stackFolder();
  await using engine = await connect({
    env: process.env,
    signal: AbortSignal.timeout(600_000),
    report: () => undefined,
  });
  const flags = async () => (await engine.findContainer(`${stack.name}-alertmanager`))?.labels['dev.promstack.spec'];
  const refusal = { exitCode: 1, stderr: expect.stringContaining('does not record alerts') };
  const old = `test/alertmanager:v0.32.1-${stack.name}`;
  await stack.configure(withHistory);
  expectFine(await stack.run('up'));
  const image = (await engine.findContainer(`${stack.name}-alertmanager`))?.image ?? '';
  await engine.tagImage(image, old);
  try {
    const downgrade = async (): Promise<void> => {
      await stack.configure({ ...withHistory, alertmanager: { image: old } });
      expectFine(await stack.run('up'));
      expect(await flags()).not.toContain('event-recorder');
      expect(await stack.run('alert', 'log')).toMatchObject(refusal);
    };
    await downgrade();
    // The files of before are for a version that records alerts: nothing is switched.
    const before = (await stack.run('history')).stdout;
    expect(await stack.run('rollback', '--yes')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /rolling back to .*needs Alertmanager 0\.33 or newer, and test\/alertmanager:v0\.32\.1/,
      ),
    });
    expect((await stack.run('history')).stdout.match(/refused/g)).toEqual(before.match(/refused/g));
    await stack.configure(withHistory);
    expectFine(await stack.run('up'));
    expect(await flags()).toContain('event-recorder');
    expect((await log(stack)).at(-1)).toMatchObject({ event: 'started' });
    // A rollback restores files and no flags.
    expectFine(await stack.run('rollback', '--yes'));
    expect(await stack.run('alert', 'log')).toMatchObject(refusal);
    expectFine(await stack.run('up'));
    expect((await log(stack)).map(({ event }) => event)).toContain('stopped');
    await downgrade();
    await stack.configure({ ...withHistory, alertmanager: { image: old, alert_log: true } });
    expectFine(await stack.run('up'));
    expect((await log(stack)).at(-1)).toMatchObject({ event: 'started' });
  } finally {
    await stack.run('down', '--yes');
    await engine.removeImage(old);
  }
}, 600_000);
