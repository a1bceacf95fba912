import { describe, expect, it } from 'vitest';
import { inhibitionsOf } from '../../../stack/alertmanager/inhibition.ts';
import { explainFailure, readNotifyFailure } from '../../../stack/alertmanager/notify-failures.ts';
import { intervalsAt } from '../../../stack/alertmanager/time-intervals.ts';

describe('time intervals', () => {
  const config = {
    time_intervals: [
      { name: 'weekend', time_intervals: [{ weekdays: ['saturday', 'sunday'], location: 'Europe/Berlin' }] },
      {
        name: 'office',
        time_intervals: [{ weekdays: ['monday:friday'], times: [{ start_time: '09:00', end_time: '17:00' }] }],
      },
      { name: 'end-of-month', time_intervals: [{ days_of_month: ['-3:-1'] }] },
      { name: 'summer', time_intervals: [{ months: ['june:august'], years: ['2026:2027'] }] },
      { name: 'always', time_intervals: [{}] },
      { name: 'never', time_intervals: [] },
    ],
  };
  it.each([
    ['2026-01-30T22:59:00Z', ['end-of-month', 'always']],
    // Saturday has begun in Berlin.
    ['2026-01-30T23:00:00Z', ['weekend', 'end-of-month', 'always']],
    ['2026-07-01T09:00:00Z', ['office', 'summer', 'always']],
    ['2026-07-01T17:00:00Z', ['summer', 'always']],
    ['2028-02-27T12:00:00Z', ['weekend', 'end-of-month', 'always']],
    ['2028-02-24T08:59:00Z', ['always']],
  ])('at %s must be %j', (at, expected) => {
    expect(intervalsAt(config, new Date(at))).toEqual(expected);
  });
});

describe('an inhibit rule', () => {
  const rules = [
    { source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: ['host', 'rack'] },
  ];

  it('must apply only to alerts that match its targets', () => {
    expect(inhibitionsOf(rules, { severity: 'critical', host: 'a' }, [])).toEqual([]);
    expect(inhibitionsOf(rules, { severity: 'warning', host: 'a' }, [])).toEqual([
      {
        source: [{ name: 'severity', operator: '=', value: 'critical' }],
        equal: ['host', 'rack'],
        by: undefined,
      },
    ]);
  });

  it('must name the inhibiting alert, whose equal labels match, absent ones too', () => {
    const others = [
      { severity: 'critical', host: 'b' },
      { severity: 'critical', host: 'a', alertname: 'Down' },
    ];
    const [inhibition] = inhibitionsOf(rules, { severity: 'warning', host: 'a' }, others);
    expect(inhibition?.by).toEqual(others[1]);
  });

  it('must not let alerts that match both sides inhibit each other', () => {
    const both = [{ source_matchers: ['host="a"'], target_matchers: ['host="a"'] }];
    expect(inhibitionsOf(both, { host: 'a' }, [{ host: 'a', alertname: 'Other' }])[0]?.by).toBeUndefined();
  });
});

describe('a failed notification', () => {
  const attempt = (err: string) =>
    `time=2026-01-01T00:00:00Z level=WARN source=notify.go:1 msg="Notify attempt failed, will retry later" component=dispatcher receiver=team integration=webhook[0] aggrGroup="{}:{a=\\"b\\"}" attempts=1 err="${err}"`;

  it('must be parsed from a retried attempt and from a final failure', () => {
    expect(readNotifyFailure(attempt('unexpected status code 500: http://x/: no'))).toEqual({
      receiver: 'team',
      integration: 'webhook[0]',
      error: 'unexpected status code 500: http://x/: no',
      isFinal: false,
      group: '{}:{a="b"}',
    });
    const line =
      'level=ERROR msg="Notify for alerts failed" component=dispatcher num_alerts=1 err="on/call/slack[1]: notify retry canceled due to unrecoverable error after 1 attempts: unexpected status code 401"';
    expect(readNotifyFailure(line)).toMatchObject({ receiver: 'on/call', integration: 'slack[1]', isFinal: true });
    expect(readNotifyFailure('level=INFO msg="Listening on" address=[::]:9093')).toBeUndefined();
  });

  it.each([
    ['unexpected status code 500: http://x', 'answers 500'],
    ['unexpected status code 403: http://x', 'rejects the credentials: it answers 403'],
    ['Post \\"http://x\\": context deadline exceeded', 'does not answer in time'],
    [
      'Post \\"http://x/\\": dial tcp: lookup x on 10.0.0.2:53: read udp 10.0.0.3:4242->10.0.0.2:53: i/o timeout',
      'is unreachable: the name x cannot be resolved: Post "http://x/": dial tcp: lookup x on 10.0.0.2:53: read udp 10.0.0.3:4242->10.0.0.2:53: i/o timeout',
    ],
    [
      'dial tcp: lookup x: no such host',
      'is unreachable: the name x cannot be resolved: dial tcp: lookup x: no such host',
    ],
    ['dial tcp 10.0.0.1:443: i/o timeout', 'is unreachable: dial tcp 10.0.0.1:443: i/o timeout'],
    [
      'dial tcp 10.0.0.1:1: connect: connection refused',
      'is unreachable: dial tcp 10.0.0.1:1: connect: connection refused',
    ],
    [
      'Post \\"<redacted>\\": dial tcp 10.0.0.1:1: connect: connection refused',
      'is unreachable: dial tcp 10.0.0.1:1: connect: connection refused',
    ],
    ['cannot render', 'did not accept the notification: cannot render'],
  ])('by %s must be explained', (error, why) => {
    const failure = readNotifyFailure(attempt(error));
    expect(failure && explainFailure(failure).why).toBe(`the receiver team (webhook[0]) ${why}`);
  });
});
