import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { stackSchema } from '../../../stack/config.ts';
import { isLimitSet, limitRules } from '../../../stack/prometheus/sample-limits.ts';

const rulesOf = (stack: object): readonly object[] =>
  limitRules(stackSchema.parse(stack)).flatMap(({ content }) => parse(String(content)).groups[0].rules);
const record = (limit: number, job?: string) => ({
  record: 'promstack_sample_limit',
  expr: `vector(${limit})`,
  ...(job === undefined ? {} : { labels: { job } }),
});

test.each<[string, object, readonly object[]]>([
  ['none', {}, []],
  ['one of all jobs', { prometheus: { global: { sample_limit: 5000 } } }, [record(5000)]],
  [
    'one of a job, and none of another',
    {
      prometheus: {
        scrape_configs: [{ job_name: 'a', sample_limit: 9 }, { job_name: 'b', sample_limit: 0 }, { job_name: 'c' }],
      },
    },
    [record(9, 'a'), record(0, 'b')],
  ],
  ['one of an exporter', { exporters: { node: { scrape: { sample_limit: 3000 } } } }, [record(3000, 'node')]],
  [
    'one of a job of the stack itself',
    { prometheus: { scrape_configs: [{ job_name: 'pushgateway', sample_limit: 700 }] } },
    [record(700, 'pushgateway')],
  ],
  ['one that promtool refuses', { prometheus: { scrape_configs: [{ job_name: 'a', sample_limit: 'many' }] } }, []],
  ['one of a stack without shipped rules', { prometheus: { shipped_rules: false, global: { sample_limit: 5 } } }, []],
])('sample limits must be series that alerts can compare with: %s', (_, stack, expected) => {
  expect(rulesOf(stack)).toEqual(expected);
});

test('a limit of pushed groups must be a series, and its alert must be there only with one', () => {
  const rule = { record: 'promstack_group_sample_limit', expr: 'vector(1000)' };
  expect(rulesOf({ pushgateway: { group_sample_limit: 1000 } })).toEqual([rule]);
  expect(rulesOf({ pushgateway: { group_sample_limit: 1000, enabled: false } })).toEqual([]);
  const isThere = (pushgateway: object, name = 'pushgateway-limit'): boolean =>
    isLimitSet(`contribute/rules/${name}.yml`, stackSchema.parse({ pushgateway }));
  expect(isThere({ group_sample_limit: 1000 })).toBe(true);
  expect(isThere({})).toBe(false);
  expect(isThere({}, 'pushgateway')).toBe(true);
});
