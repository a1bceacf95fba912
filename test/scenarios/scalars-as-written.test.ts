import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadStack } from '../../scripts/config/load.ts';
import { render } from '../../scripts/render/render.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { folderWith } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { openTools, type ToolService } from '../support/tools.ts';

/** Unquoted scalars that some YAML parsers read as a number, a boolean or a date. */
const scalars = fc.oneof(
  fc.constantFrom('1.10', '0012', '010', '0x1F', '0X1f', '0o17', '0b11', '1e3', '1E3', '+5', '-0', '5.', '.5', '1_000'),
  fc.constantFrom('yes', 'No', 'ON', 'off', 'y', 'N', 'true', 'True', 'FALSE', '.inf', '-.INF', '.NaN', '12:30'),
  fc.constantFrom('2024-01-01', '2024-01-01 10:00:00', '2024-01-01T10:00:00Z', '~', 'null', 'Null', '~x', '=', '1h'),
  fc.stringMatching(/^[-+]?\d{1,22}(\.\d{0,4})?([eE][-+]?\d)?$/),
  fc.stringMatching(/^0[xob][0-7_]{1,6}$/),
);

/** Some of them, each also in both kinds of quotes. */
const sample = fc
  .sample(scalars, 40)
  .concat('1.10', '0012', '12345678901234567890')
  .flatMap((text) => [text, `'${text}'`, `"${text}"`]);

/** The text with every line indented. */
const indented = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

const scrapeConfigs = sample
  .map(
    (scalar, at) => `- job_name: j${at}
  basic_auth: {username: ${scalar}}
  params: {p: [${scalar}, x]}
  http_headers: {X-Scope-OrgID: {values: [${scalar}]}}
  static_configs: [{targets: ['a:1'], labels: {l: ${scalar}}}]
  relabel_configs:
    - {source_labels: [a], target_label: t, replacement: ${scalar}}
`,
  )
  .concat(
    ['0x1F', '010', '1e3', '1_000', '+5', '0b11', '7'].map(
      (number, at) => `- {job_name: n${at}, sample_limit: ${number}, target_limit: ${number}}\n`,
    ),
    ['yes', 'No', 'ON', 'off', 'y', 'true', 'False'].map(
      (word, at) => `- {job_name: b${at}, honor_labels: ${word}, enable_http2: ${word}}\n`,
    ),
  )
  .join('');

const receivers = sample
  .map(
    (scalar, at) => `- name: r${at}
  slack_configs: [{api_url: 'https://slack.example/x', channel: ${scalar}, title: ${scalar}, text: ${scalar}}]
  pagerduty_configs: [{routing_key: k, details: {x: ${scalar}}, client: ${scalar}}]
  email_configs: [{to: a@example.com, from: b@example.com, smarthost: 'mail:25', headers: {X: ${scalar}}}]
`,
  )
  .concat(
    ['yes', 'off', 'TRUE', 'n'].map(
      (word, at) =>
        `- {name: b${at}, webhook_configs: [{url: 'http://a/', send_resolved: ${word}, max_alerts: 010}]}\n`,
    ),
  )
  .join('');
const routes = sample.map((scalar, at) => `- {receiver: r${at}, match: {l: ${scalar}}, group_by: [a]}\n`).join('');

/** The rendered file of a service. */
async function rendered(text: string, service: string, path: string): Promise<string> {
  await using folder = await folderWith({ 'stack.yml': text });
  const loaded = await loadStack({ cwd: folder.path, env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const rendering = render(loaded.value, await loadTemplates(undefined));
  if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
  const files = rendering.value.services.find((one) => one.service.name === service)?.files;
  return String(files?.find((file) => file.path === path)?.content);
}

/** What a server answers for each of two config files, run side by side. */
async function configsOf(
  service: ToolService,
  files: readonly [string, string],
  start: (file: string, port: number) => string,
  statusPath: string,
): Promise<readonly string[]> {
  await using tools = await openTools({ service, files: { 'native.yml': files[0], 'rendered.yml': files[1] } });
  const commands = ['native', 'rendered'].map(
    (name, at) => `cd /files && mkdir ${name} && cd ${name} && (${start(`/files/${name}.yml`, 9101 + at)} 2>log &)`,
  );
  for (const command of commands) await tools.run('sh', '-c', command);
  const answers: string[] = [];
  for (const port of [9101, 9102]) {
    const answer = await eventually(async () => {
      const { exitCode, stdout } = await tools.run('wget', '-qO-', `http://127.0.0.1:${port}${statusPath}`);
      expect(exitCode, (await tools.run('sh', '-c', 'tail -n3 /files/*/log')).stdout).toBe(0);
      return stdout;
    });
    answers.push(answer);
  }
  return answers;
}

describe('an unquoted scalar must be read by the server like in its own config file', () => {
  test('in the scrape_configs of Prometheus', async () => {
    const stack = `prometheus:\n  scrape_configs:\n${indented(scrapeConfigs, 4)}`;
    const file = (await rendered(stack, 'prometheus', 'prometheus.yml')).replace(/^rule_files:\n(?: .*\n)*/m, '');
    const [native, own] = await configsOf(
      'prometheus',
      [`scrape_configs:\n${scrapeConfigs}`, file],
      (path, port) => `prometheus --config.file=${path} --storage.tsdb.path=data --web.listen-address=:${port}`,
      '/api/v1/status/config',
    );
    const jobsIn = (answer: string | undefined): unknown => {
      const config = parse(JSON.parse(answer ?? '').data.yaml, { schema: 'failsafe' });
      const jobs: { job_name: string }[] = config.scrape_configs;
      return jobs
        .filter(({ job_name }) => /^[jnb]\d+$/.test(job_name))
        .map((job) => ({ ...job, scrape_interval: '', scrape_timeout: '' }));
    };
    expect(jobsIn(own)).toEqual(jobsIn(native));
  });

  test('in the receivers and routes of Alertmanager', async () => {
    const route = `receiver: r0\nroutes:\n${indented(routes, 2)}`;
    const stack = `alertmanager:\n  route:\n${indented(route, 4)}  receivers:\n${indented(receivers, 4)}`;
    const [native, own] = await configsOf(
      'alertmanager',
      [
        `route:\n${indented(route, 2)}receivers:\n${receivers}`,
        (await rendered(stack, 'alertmanager', 'alertmanager.yml')).replace(/^templates:\n(?: .*\n)*/m, ''),
      ],
      (path, port) =>
        `alertmanager --config.file=${path} --storage.path=data --cluster.listen-address= --web.listen-address=:${port}`,
      '/api/v2/status',
    );
    const read = (answer: string | undefined) => {
      const config = parse(JSON.parse(answer ?? '').config.original, { schema: 'failsafe' });
      const isOwn = (name: string) => /^[rb]\d+$/.test(name);
      return {
        receivers: config.receivers.filter(({ name }: { name: string }) => isOwn(name)),
        routes: config.route.routes.filter(
          ({ receiver, match }: { receiver: string; match?: object }) => match && isOwn(receiver),
        ),
      };
    };
    expect(read(own)).toEqual(read(native));
  });
});
