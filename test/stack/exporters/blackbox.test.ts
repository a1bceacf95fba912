import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import { shown } from '../../../scripts/render/show.ts';
import { emptyFolder } from '../../support/promstack.ts';

async function rendered(stack: string, template?: string) {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), `name: shop\ngrafana: {enabled: false}\nexporters:\n${stack}`);
  if (template !== undefined) {
    await mkdir(join(folder.path, 'templates/exporters/blackbox'), { recursive: true });
    await writeFile(join(folder.path, 'templates/exporters/blackbox/blackbox.yml'), template);
  }
  const result = await renderStack({ cwd: folder.path, env: { PASSWORD: 'planted-secret' } });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { rendering } = result.value;
  if (!rendering.ok) {
    return rendering.error.map(({ message, hint, where }) => `${where?.line}:${where?.column} ${message}; ${hint}`);
  }
  const files = rendering.value.services.flatMap((service) => service.files);
  return new Map(files.map((file) => [`${file.service}/${file.path}`, shown(file)]));
}

test('a module that blackbox.yml does not define must be refused at its place, with the nearest one', async () => {
  expect(await rendered('  blackbox:\n    htp_2xx: [http://a]\n    smtp_starttls: ["mail:25"]\n')).toEqual([
    '5:5 there is no module "htp_2xx" in blackbox.yml; did you mean "http_2xx"?',
    '6:5 there is no module "smtp_starttls" in blackbox.yml; the modules are http_2xx, http_post_2xx, tcp_connect, tls_connect, ssh_banner, icmp; define further ones under exporters.blackbox.modules',
  ]);
});

test('the modules of a template of the user must count in place of the shipped ones', async () => {
  const template = 'modules:\n  mail: {prober: tcp}\n';
  expect(await rendered('  blackbox: {mail: ["mail:25"], http_2xx: [http://a]}\n', template)).toEqual([
    '4:33 there is no module "http_2xx" in blackbox.yml; the modules are mail; define further ones under exporters.blackbox.modules',
  ]);
});

test('a target must be a parameter of its module, and its own instance; a password must be a file', async () => {
  const files = await rendered(
    '  blackbox:\n    login: [http://a/x]\n    modules: {login: {prober: http, http: {basic_auth: {username: me, password: !env PASSWORD}}}}\n',
  );
  if (Array.isArray(files)) throw new Error(files.join('\n'));
  const text = (name: string): string => (files as ReadonlyMap<string, string>).get(name) ?? '';
  expect(text('prometheus/prometheus.yml')).toContain(`  - job_name: blackbox
    metrics_path: /probe
    static_configs:
      - targets:
          - http://a/x
        labels:
          module: login
    relabel_configs:
      - source_labels:
          - module
        target_label: __param_module
      - source_labels:
          - __address__
        target_label: __param_target
      - source_labels:
          - __param_target
        target_label: instance
      - target_label: __address__
        replacement: blackbox-exporter:9115
  - job_name: blackbox_exporter
`);
  expect(text('blackbox/blackbox.yml')).toContain('password_file: /etc/promstack/current/secrets/env/PASSWORD');
  expect([...(files as ReadonlyMap<string, string>).values()].join()).not.toContain('planted-secret');
});
