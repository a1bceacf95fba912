import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grafanaConfig } from '../../stack/grafana/config.ts';
import { timezoneProblems } from '../../stack/problems.ts';
import { closest, editDistance } from '../../stack/values/closest.ts';
import { toResources } from '../../stack/values/container.ts';
import { duration, externalUrl, resources } from '../../stack/values/schemas.ts';
import { parseDuration, parseSize } from '../../stack/values/units.ts';
import { andList, describeValue, orList } from '../../stack/values/words.ts';

describe('a duration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['15s', 15_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['1y2w3d4h5m6s7ms', 33_019_506_007],
    ['292y', 9_208_512_000_000],
    ['9223372036854ms', 9_223_372_036_854],
  ])('%s must be read', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '15',
    '1.5h',
    '5 m',
    '5m1h',
    '1h1h',
    '-5m',
    'm',
    's5',
    '5M',
    '5min',
    '9223372036855ms',
    '293y',
    '300000y',
  ])('%j must be refused', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

test('a duration of stack.yml must not be longer than Prometheus accepts', () => {
  expect(duration.safeParse('292y').success).toBe(true);
  expect(duration.safeParse('293y').error?.issues.map(({ message }) => message)).toEqual([
    'expected a duration such as 15s, 5m or 1h30m, got the string "293y"',
  ]);
});

describe('a size', () => {
  test.each([
    ['0B', 0],
    ['1KB', 1024],
    ['512MB', 536_870_912],
    ['20GB', 21_474_836_480],
    ['20GiB', 21_474_836_480],
    ['1.5GB', 1_610_612_736],
    ['1GB512MB', 1_610_612_736],
    ['0', 0],
    ['7EB', 7 * 2 ** 60],
  ])('%s must be read', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', '20', '20G', '20 GB', '20gb', '1.2.3GB', '.B', '-1GB', '8EB', '7EB1024PB'])(
    '%j must be refused',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});

describe('a memory limit', () => {
  test.each([
    ['512MB', 536_870_912],
    ['512m', 536_870_912],
    ['512Mi', 536_870_912],
    ['512MiB', 536_870_912],
    ['512 mb', 536_870_912],
    ['1.5g', 1_610_612_736],
    ['6291456', 6_291_456],
    ['6291456b', 6_291_456],
    [536_870_912, 536_870_912],
  ])('%s must be read', (memory, bytes) => {
    expect(resources.parse({ memory }).memory).toBe(memory);
    expect(toResources({ memory }).memoryBytes).toBe(bytes);
  });

  test.each(['', 'm', '512i', '512x', '512mm', '-1g', '1,5g', '512 m b', '1e3m', 1e8 + 0.5])(
    '%j must be refused',
    (text) => {
      expect(resources.safeParse({ memory: text }).success).toBe(false);
    },
  );

  test.each(['5m', '5000k', '100', 100, 0, -1])('%j must be refused, since engines refuse it', (text) => {
    expect(resources.safeParse({ memory: text }).error?.issues[0]?.message).toContain('at least 6MB');
  });
});

test.each([
  ['https://metrics.example.com/prometheus', true],
  ['http://a/b%20c', true],
  ['http://a/%zz', false],
  ['http://a/100%', false],
])('whether the servers take the URL %s must be known', (url, isTaken) => {
  expect(externalUrl.safeParse(url).success).toBe(isTaken);
  expect(grafanaConfig.safeParse({ root_url: url }).success).toBe(isTaken);
});

describe('the closest word', () => {
  test.each([
    ['recever', ['receiver', 'route'], 'receiver'],
    ['scrapeInterval', ['scrape_interval', 'scrape_timeout'], 'scrape_interval'],
    ['enabeld', ['enabled', 'image'], 'enabled'],
    ['x', ['port', 'image'], undefined],
    ['colour', ['port', 'image'], undefined],
  ])('to %s among %j must be %s', (word, words, expected) => {
    expect(closest(word, words)).toBe(expected);
  });

  test("must have a symmetric distance of at most the longer word's length", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance === 0).toBe(a === b);
      }),
    );
  });
});

test('a value must be described as users wrote it', () => {
  expect([null, 'a', '', 5, true, [], {}].map(describeValue)).toEqual([
    'nothing',
    'the string "a"',
    'an empty string',
    'the number 5',
    'true',
    'a list',
    'a mapping',
  ]);
  expect(describeValue('x'.repeat(50))).toBe(`the string "${'x'.repeat(40)}…"`);
  const login = `http://me:${'x'.repeat(50)}@db`;
  expect([login, login.slice(7), 'https//me:x@h', `https://${'t'.repeat(50)}@h`].map(describeValue)).toEqual([
    'the string "http://me:[secret]@db"',
    'the string "me:[secret]@db"',
    'the string "https//me:[secret]@h"',
    'the string "https://[secret]@h"',
  ]);
  const others = [
    'ssh://me@lab',
    'prom/x:v1@sha256:01',
    'mailto:ops@example.com',
    'http://h:80/@me',
    'ann@example.com',
    'org/a:b@x',
    'http/1.1 a: b@x',
  ];
  expect(others.map(describeValue)).toEqual(others.map((text) => `the string "${text}"`));
  expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(orList)).toEqual(['a', 'a or b', 'a, b or c']);
  expect([andList([], 'none'), andList(['a'], 'none'), andList(['a', 'b'], 'none')]).toEqual(['none', 'a', 'a and b']);
});

describe('a timezone', () => {
  test.each([
    'UTC',
    'Asia/Shanghai',
    'Europe/Berlin',
    'America/Argentina/Ushuaia',
    'Etc/GMT+8',
    'Asia/Calcutta',
    'EST5EDT',
    'CET',
  ])('%s must be taken', (name) => {
    expect(timezoneProblems(name, [])).toEqual([]);
  });

  test.each([
    ['Shanghai', 'did you mean "Asia/Shanghai"?'],
    ['CST', 'did you mean "America/Chicago" or "Asia/Shanghai"?'],
    ['PST', 'did you mean "America/Los_Angeles"?'],
    ['ist', 'did you mean "Asia/Kolkata", "Asia/Jerusalem" or "Europe/Dublin"?'],
    ['asia/kolkata', 'did you mean "Asia/Kolkata"?'],
    ['utc', 'did you mean "UTC"?'],
    ['UTC+8', 'did you mean "Etc/GMT-8"?'],
    ['SystemV/PST8', 'use a name such as UTC, Europe/Berlin or Asia/Shanghai'],
    ['asia/shanghai', 'did you mean "Asia/Shanghai"?'],
    ['Asia/Shangai', 'did you mean "Asia/Shanghai"?'],
    ['New York', 'did you mean "America/New_York"?'],
    ['+08:00', 'did you mean "Etc/GMT-8"?'],
  ])('%s must be refused with a hint', (name, hint) => {
    expect(timezoneProblems(name, [])).toMatchObject([{ hint }]);
  });
});
