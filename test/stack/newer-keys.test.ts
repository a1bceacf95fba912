import { expect, test } from 'vitest';
import { problems as alertmanagerProblems } from '../../stack/alertmanager/problems.ts';
import { stackSchema } from '../../stack/config.ts';
import { problems as prometheusProblems } from '../../stack/prometheus/problems.ts';

const messagesOf = (job: object, receiver: object): readonly string[] => {
  const config = stackSchema.parse({
    prometheus: { scrape_configs: [{ job_name: 'a', ...job }] },
    alertmanager: { route: { receiver: 'a' }, receivers: [{ name: 'a', ...receiver }] },
  });
  return [...prometheusProblems(config), ...alertmanagerProblems(config)].map(({ message }) => message);
};

// Of Prometheus 3.5 to 3.14, and some that a later version may have.
test.each(
  'oci aws ecs rds msk elasticache outscale ec3 gcp dnss kubernetes2'.split(' ').map((name) => `${name}_sd_configs`),
)('%s must be left to promtool, which knows the discoveries of its version', (key) => {
  expect(messagesOf({ [key]: [{}] }, {})).toEqual([]);
});

test.each(['enable_http3', 'label_limit2'])('%s must not be taken for a typo', (key) => {
  expect(messagesOf({ [key]: true }, {})).toEqual([]);
});

test.each(['msteamsv3_configs', 'slick_configs', 'zulip_configs'])('%s must be left to amtool', (key) => {
  expect(messagesOf({}, { [key]: [{}] })).toEqual([]);
});

test.each(['static_config', 'scrape_intervall', 'file_sd_config', 'metrics_pth'])('%s must be refused', (key) => {
  expect(messagesOf({ [key]: [] }, {})).toEqual([`unknown key "${key}"`]);
});

test.each([{ routes: [null] }, { routes: [{ receiver: 'a', routes: [{}, null] }] }])(
  'an empty route must be refused before amtool crashes on it: %j',
  (route) => {
    const config = stackSchema.parse({
      alertmanager: { route: { receiver: 'a', ...route }, receivers: [{ name: 'a' }] },
    });
    expect(alertmanagerProblems(config)).toMatchObject([{ code: 'wrong-type', hint: 'remove the empty item' }]);
  },
);
