import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import { shown } from '../../../scripts/render/show.ts';
import { emptyFolder } from '../../support/promstack.ts';

const config = `auths:
  public_v2: {community: planted-secret, version: 2}
  private: {community: planted-secret, version: 2}
modules:
  if_mib: {walk: [1.3.6.1.2.1.2]}
  printer: {walk: [1.3.6.1.2.1.43]}
`;

async function rendered(keys: string, file = config) {
  await using folder = await emptyFolder();
  await writeFile(
    join(folder.path, 'stack.yml'),
    `name: shop\ngrafana: {enabled: false}\nexporters:\n  snmp: ${keys}\n`,
  );
  await writeFile(join(folder.path, 'snmp.yml'), file);
  const result = await renderStack({ cwd: folder.path, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { rendering } = result.value;
  if (!rendering.ok) return rendering.error.map(({ message, hint, where }) => `${where?.column} ${message}; ${hint}`);
  const files = rendering.value.services.flatMap((service) => service.files);
  return new Map(files.map((written) => [`${written.service}/${written.path}`, shown(written)]));
}

test('a module and an auth that snmp.yml does not define must be refused at their places', async () => {
  expect(await rendered('{config: snmp.yml, if_mibb: [a], ups: [b], auth: privat}')).toEqual([
    '28 there is no module "if_mibb" in snmp.yml; did you mean "if_mib"?',
    '42 there is no module "ups" in snmp.yml; the modules are if_mib, printer',
    '58 there is no auth "privat" in snmp.yml; did you mean "private"?',
  ]);
  expect(await rendered('{config: ./snmp.yml, if_mib: [a]}', 'auths: {}\nmodules: {if_mib: {}}\n')).toEqual([
    '3 there is no auth "public_v2" in snmp.yml; define it under "auths:" there',
  ]);
});

test('a device must be a parameter of its module with the auth, and its own instance; snmp.yml must not be shown', async () => {
  const files = await rendered('{config: snmp.yml, if_mib: [switch], auth: private}');
  if (Array.isArray(files)) throw new Error(files.join('\n'));
  const text = (name: string): string => (files as ReadonlyMap<string, string>).get(name) ?? '';
  expect(text('prometheus/prometheus.yml')).toContain(`  - job_name: snmp
    params:
      auth:
        - private
    metrics_path: /snmp
    static_configs:
      - targets:
          - switch
        labels:
          module: if_mib
`);
  expect(text('snmp/snmp.yml')).toBe('[secret]\n');
  expect([...(files as ReadonlyMap<string, string>).values()].join()).not.toContain('planted-secret');
});
