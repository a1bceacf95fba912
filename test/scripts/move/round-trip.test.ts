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
import { exporters, metricsPages } from '../../../stack/exporters/exporters.ts';
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

/** Names that Grafana deletes from a volume of before an import: an export has those of the stack. */
const withoutDeleted = (key: unknown, value: unknown): unknown => (key === 'deleteDatasources' ? undefined : value);

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
        return [
          file.path.replace(secretPath, 'secrets/file/of'),
          /\.ya?ml$/.test(file.path) ? parse(text, withoutDeleted) : text,
        ];
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

/** Keys of each exporter of stack.yml, which differ for each instance, and the flag of its own that `extra_args` has. */
const kinds: Readonly<Record<string, { readonly flag?: string; keys(instance: string): string }>> = {
  node: { flag: '--no-collector.wifi', keys: () => 'collectors: [systemd, arp]' },
  process: { flag: '-recheck', keys: () => 'names: [{name: web, comm: [nginx]}]' },
  blackbox: {
    flag: '--log.level=warn',
    keys: () => `http_2xx: ["https://a.example"]
      login: ["https://b.example", "https://c.example"]
      modules: {login: {prober: http, http: {basic_auth: {username: a, password: !file token}}}}`,
  },
  snmp: {
    flag: '--snmp.wrap-large-counters',
    keys: () => 'config: snmp.yml\n      auth: office\n      if_mib: [192.0.2.1, 192.0.2.2]\n      system: [192.0.2.1]',
  },
  postgres: {
    flag: '--collector.stat_statements',
    keys: (it) => `dsn: "postgresql://m:planted-%2F${it}@${it}:5432/a"`,
  },
  redis: {
    flag: '-check-keys=jobs:*',
    keys: (it) => `address: "${it}:6379"\n      user: m\n      password: !file token`,
  },
  mysqld: {
    flag: '--collect.info_schema.tables',
    keys: (it) => `dsn: "mysql://m:planted-x@${it}:3307/?tls=skip-verify"`,
  },
  nginx: { flag: '--nginx.timeout=3s', keys: (it) => `url: "http://${it}:8080/stub_status"` },
  apache: { flag: '--insecure', keys: (it) => `url: "http://${it}/server-status?auto"` },
  statsd: { flag: '--statsd.cache-size=10', keys: () => 'mappings: [{match: "a.*", name: b, labels: {c: $1}}]' },
  haproxy: { keys: () => 'targets: ["a:8405", "b:8405"]' },
};

describe.each([...exporters, ...metricsPages].map(({ kind }) => kind))(
  'the exporter %s, exported to compose',
  (kind) => {
    const { flag, keys } = kinds[kind] ?? expect.fail(`${kind} has no keys here`);
    const job = kind === 'haproxy' ? '' : ', job_name: renamed';
    const scrape = `scrape: {scrape_timeout: 7s, metric_relabel_configs: [{action: labeldrop, regex: x}]${job}}`;
    const common = `image: "mirror.example/${kind}:1.2.3-own"
      resources: {memory: 64M, cpus: 0.5}
      files: ["certs/*.pem"]
      extra_args: ["${flag}"]`;
    const hasInstances = exporters.some((exporter) => exporter.kind === kind && exporter.hasInstances);
    const forms: (readonly [name: string, text: string])[] = [
      ['alone', keys('first')],
      ['with a job of its own', `${keys('first')}\n      ${scrape}`],
    ];
    if (flag !== undefined) {
      forms.push(['with all keys', `${keys('first')}\n      ${common}\n      port: 19000\n      ${scrape}`]);
    }
    if (hasInstances) {
      forms.push(
        ['with instances', `instances: {a: {${flow(keys('first'))}}, b-2: {${flow(keys('second'))}, port: 19001}}`],
        ['with one instance', `${scrape}\n      ${common}\n      instances: {only: {${flow(keys('third'))}}}`],
      );
    }

    test.each(forms)('must come back %s', async (_, text) => {
      await using folder = await folderWith({
        token: 'planted-token',
        'certs/ca.pem': 'a certificate',
        'snmp.yml': `# Devices.
auths:
  office: {version: 2, community: planted-community}
  door: {version: 3, username: m, security_level: authPriv, password: planted-v3, priv_password: planted-priv}
modules: {if_mib: {walk: [interfaces]}, system: {walk: [system]}}
`,
        'stack.yml': `name: shop\nnetworks: [shop_net]\ngrafana: {enabled: false}\nexporters:\n    ${kind}:\n      ${text}\n`,
      });
      const loading = await renderStack({ cwd: folder.path, env: {}, substitutes: new Map() });
      const before = loading.ok && loading.value.rendering.ok ? loading.value.rendering.value : undefined;
      if (before === undefined) throw new Error(JSON.stringify(loading));
      const { files } = await exportCompose(before, undefined, { withSecrets: true });
      await writeFolder(join(folder.path, 'out'), files);
      const draft = await importStack({
        paths: [join(folder.path, 'out')],
        cwd: folder.path,
        env,
        name: 'shop',
        out: '',
      });
      const written = [...draft.files].filter(([, { content }]) => content.includes('planted-'));
      expect(
        written.filter(([path, { mode }]) => mode !== 0o600 || !draft.secrets.some(({ file }) => file === path)),
      ).toEqual([]);
      expect(draft.text([])).not.toContain('planted-');
      expect(meaningOf(await renderingOf(join(folder.path, 'out'), 'shop'))).toEqual(meaningOf(before));
    });
  },
);

/** Lines of keys in one line. */
function flow(text: string): string {
  return text.replaceAll(/\n */g, ', ');
}

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
