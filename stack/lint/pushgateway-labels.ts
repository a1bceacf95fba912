import type { StackConfig } from '../config.ts';
import { mappingsIn, type Native } from '../values/native.ts';
import { quoted } from '../values/words.ts';
import type { Lint } from './lint.ts';

/** A job that scrapes a Pushgateway and overwrites the job and instance of what was pushed. */
export const pushgatewayLabels: Lint = {
  code: 'pushgateway-without-honor-labels',
  what: 'a job that scrapes a Pushgateway without honor_labels',
  find: ({ config }) =>
    mappingsIn(config.prometheus.scrape_configs, ['prometheus', 'scrape_configs'])
      .filter(({ value }) => value['honor_labels'] !== true && scrapesPushgateway(value, config))
      .map(({ value, path }) => ({
        path: [...path, 'job_name'],
        message: `the job ${quoted(String(value['job_name']))} scrapes a Pushgateway without "honor_labels: true", so every pushed metric gets the Pushgateway's own job and instance`,
        hint: 'add "honor_labels: true" to the job',
      })),
};

function scrapesPushgateway(job: Native, config: StackConfig): boolean {
  const targets = mappingsIn(job['static_configs'], []).flatMap(({ value }) =>
    Array.isArray(value['targets']) ? value['targets'].map(String) : [],
  );
  const ofStack = `host.docker.internal:${config.pushgateway.port}`;
  return targets.some(
    (target) => /push-?_?gateway/i.test(target) || (config.pushgateway.enabled && target === ofStack),
  );
}
