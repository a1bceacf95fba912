import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnose } from '../../../scripts/check/diagnose.ts';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import { shown } from '../../../scripts/render/show.ts';
import { emptyFolder } from '../../support/promstack.ts';

const snmp = 'auths: {public_v2: {community: a, version: 2}}\nmodules: {if_mib: {walk: [1.3.6.1.2.1.2]}}\n';

/** What stack.yml has at the place of a problem in the line of prometheus.yml with a text. */
async function placeOf(keys: string, text: string): Promise<string | undefined> {
  await using folder = await emptyFolder();
  const stack = `name: shop\ngrafana: {enabled: false}\n${keys}\n`;
  await writeFile(join(folder.path, 'stack.yml'), stack);
  await writeFile(join(folder.path, 'snmp.yml'), snmp);
  const result = await renderStack({ cwd: folder.path, env: { TOKEN: 'planted-secret' } });
  if (!result.ok || !result.value.rendering.ok) throw new Error(JSON.stringify(result));
  const rendering = result.value.rendering.value;
  const { files = [] } = rendering.services.find(({ service }) => service.name === 'prometheus') ?? {};
  const main = files.filter(({ path }) => path === 'prometheus.yml').map(shown)[0] ?? '';
  const at = main.split('\n').findIndex((line) => line.includes(text));
  expect(at, main).not.toBe(-1);
  const context = { tool: 'promtool', service: 'prometheus', files, rendering };
  const { where } = diagnose({ path: 'prometheus.yml', line: at + 1, message: 'wrong' }, context);
  return where && stack.slice(where.offset, where.offset + where.length);
}

test.each([
  ['exporters: {node: {scrape: {sample_limit: abc}}}', 'sample_limit', 'abc'],
  ['exporters: {node: {scrape: {relabel_configs: [{action: keep}, {action: foo}]}}}', 'action: foo', 'foo'],
  ['exporters: {redis: {instances: {a: {address: a}}, scrape: {job_name: a b}}}', 'job_name: a b', 'a b'],
  [
    'exporters: {snmp: {config: snmp.yml, if_mib: [a], scrape: {relabel_configs: [{action: foo}]}}}',
    'action: foo',
    'foo',
  ],
  ['exporters: {snmp: {config: snmp.yml, if_mib: [a], scrape: {params: {x: 5}}}}', 'x: 5', '5'],
  ['exporters: {haproxy: {targets: ["a:1"], scrape: {scheme: ftp}}}', 'scheme', 'ftp'],
  ['exporters: {custom: {queue: {image: "a:1", port: 1, scrape: {scrape_timeout: 5}}}}', 'scrape_timeout', '5'],
  // What is wrong with the whole job.
  ['exporters: {node: {scrape_interval: 5s}}', 'job_name: node', 'node'],
  ['exporters: {custom: {queue: {image: "a:1", port: 1}}}', 'job_name: queue', 'queue'],
])('a problem of the job of an exporter must be shown at its key in stack.yml: %s', async (keys, text, place) => {
  expect(await placeOf(keys, text)).toBe(place);
});

const store = 'write: https://mimir/api/v1/push';

test.each([
  [`long_term: {remote: {${store}, queue_config: {max_shards: x}}}`, 'max_shards', 'x'],
  [`long_term: {remote: {${store}, write_relabel_configs: [{action: keep}, {action: foo}]}}`, 'action: foo', 'foo'],
  [`long_term: {remote: {${store}, headers: {X-A: b}}}`, 'X-A', 'X-A'],
  [`long_term: {remote: {${store}, tls_config: {server_name: a b}}}`, 'server_name', 'a b'],
  [
    `prometheus: {remote_write: [{url: http://a}, {url: http://b, name: x}]}\nlong_term: {remote: {${store}, queue_config: {capacity: y}}}`,
    'capacity',
    'y',
  ],
  [
    `prometheus: {remote_write: [{url: http://a}, {url: http://b, name: x}]}\nlong_term: {remote: {${store}}}`,
    'name: x',
    'x',
  ],
  [`long_term: {remote: {${store}, basic_auth: {username: a, password: !env TOKEN}}}`, 'url: https', store.slice(7)],
])('a problem of the store outside must be shown at its key in long_term: %s', async (keys, text, place) => {
  expect(await placeOf(keys, text)).toBe(place);
});
