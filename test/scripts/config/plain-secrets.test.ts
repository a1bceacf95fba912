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
  ];
  for (const text of name === 'loadStack' ? [...texts, 'env-token-1'] : texts) {
    expect(redact(`u:${text}@h`)).toBe('u:[secret]@h');
  }
  expect(redact('the team operations')).toBe('the team operations');
});
