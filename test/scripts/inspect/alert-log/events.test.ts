import { describe, expect, it } from 'vitest';
import { type AlertEvent, AlertLog } from '../../../../scripts/inspect/alert-log/events.ts';
import { failedRequests } from '../../../../scripts/inspect/alert-log/failed-requests.ts';
import { parseRecordedEvent } from '../../../../stack/alertmanager/recorded-events.ts';
import { recordedAlertLog, recordedVersions } from '../../../support/recorded-alert-log.ts';

const later = Date.parse('2027-01-01T00:00:00Z');

/** The events of the alerts with a name: what happened, to which receiver, and why. */
function eventsOf(events: readonly AlertEvent[], name: string): readonly string[] {
  return events
    .filter(({ alerts }) => alerts.some(({ labels }) => labels['alertname'] === name))
    .map((event) => {
      const { receiver, alerts, failure, suppressedBy: by, attempts } = event;
      const instances = alerts.flatMap(({ labels }) => labels['instance'] ?? []).toSorted();
      const why =
        by?.kind === 'silence'
          ? by.silence.comment
          : by?.kind === 'inhibition'
            ? `by ${by.alerts.map(({ alertname }) => alertname)}`
            : (by?.mutedBy ?? failure?.why);
      return [event.event, ...instances, receiver, why, attempts].filter((part) => part !== undefined).join(' ');
    });
}

describe.each(recordedVersions)('the alert log of Alertmanager %s', (version) => {
  const { records, lines, config } = recordedAlertLog(version);
  const events = new AlertLog(config).add(records, lines, later);

  it('must be complete over two reloads and a restart, without repetitions', () => {
    expect(eventsOf(events, 'DiskFull').toSorted()).toEqual(
      [
        'created i1',
        'created i2',
        'grouped i1 team',
        'grouped i2 team',
        'notified i1 i2 team',
        'notified i1 i2 team',
        'resolved i1 team',
        'resolved i2 team',
        'created i1',
        'grouped i1 team',
        'notified i1 team',
      ].toSorted(),
    );
    expect(events.filter(({ alerts }) => alerts.length === 0).map(({ event }) => event)).toEqual([
      'started',
      'silenceCreated',
      'stopped',
      'started',
    ]);
  });

  it('must be in the order of time', () => {
    const times = events.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('must name the silence, the inhibiting alert and the time interval that suppressed an alert', () => {
    expect(eventsOf(events, 'Quiet')).toEqual([
      'created',
      'grouped team',
      'suppressed maintenance of x',
      'notified team',
    ]);
    expect(eventsOf(events, 'Slow')).toEqual(['created', 'grouped team', 'suppressed by DiskFull', 'notified team']);
    expect(eventsOf(events, 'Night')).toEqual(['created', 'grouped team', 'suppressed team muted by always']);
    const silenced = events.find(({ suppressedBy }) => suppressedBy?.kind === 'silence');
    expect(silenced?.times).toBeGreaterThan(1);
    expect(Date.parse(silenced?.until ?? '')).toBeGreaterThan(Date.parse(silenced?.time ?? ''));
    expect(silenced?.receivers).toEqual(['team']);
    const created = events.find(
      ({ event, alerts }) => event === 'created' && alerts[0]?.labels['alertname'] === 'Denied',
    );
    expect(created?.receivers).toEqual(['denied']);
  });

  it('must have failed attempts and retries from the log', () => {
    expect(eventsOf(events, 'Flaky')).toEqual([
      'created',
      'grouped flaky',
      'failed flaky answers 503',
      'notified flaky 3',
    ]);
    expect(eventsOf(events, 'Denied')).toEqual([
      'created',
      'grouped denied',
      'failed denied rejects the credentials: it answers 401',
    ]);
  });

  it('must not show a time interval before the group was due', () => {
    const [night] = records.filter(
      (record) => record.kind === 'grouped' && record.alert.labels['alertname'] === 'Night',
    );
    const soon = new AlertLog(config).add(records, [], Date.parse(night?.time ?? '') + 100);
    expect(soon.some(({ suppressedBy }) => suppressedBy?.kind === 'timeInterval')).toBe(false);
  });

  it.each([1, 3, 10])('must be the same when it is read %i records at a time', (size) => {
    const log = new AlertLog(config);
    const parts: AlertEvent[] = [];
    for (let at = 0; at < records.length; at += size) {
      const part = records.slice(at, at + size);
      const now = Date.parse(part.at(-1)?.time ?? '');
      parts.push(
        ...log.add(
          part,
          lines.filter(({ time }) => Date.parse(time) <= now),
          now,
        ),
      );
    }
    parts.push(...log.add([], lines, later));
    const named = (all: readonly AlertEvent[]) =>
      ['DiskFull', 'Quiet', 'Slow', 'Night'].map((name) => eventsOf(all, name));
    expect(named(parts)).toEqual(named(events));
  });
});

it('an inhibiting alert that was recorded too long ago must not be made up', () => {
  const { text, config } = recordedAlertLog('0.34.0');
  const inhibited = text.split('\n').filter((line) => line.includes('inhibitionMutedAlert'));
  const records = inhibited.flatMap((line) => parseRecordedEvent(line) ?? []);
  const [event, ...others] = new AlertLog(config).add(records, [], later);
  expect(others).toEqual([]);
  expect(event?.suppressedBy).toEqual({ kind: 'inhibition', alerts: [] });
});

it('failed requests must be counted for each receiver', () => {
  const page = [
    'alertmanager_notification_requests_failed_total{integration="webhook",receiver_name="denied"} 9',
    'alertmanager_notification_requests_failed_total{integration="webhook",receiver_name="team"} 0',
    'alertmanager_notification_requests_total{integration="webhook",receiver_name="denied"} 11',
    'alertmanager_notification_requests_total{integration="webhook",receiver_name="team"} 4',
  ].join('\n');
  expect(failedRequests(page)).toEqual([{ receiver: 'denied', integration: 'webhook', failed: 9, total: 11 }]);
});
