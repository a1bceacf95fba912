import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exportCompose } from '../../../scripts/move/export-compose.ts';
import { importStack } from '../../../scripts/move/import-stack.ts';
import { tryImport } from '../../../scripts/move/try-import.ts';
import { writeFolder } from '../../../scripts/move/write-folder.ts';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { toBytes } from '../../../scripts/util/file-bytes.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { folderWith } from '../../support/config.ts';

const root = join(packageRoot(), 'test', 'imports');
const env = { TENANT: 'shop' };

async function renderingOf(path: string, name: string): Promise<Rendering> {
  const draft = await importStack({ paths: [path], cwd: root, env, name, out: path });
  await using tried = await tryImport(draft, { header: [], env, isPartial: false });
  const problems = [...draft.findings.problems, ...tried.diagnostics].filter(({ severity }) => severity === 'error');
  expect(problems.map(({ where, message }) => `${where?.file}:${where?.line}: ${message}`)).toEqual([]);
  if (tried.rendering === undefined) throw new Error(`${path} is not valid`);
  return tried.rendering;
}

/** Files of secrets are named after those in stack.yml, which an import names itself. */
const secretPath = /secrets\/file\/[\w.-]+/g;

/** What the containers of a stack are created with, and what their servers read. */
function meaningOf({ services }: Rendering) {
  return Object.fromEntries(
    services.map(({ container, files }) => {
      const { image, args, env: environment, ports, networks, resources } = container;
      const read = files.map((file) => {
        const text = toBytes(file)
          .toString('utf8')
          .replaceAll(/(revision["': ]+)[\da-f]{12}/g, '$1')
          .replaceAll(secretPath, 'secrets/file/of');
        return [file.path.replace(secretPath, 'secrets/file/of'), /\.ya?ml$/.test(file.path) ? parse(text) : text];
      });
      // The export makes a password for a stack without one, which the import keeps.
      const shared = read.filter(([path]) => path !== 'secrets/security-admin_password');
      const created = { image, args, environment, ports, networks: [...(networks ?? [])].sort(), resources };
      return [container.service, { created, files: Object.fromEntries(shared) }];
    }),
  );
}

describe.each(await readdir(root))('the imported stack %s, exported to compose and imported from there', (name) => {
  test('must be the same stack', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-round-trip-'));
    try {
      const before = await renderingOf(join(root, name, 'input'), name);
      const { files } = await exportCompose(before, undefined, { withSecrets: true });
      await writeFolder(folder, files);
      expect(meaningOf(await renderingOf(folder, name))).toEqual(meaningOf(before));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('exporters with accounts, files and networks must come back with them', async () => {
  await using folder = await folderWith({
    token: 'planted $token\nof two lines\n',
    dsn: "mysql://m%23:pa`ss'%22%20%3Bword@[::1]:3307",
    'stack.yml': `name: shop
timezone: Asia/Shanghai
networks: [{name: shop_net, services: [queue, redis, prometheus]}]
exporters:
  mysqld: {dsn: !file dsn}
  postgres: {dsn: "postgresql://monitor:a%40b%2Fc@db:5432/shop?sslmode=disable", scrape: {job_name: db}}
  redis: {address: "rediss://cache:6380", user: m, password: !file token}
  nginx: {url: "http://web:8080/stub_status"}
  blackbox:
    modules:
      login: {prober: http, http: {basic_auth: {username: a, password: !file dsn}, headers: {X-Token: !file {path: dsn, inline: true}}}}
  custom:
    queue:
      image: registry.example.com/mails:1.4.2
      port: 9999
      user: 1000:1000
      args: ['--config=/etc/promstack/current/sub/config.yml', '--token-file=/etc/promstack/current/token']
      files: {sub/config.yml: "a: 1\\n\\nb: 'c'  \\n", token: !file token, empty: ""}
      scrape: {metrics_path: /stats}
`,
  });
  const loading = await renderStack({ cwd: folder.path, env: {}, substitutes: new Map() });
  const before = loading.ok && loading.value.rendering.ok ? loading.value.rendering.value : undefined;
  if (before === undefined) throw new Error(JSON.stringify(loading));
  const { files } = await exportCompose(before, undefined, { withSecrets: true });
  await writeFolder(join(folder.path, 'out'), files);
  expect(meaningOf(await renderingOf(join(folder.path, 'out'), 'shop'))).toEqual(meaningOf(before));
});
