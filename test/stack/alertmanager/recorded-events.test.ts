import { describe, expect, it } from 'vitest';
import { parseRecordedEvent } from '../../../stack/alertmanager/recorded-events.ts';
import { recordedAlertLog, recordedVersions } from '../../support/recorded-alert-log.ts';

const grouped = (data: object): string =>
  JSON.stringify({ '@timestamp': '2026-01-01T00:00:00.123456789Z', instance: 'a', data });

describe('a record of Alertmanager', () => {
  it.each(recordedVersions)('must be read from each line that %s wrote', (version) => {
    const { text, records } = recordedAlertLog(version);
    expect(records).toHaveLength(text.trimEnd().split('\n').length);
    expect(new Set(records.map(({ kind }) => kind))).toEqual(
      new Set([
        'started',
        'stopped',
        'created',
        'grouped',
        'notified',
        'resolved',
        'silenceCreated',
        'silenced',
        'inhibited',
      ]),
    );
    expect(records.find(({ kind }) => kind === 'notified')).toMatchObject({
      alerts: [
        { labels: { alertname: 'DiskFull', instance: 'i1' }, isResolved: false },
        { labels: { alertname: 'DiskFull', instance: 'i2' }, isResolved: false },
      ],
      group: { key: '{}:{alertname="DiskFull"}', labels: { alertname: 'DiskFull' } },
      receiver: 'team',
      integration: 'webhook[0]',
      reason: 'first notification',
    });
  });

  it.each(recordedVersions)('must be read alike when %s has keys in snake_case', (version) => {
    const { text, records } = recordedAlertLog(version);
    const snake = text.replaceAll(/"([a-z]+(?:[A-Z][a-z]+)+)":/g, (_, key: string) => {
      return `"${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}":`;
    });
    expect(snake).toContain('"group_info":');
    expect(snake.split('\n').flatMap((line) => parseRecordedEvent(line) ?? [])).toEqual(records);
  });

  it('must have the index of an integration that is not the first', () => {
    const [line = ''] = recordedAlertLog('0.34.0')
      .text.split('\n')
      .filter((text) => text.includes('"notification"'));
    const second = line.replace('"integration":{"name":"webhook"}', '"integration":{"name":"webhook","index":"1"}');
    expect(parseRecordedEvent(second)).toMatchObject({ integration: 'webhook[1]' });
  });

  it.each([
    ['no JSON', 'time=2026 level=INFO'],
    ['half a line', grouped({ alertmanagerShutdownEvent: {} }).slice(0, -5)],
    ['a number', '7'],
    ['an unknown kind', grouped({ alertEscalated: {} })],
    ['the name of what every object has', grouped({ constructor: {} })],
    ['no kind', grouped({})],
    ['another shape', grouped({ alertCreated: { alert: 'DiskFull' } })],
    ['no time', JSON.stringify({ data: { alertmanagerShutdownEvent: {} } })],
  ])('must not be read from %s', (_, line) => {
    expect(parseRecordedEvent(line)).toBeUndefined();
  });
});
