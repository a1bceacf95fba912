import { describe, expect, it } from 'vitest';
import { alertsByRoute, RouteTree, toPageAlerts, toPageSilences } from '../../../scripts/ui/alerts-part.ts';

const file = {
  route: {
    receiver: 'all',
    routes: [
      { receiver: 'page', matchers: ['severity="page"'], continue: true, mute_time_intervals: ['saturdays'] },
      { receiver: 'mail', matchers: ['severity=~"page|mail"'] },
    ],
  },
  time_intervals: [{ name: 'saturdays', time_intervals: [{ weekdays: ['saturday'] }] }],
};
const tree = new RouteTree({ file, receivers: [], isLive: true });
const [saturday, sunday] = [new Date('2026-01-31T12:00:00Z'), new Date('2026-02-01T12:00:00Z')];

const running = { annotations: { summary: 'a disk' }, state: 'firing', activeAt: '2026-01-31T11:00:00Z' };
const active = {
  receivers: [{ name: 'page' }, { name: 'mail' }],
  status: { silencedBy: [], inhibitedBy: [], mutedBy: [] },
};
const silence = {
  id: 'e7c8b6f2-0000-4000-8000-000000000000',
  status: { state: 'active' },
  matchers: [{ name: 'alertname', operator: '=', value: 'DiskFull' }],
  startsAt: '2026-01-31T11:00:00Z',
  endsAt: '2026-01-31T13:00:00Z',
  createdBy: 'ann@ops',
  comment: 'moving disks',
} as const;

describe('the alerts of a page', () => {
  const labels = { alertname: 'DiskFull', severity: 'page', instance: 'a' };

  it('must be one of Prometheus and Alertmanager, which adds external labels', () => {
    const external = { ...labels, cluster: 'eu' };
    const alerts = toPageAlerts(
      [{ ...running, labels }],
      {
        alerts: [
          { ...active, labels: { ...external, instance: 'b' } },
          { ...active, labels: external },
        ],
        silences: [],
      },
      tree,
      sunday,
    );
    expect(alerts).toMatchObject([
      {
        name: 'DiskFull',
        activity: 'firing',
        labels: external,
        routes: ['0.0', '0.1'],
        receivers: ['page', 'mail'],
        mutedBy: [],
      },
      { activity: 'active', labels: { instance: 'b' } },
    ]);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(2);
  });

  it('must say what mutes them: silence, inhibiting alert, time interval', () => {
    const down = { ...active, fingerprint: 'f1', labels: { alertname: 'HostDown', instance: 'a' } };
    const status = { silencedBy: [silence.id], inhibitedBy: ['f1', 'f2'], mutedBy: [] };
    const [alert] = toPageAlerts(
      [{ ...running, labels }],
      { alerts: [down, { ...active, labels, status }], silences: [silence] },
      tree,
      saturday,
    );
    expect(alert?.mutedBy).toEqual([
      { kind: 'silence', id: silence.id, text: 'silenced by ann@ops: moving disks' },
      { kind: 'inhibition', text: 'inhibited by HostDown {instance="a"}' },
      { kind: 'inhibition', text: 'inhibited by another alert' },
      { kind: 'time interval', text: 'muted by saturdays', receivers: ['page'] },
    ]);
  });

  it('must be counted at the routes that they take', () => {
    const alerts = toPageAlerts([{ ...running, labels }], { alerts: [], silences: [] }, tree, saturday);
    expect(tree.items(saturday, alertsByRoute(alerts))).toMatchObject([
      { id: '0', parent: undefined, receiver: 'all', alerts: 0 },
      {
        id: '0.0',
        parent: '0',
        matchers: ['severity="page"'],
        continues: true,
        mutedBy: 'muted by saturdays',
        alerts: 1,
      },
      { id: '0.1', parent: '0', receiver: 'mail', alerts: 1 },
    ]);
  });

  it('must be one where Prometheus evaluates it, and none when it is inactive', () => {
    const states = ['pending', 'inactive', 'firing'] as const;
    const alerts = states.map((state) => ({ ...running, state, labels: { alertname: state } }));
    const shown = toPageAlerts(alerts, { alerts: [], silences: [] }, undefined, sunday);
    expect(shown.map(({ name, activity, receivers }) => ({ name, activity, receivers }))).toEqual([
      { name: 'pending', activity: 'pending', receivers: [] },
      { name: 'firing', activity: 'firing', receivers: [] },
    ]);
  });
});

it('the silences of a page must be those that are or will be in force', () => {
  const expired = { ...silence, status: { state: 'expired' } } as const;
  expect(toPageSilences([expired, silence])).toEqual([
    {
      ...{
        id: silence.id,
        state: 'active',
        matchers: ['alertname="DiskFull"'],
        by: 'ann@ops',
        comment: 'moving disks',
      },
      ...{ startsAt: Date.parse(silence.startsAt), endsAt: Date.parse(silence.endsAt) },
    },
  ]);
});
