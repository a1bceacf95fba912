import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig, loadStack } from '../../../scripts/config/load.ts';
import { forgetSecrets, redact } from '../../../scripts/util/redaction.ts';
import { emptyFolder } from '../../support/promstack.ts';

const stack = `name: shop
prometheus:
  scrape_configs:
    - job_name: x
      basic_auth: {username: u, password: plain-password}
      static_configs: [{targets: ["http://u:in%40url-secret@h:1/x?token=abcd1234"]}]
grafana:
  datasources: [{name: i, type: influxdb, url: "http://i:influx-%E4-secret@h", secureJsonData: {anything: json-secret}}]
alertmanager:
  receivers: [{name: t, pushover_configs: [{user_key: user-key-9, token: !env TOKEN}]}, {name: p, pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]}, {name: v, victorops_configs: [{routing_key: operations}]}, {name: n, email_configs: [{auth_password: 00123456}, {auth_password: 7654321}]}]
long_term:
  remote: {write: http://m, basic_auth: "shop:login-as-string", headers: {Authorization: Bearer-of-header, X-Api-Key: key-of-header}}
  victoriametrics: {extra_args: ["-httpAuth.password=of-a-flag", "--metricsAuthKey=not a secret by its name"]}
  bogus: 1
`;

it.each([
  ['loadStack', loadStack],
  ['loadConfig', loadConfig],
])('secrets that stack.yml has in place must not be printed after %s, though it is invalid', async (name, load) => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), stack);
  forgetSecrets();
  const loaded = await load({ cwd: folder.path, env: { TOKEN: 'env-token-1' } });
  expect(loaded.ok).toBe(false);
  const texts = [
    'plain-password',
    'in%40url-secret',
    'in@url-secret',
    'abcd1234',
    'influx-%E4-secret',
    'json-secret',
    'user-key-9',
    '0123456789abcdef0123456789abcdef',
    '00123456',
    '7654321',
    'shop:login-as-string',
    'Bearer-of-header',
    'key-of-header',
    'of-a-flag',
  ];
  for (const text of name === 'loadStack' ? [...texts, 'env-token-1'] : texts) {
    expect(redact(`u:${text}@h`)).toBe('u:[secret]@h');
  }
  expect(redact('the team operations')).toBe('the team operations');
});

const logins = `name: shop
long_term:
  remote: {write: "user:without-scheme@mimir/api", read: "https://user:with/slash@mimir"}
prometheus: {external_url: "https:/user:half-scheme@h", extra_args: ["prom/x:v3-tag@sha256:0123", "mailto:ops-team@example.com"]}
exporters:
  snmp: {if_mib: [community-1@switch, "udp://community-2@switch"]}
  redis: {address: "user:of-redis@cache"}
`;

it('logins of addresses that no program can read must not be printed, and what only looks like one must be', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), logins);
  forgetSecrets();
  await loadStack({ cwd: folder.path, env: {} });
  const printed = redact(logins);
  for (const text of ['without-scheme', 'with/slash', 'half-scheme', 'community-1', 'community-2', 'of-redis'])
    expect(printed).not.toContain(text);
  for (const text of ['v3-tag@sha256', 'ops-team@example.com', '@mimir/api', 'switch']) expect(printed).toContain(text);
});

it('passwords in files of an exporter must not be printed, and other lines must be', async () => {
  const text = `name: shop
exporters:
  custom:
    q:
      image: a:1
      port: 1
      files:
        a.yml: |
          password: of-yaml
          user: reader-one
        a.toml: api_key = "of toml"
        a.json: '{"user": "reader-two", "token": "of-json"}'
`;
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), text);
  forgetSecrets();
  await loadStack({ cwd: folder.path, env: {} });
  const printed = redact(text);
  for (const secret of [': of-yaml', 'of toml', '"of-json']) expect(printed).not.toContain(secret);
  for (const word of ['reader-one', 'reader-two']) expect(printed).toContain(word);
});
