import { expect, test } from 'vitest';
import { alertmanagerSecrets } from '../../../stack/alertmanager/secret-fields.ts';
import { prometheusSecrets } from '../../../stack/prometheus/secret-fields.ts';
import { Secret } from '../../../stack/secret.ts';
import { placeSecrets, secretFilesIn, secretProblems } from '../../../stack/secrets/secret-files.ts';

const secret = (name: string, text = 'sesame'): Secret => new Secret(text, `!env ${name}`);
const inline = new Secret('https://hooks.example/sesame', '!env SAID', true);

test('a secret must become a file that the config names, by absolute path in Alertmanager', () => {
  const receivers = [{ name: 'chat', slack_configs: [{ api_url: secret('SLACK'), channel: '#a' }] }];
  expect(placeSecrets(receivers, ['alertmanager', 'receivers'], alertmanagerSecrets)).toEqual([
    {
      name: 'chat',
      slack_configs: [{ api_url_file: '/etc/promstack/current/secrets/env/SLACK', channel: '#a' }],
    },
  ]);
  expect(secretFilesIn({ receivers }, { name: 'alertmanager' }, alertmanagerSecrets)).toMatchObject([
    { service: 'alertmanager', path: 'secrets/env/SLACK', mode: 0o400, content: expect.any(Secret) },
  ]);
});

test('a secret must become a file that the config names, by relative path in Prometheus', () => {
  const job = { job_name: 'a', basic_auth: { username: 'me', password: new Secret('x', '!file keys/db pass') } };
  expect(placeSecrets(job, ['prometheus', 'scrape_configs', 0], prometheusSecrets)).toEqual({
    job_name: 'a',
    basic_auth: {
      username: 'me',
      password_file: expect.stringMatching(/^secrets\/file\/keys__db_20pass-[0-9a-f]{4}$/),
    },
  });
});

test('secrets in a list must be added to the files that are already named', () => {
  const path = expect.stringMatching(/^secrets\/env\/KEY-/);
  const headers = { 'X-Key': { files: ['/mine'], secrets: [secret('KEY'), inline, 'plain'] } };
  const section = { 'X-Key': { secrets: [secret('KEY')], files: ['/mine'] } };
  const place = (http_headers: unknown): unknown =>
    placeSecrets({ http_headers }, ['prometheus', 'scrape_configs', 0], prometheusSecrets);
  expect(place(headers)).toEqual({
    http_headers: { 'X-Key': { files: ['/mine', path], secrets: [inline, 'plain'] } },
  });
  const files = (place(section) as { http_headers: { 'X-Key': unknown } }).http_headers['X-Key'];
  expect(files).toEqual({ files: ['/mine', path] });
});

test('one secret in several places must be one file', () => {
  const shared = secret('KEY');
  const config = { global: { slack_api_url: shared, http_config: { authorization: { credentials: shared } } } };
  expect(secretFilesIn(config, { name: 'alertmanager' }, alertmanagerSecrets).map(({ path }) => path)).toEqual([
    'secrets/env/KEY',
  ]);
});

test('a value without secrets must be returned unchanged', () => {
  const jobs = [{ job_name: 'a', basic_auth: { password: 'plain' } }];
  expect(placeSecrets(jobs, ['prometheus', 'scrape_configs'], prometheusSecrets)).toBe(jobs);
});

test('an inline secret must stay in the config, without a file', () => {
  const config = { global: { slack_api_url: inline } };
  expect(placeSecrets(config, ['alertmanager'], alertmanagerSecrets)).toEqual(config);
  expect(secretFilesIn(config, { name: 'alertmanager' }, alertmanagerSecrets)).toEqual([]);
  expect(secretProblems(config, ['alertmanager'], 'Alertmanager', alertmanagerSecrets)).toEqual([]);
});

test('a secret that the server cannot read from a file must be refused with a hint how to inline it', () => {
  const config = { receivers: [{ sns_configs: [{ sigv4: { secret_key: new Secret('x', '!file aws key') } }] }] };
  expect(secretProblems(config, ['alertmanager'], 'Alertmanager', alertmanagerSecrets)).toMatchObject([
    {
      code: 'secret-inline',
      path: ['alertmanager', 'receivers', 0, 'sns_configs', 0, 'sigv4', 'secret_key'],
      hint: expect.stringContaining('!file {path: aws key, inline: true}'),
    },
  ]);
});

test('a secret must be refused when its file is named too', () => {
  const config = { global: { slack_api_url: secret('A', 'https://a/'), slack_api_url_file: '/b' } };
  expect(secretProblems(config, ['alertmanager'], 'Alertmanager', alertmanagerSecrets)).toMatchObject([
    { code: 'secret-twice', path: ['alertmanager', 'global', 'slack_api_url'] },
  ]);
});

test('a changed secret must change its path in Prometheus, and not in Alertmanager', () => {
  const pathsOf = (text: string): readonly string[] =>
    [
      ...secretFilesIn(
        { scrape_configs: [{ bearer_token: secret('A', text) }] },
        { name: 'prometheus' },
        prometheusSecrets,
      ),
      ...secretFilesIn({ global: { slack_api_url: secret('A', text) } }, { name: 'alertmanager' }, alertmanagerSecrets),
    ].map(({ path }) => path);
  const [before, after] = [pathsOf('first'), pathsOf('second')];
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).toBe(before[1]);
});
