import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { render } from '../../../scripts/render/render.ts';
import { revealed } from '../../../scripts/render/show.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { loadedFrom } from '../../support/loaded.ts';

const templates = await loadTemplates(undefined, '/stack');

interface Job {
  readonly job_name: string;
}

/** The jobs of prometheus.yml whose name is not that of a service. */
function jobsOf(stack: string): readonly Job[] {
  const result = render(loadedFrom(`name: mon\ngrafana: {enabled: false}\n${stack}`), templates);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const files = result.value.services.flatMap((service) => service.files);
  const main = files.find(({ path }) => path === 'prometheus.yml');
  const { scrape_configs: jobs } = parse(main === undefined ? '' : revealed(main)) as {
    scrape_configs: readonly Job[];
  };
  return jobs.filter(({ job_name: name }) => !['pushgateway', 'prometheus', 'alertmanager'].includes(name));
}

const files = ['/etc/promstack/discovered/*.json'];
const on = 'discovery: {labels: true, projects: [shop]}\n';

test('discovered targets must have a job that reads them, whose settings stack.yml may have', () => {
  expect(jobsOf('')).toEqual([]);
  expect(jobsOf(on)).toEqual([{ job_name: 'discovered', file_sd_configs: [{ files }] }]);
  const job = '{job_name: discovered, scheme: https, tls_config: {insecure_skip_verify: true}}';
  expect(jobsOf(`${on}prometheus: {scrape_configs: [${job}]}\n`)).toEqual([
    {
      job_name: 'discovered',
      scheme: 'https',
      tls_config: { insecure_skip_verify: true },
      file_sd_configs: [{ files }],
    },
  ]);
  const more = '{job_name: discovered, file_sd_configs: [{files: [mine.json]}], static_configs: [{targets: [a:1]}]}';
  expect(jobsOf(`${on}prometheus: {scrape_configs: [${more}]}\n`)).toEqual([
    {
      job_name: 'discovered',
      file_sd_configs: [{ files }, { files: ['mine.json'] }],
      static_configs: [{ targets: ['a:1'] }],
    },
  ]);
});

test('a job of that name must be left alone without discovery', () => {
  const jobs = [{ job_name: 'discovered', static_configs: [{ targets: ['a:1'] }] }];
  expect(jobsOf(`prometheus: {scrape_configs: ${JSON.stringify(jobs)}}\n`)).toEqual(jobs);
});

test('an agent must scrape discovered targets too', () => {
  expect(jobsOf(`${on}prometheus: {mode: agent, remote_write: [{url: "http://x:9090/api/v1/write"}]}\n`)).toEqual([
    { job_name: 'discovered', file_sd_configs: [{ files }] },
  ]);
});
