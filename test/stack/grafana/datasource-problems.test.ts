import { describe, expect, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { datasourceProblems } from '../../../stack/grafana/datasource-problems.ts';
import { Secret } from '../../../stack/secret.ts';

/** The problems of one datasource, as `severity path: message`. */
function problemsOf(datasource: object, image = 'grafana/grafana:12.4.0'): readonly string[] {
  const config = stackSchema.parse({
    name: 'test',
    grafana: { image, datasources: [{ name: 'a', type: 'loki', ...datasource }] },
  });
  return datasourceProblems(config).map(({ severity = 'error', path, message }) => {
    return `${severity} ${path.slice(3).join('.')}: ${message}`;
  });
}

/** Settings with a header for each number. */
function headers(names: readonly number[], values: readonly number[]): object {
  return {
    jsonData: Object.fromEntries(names.map((number) => [`httpHeaderName${number}`, `X-${number}`])),
    secureJsonData: Object.fromEntries(
      values.map((number) => [`httpHeaderValue${number}`, new Secret('secret', 'a test')]),
    ),
  };
}

describe('headers of a datasource', () => {
  test.each(['loki', 'prometheus', 'alertmanager'])('may be any number: %s', (type) => {
    const all = Array.from({ length: 12 }, (_, at) => at + 1);
    const given = headers(all, all) as { jsonData: object };
    const jsonData = { ...given.jsonData, implementation: 'prometheus' };
    expect(problemsOf({ type, ...given, jsonData: type === 'alertmanager' ? jsonData : given.jsonData })).toEqual([]);
  });

  test.each([
    [
      [1, 3],
      [1, 3],
      ['warning jsonData.httpHeaderName3: Grafana ignores httpHeaderName3: there is no httpHeaderName2'],
    ],
    [[3], [3], ['warning jsonData.httpHeaderName3: Grafana ignores httpHeaderName3: there is no httpHeaderName1']],
    [[1, 2], [1], ['error secureJsonData: the key "httpHeaderValue2" is missing in secureJsonData of a']],
    [
      [1, 12],
      [1],
      [
        'error secureJsonData: the key "httpHeaderValue12" is missing in secureJsonData of a',
        'warning jsonData.httpHeaderName12: Grafana ignores httpHeaderName12: there is no httpHeaderName2',
      ],
    ],
    [[1], [1, 4], ['warning jsonData: the key "httpHeaderName4" is missing in jsonData of a']],
    [[1_000_000_000], [1_000_000_000], [expect.stringContaining('there is no httpHeaderName1')]],
  ])('with the names %j and the values %j must be reported', (names, values, expected) => {
    expect(problemsOf(headers(names, values))).toEqual(expected);
  });
});

describe('the type of a datasource', () => {
  test.each(['postgres', 'testdata', 'phlare', 'grafana-postgresql-datasource', 'loki', 'mysql', 'zipkin'])(
    'may be a plugin of the image, or an alias: %s',
    (type) => {
      expect(problemsOf({ type })).toEqual([]);
    },
  );

  test.each([
    ['prometheu', 'grafana/grafana:12.4.0'],
    ['Loki', 'grafana/grafana:12.4.0'],
    ['postgresql', 'grafana/grafana:12.4.0'],
    ['grafana-clickhouse-datasource', 'registry.example.com/grafana/grafana-oss:12.4.0'],
    ['influx-db', 'registry.example.com/my-grafana:1'],
  ])('that is none must be reported: %s in %s', (type, image) => {
    expect(problemsOf({ type }, image)).toEqual([
      `warning type: the image ${image} has no datasource plugin "${type}"`,
    ]);
  });

  test("may be anything in an image of the user's", () => {
    const image = 'registry.example.com/my-grafana:1';
    expect(problemsOf({ type: 'grafana-clickhouse-datasource' }, image)).toEqual([]);
  });
});
