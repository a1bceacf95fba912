import { expect, test } from 'vitest';
import { stackSchema } from '../../stack/config.ts';
import { ownJobs } from '../../stack/prometheus/own-jobs.ts';

const settings = (job: object): unknown => {
  const config = stackSchema.parse({ name: 'demo', prometheus: { scrape_configs: [job] } });
  return ownJobs(config)[0]?.settings;
};

test.each([
  'localhost:9093',
  '127.0.0.1:9093',
  'alertmanager:9093',
  'demo-alertmanager:9093',
  'host.docker.internal:9093',
])("the target %s must be the stack's own", (target) => {
  expect(settings({ job_name: 'alertmanager', static_configs: [{ targets: [target] }] })).toEqual({
    static_configs: [{ targets: ['alertmanager:9093'] }],
  });
});

test.each(['other:9093', 'localhost:9094', 'alertmanager', 'demo2-alertmanager:9093'])(
  'the target %s must be of another server',
  (target) => {
    expect(settings({ job_name: 'alertmanager', static_configs: [{ targets: [target] }] })).toBeUndefined();
  },
);

test('what is not a list of targets must be kept for promtool', () => {
  const job = { job_name: 'alertmanager', static_configs: { targets: ['a'] } };
  expect(settings(job)).toEqual({ static_configs: { targets: ['a'] } });
  expect(settings({ job_name: 'alertmanager', static_configs: [] })).toEqual({});
});
