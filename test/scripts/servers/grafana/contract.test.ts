import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import type { RenderedFile } from '../../../../stack/model.ts';
import { Secret } from '../../../../stack/secret.ts';
import { type Folder, type GrafanaRendering, renderGrafana } from '../../../support/grafana-release.ts';

// What Grafana 12.4 reads of a provisioning file, key by key (pkg/services/provisioning/{datasources,dashboards}/types.go). It
// ignores every other key without a word, so a file of ours must have none. Written apart from promstack's own schema on purpose.

const uid = z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/);
const span = z.string().regex(/^\d+(ms|s|m|h|d)$/);

const prometheusData = z.strictObject({
  httpMethod: z.enum(['POST', 'GET']),
  timeInterval: span,
  prometheusType: z.enum(['Prometheus', 'Cortex', 'Mimir', 'Thanos']),
  prometheusVersion: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/)
    .nullish(),
  manageAlerts: z.boolean(),
  alertmanagerUid: uid.nullish(),
  allowAsRecordingRulesTarget: z.boolean(),
});
const alertmanagerData = z.strictObject({
  implementation: z.literal('prometheus'),
  handleGrafanaManagedAlerts: z.literal(false),
});

const datasource = z.strictObject({
  name: z.string().min(1),
  type: z.string().min(1),
  access: z.enum(['proxy', 'direct']),
  orgId: z.int().optional(),
  uid,
  url: z.string().optional(),
  user: z.string().optional(),
  database: z.string().optional(),
  basicAuth: z.boolean().optional(),
  basicAuthUser: z.string().optional(),
  withCredentials: z.boolean().optional(),
  isDefault: z.boolean().optional(),
  jsonData: z.record(z.string(), z.unknown()).optional(),
  secureJsonData: z.record(z.string(), z.string()).optional(),
  correlations: z.array(z.record(z.string(), z.unknown())).optional(),
  version: z.int().optional(),
  editable: z.boolean(),
});

const datasourceFile = z.strictObject({
  apiVersion: z.literal(1),
  prune: z.literal(true).optional(),
  deleteDatasources: z.array(z.strictObject({ name: z.string().min(1), orgId: z.int() })).default([]),
  // A list that is empty is left out.
  datasources: z.array(datasource).default([]),
});

const dashboardFile = z.strictObject({
  apiVersion: z.literal(1),
  providers: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        type: z.literal('file'),
        disableDeletion: z.boolean(),
        allowUiUpdates: z.literal(false),
        // Up to 10 Grafana waits for file events, which do not cross every mount.
        updateIntervalSeconds: z.int().min(11),
        options: z.strictObject({
          path: z.string().regex(/^\/etc\/promstack\/dashboards(?:\/\.more\/[123])?$/),
          foldersFromFilesStructure: z.literal(true),
        }),
      }),
    )
    .length(4),
});

const everything = `
timezone: Europe/Berlin
prometheus: {scrape_interval: 30s}
grafana:
  port: 4000
  admin_password: !env PASSWORD
  anonymous: viewer
  root_url: https://example.com/grafana/
  dashboards: [boards]
  smtp: {host: "mail:587", user: me, password: !env PASSWORD, from_address: a@example.com, starttls: mandatory}
  database: {type: postgres, host: "db:5432", user: grafana, password: !env DATABASE}
  config:
    log: {level: debug}
    auth.generic_oauth: {enabled: true, client_secret: !env OAUTH}
  datasources:
    - name: Logs & more
      type: loki
      url: http://loki:3100
      isDefault: true
      basicAuth: true
      basicAuthUser: me
      jsonData: {derivedFields: [{name: trace, url: '$\${__value.raw}'}], maxLines: 1000}
      secureJsonData: {basicAuthPassword: !env PASSWORD}
`;
const secrets = { PASSWORD: `p$ss $$w\${rd}`, OAUTH: 'oauth-secret', DATABASE: String.raw`back\sl'ash` };

const stacks: Readonly<Record<string, Folder>> = {
  'with nothing said': {},
  'without Alertmanager': { 'stack.yml': 'alertmanager: {enabled: false}' },
  'without Prometheus': { 'stack.yml': 'prometheus: {enabled: false}' },
  'with an image of Prometheus that names no version': {
    'stack.yml': 'prometheus: {image: "example.com/prometheus:lts"}',
  },
  'with everything said': { 'stack.yml': everything, 'boards/team/a.json': { title: 'A', uid: 'a', panels: [] } },
};

describe.each(Object.entries(stacks))('a stack %s', (_name, folder) => {
  const rendering = renderGrafana(folder, secrets);

  test("must have datasource files with only keys of Grafana's syntax", async () => {
    const files = await provisioning(rendering, 'datasources');
    const parseAll = (): void => {
      for (const file of files) {
        const { datasources } = datasourceFile.parse(parse(textOf(file)));
        for (const { type, jsonData, name } of datasources) {
          if (name === 'Prometheus') prometheusData.parse(jsonData);
          if (type === 'alertmanager') alertmanagerData.parse(jsonData);
        }
      }
    };
    expect(parseAll).not.toThrow();
  });

  test('must have each datasource once, with a unique uid, and at most one default', async () => {
    const all = (await provisioning(rendering, 'datasources')).flatMap(
      (file) => datasourceFile.parse(parse(textOf(file))).datasources,
    );
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(new Set(all.map((one) => one.uid)).size).toBe(all.length);
    expect(all.filter(({ isDefault }) => isDefault).length).toBeLessThanOrEqual(1);
    const own = all.find(({ name }) => name === 'Prometheus');
    const alertmanager = all.find(({ type }) => type === 'alertmanager')?.uid;
    if (own !== undefined) expect(own.jsonData?.['alertmanagerUid'] ?? undefined).toBe(alertmanager);
  });

  test('must prune the datasources of every file, and delete all of them before it adds any', async () => {
    const files = (await provisioning(rendering, 'datasources')).map(({ path, ...file }) => {
      return { path, ...datasourceFile.parse(parse(textOf({ path, ...file }))) };
    });
    // Grafana reads the files in the order of their names.
    const [first, ...others] = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(first?.datasources).toEqual([]);
    const added = others.flatMap(({ datasources }) => datasources.map(({ name, orgId = 1 }) => ({ name, orgId })));
    expect(first?.deleteDatasources).toEqual(expect.arrayContaining(added));
    expect(first?.deleteDatasources).toHaveLength(added.length);
    expect(others.filter(({ prune }) => prune !== true)).toEqual([]);
  });

  test('must have no dollar sign that Grafana would expand', async () => {
    const files = [...(await provisioning(rendering, 'datasources')), ...(await provisioning(rendering, 'dashboards'))];
    const texts: string[] = [];
    const walk = (value: unknown): void => {
      if (typeof value === 'string') texts.push(value);
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
    };
    for (const file of files) walk(parse(textOf(file)));
    expect(texts.filter((text) => text.replaceAll('$$', '').includes('$'))).toEqual([]);
  });

  test('must have providers of dashboards that poll files but never delete', async () => {
    const files = await provisioning(rendering, 'dashboards');
    expect(files).toHaveLength(1);
    const { providers } = dashboardFile.parse(parse(textOf(files[0])));
    // A dashboard that a refused change removes would lose its stars and its history.
    expect(providers.map(({ disableDeletion }) => disableDeletion)).toEqual([true, true, true, true]);
  });

  test('must mark every dashboard by its content and keep a classic model with a title and a uid', async () => {
    const { release } = await rendering;
    const boards = release.files.filter(({ path }) => path.startsWith('dashboards/'));
    for (const file of boards) {
      const board = JSON.parse(textOf(file)) as Record<string, unknown>;
      expect(board['title'], file.path).toBeTruthy();
      uid.parse(board['uid']);
      expect(board['id'], file.path).toBeNull();
      expect(board['promstack'], file.path).toEqual({
        content: expect.stringMatching(/^[0-9a-f]{12}$/),
        uid: board['uid'],
      });
      expect(Object.keys(board).filter((key) => key.startsWith('__'))).toEqual([]);
    }
  });

  test('must disable telemetry, downloads at startup and sign-up', async () => {
    const { container } = await rendering;
    expect(container.env).toMatchObject({
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: 'false',
      GF_NEWS_NEWS_FEED_ENABLED: 'false',
      GF_SNAPSHOTS_EXTERNAL_ENABLED: 'false',
      GF_SECURITY_DISABLE_GRAVATAR: 'true',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_PLUGINS_PREINSTALL_AUTO_UPDATE: 'false',
      GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
      GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
      GF_USERS_ALLOW_SIGN_UP: 'false',
      GF_AUTH_BASIC_ENABLED: 'true',
    });
    expect(Object.keys(container.env).filter((name) => /INSTALL_PLUGINS|PREINSTALL_SYNC/.test(name))).toEqual([]);
  });

  test('must have no secret in the settings of the container, nor in a world-readable file', async () => {
    const { container, release } = await rendering;
    const settings = JSON.stringify(container);
    const open = release.files.filter(({ mode }) => (mode & 0o044) !== 0).map(textOf);
    for (const secret of Object.values(secrets)) {
      expect(settings).not.toContain(secret);
      for (const text of open) expect(text).not.toContain(secret);
    }
  });

  test('must name an existing file for each secret in the settings', async () => {
    const { container, release } = await rendering;
    const files = Object.values(container.env).flatMap((value) => /^\$__file\{(.+)\}$/.exec(value)?.[1] ?? []);
    const own = files.filter((path) => path.startsWith('/etc/promstack/current/'));
    expect(files.filter((path) => !own.includes(path))).toEqual([
      '/etc/promstack/secrets/admin-password',
      '/etc/promstack/secrets/secret-key',
    ]);
    const there = release.files.map(({ path }) => `/etc/promstack/current/${path}`);
    for (const path of own) expect(there).toContain(path);
  });
});

test.each([
  ['[]', false],
  ['[--web.enable-remote-write-receiver]', true],
  ['["--web.enable-remote-write-receiver=true"]', true],
  ['["--no-web.enable-remote-write-receiver"]', false],
])('Prometheus with %s must be a target of recording rules: %s', async (args, expected) => {
  const rendering = renderGrafana({ 'stack.yml': `prometheus: {extra_args: ${args}}` });
  const [own] = (await provisioning(rendering, 'datasources')).flatMap((file) =>
    datasourceFile.parse(parse(textOf(file))).datasources.filter(({ uid: own }) => own === 'prometheus'),
  );
  expect(own?.jsonData?.['allowAsRecordingRulesTarget']).toBe(expected);
});

describe('a stack with every setting', () => {
  const rendering = renderGrafana({ ...stacks['with everything said'] }, secrets);

  test("must become Grafana's settings", async () => {
    expect((await rendering).container.env).toMatchObject({
      TZ: 'Europe/Berlin',
      GF_SERVER_ROOT_URL: 'https://example.com/grafana/',
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_SMTP_ENABLED: 'true',
      GF_SMTP_HOST: 'mail:587',
      GF_SMTP_STARTTLS_POLICY: 'MandatoryStartTLS',
      GF_SMTP_PASSWORD: '$__file{/etc/promstack/current/secrets/smtp-password}',
      GF_DATABASE_TYPE: 'postgres',
      GF_DATABASE_HOST: 'db:5432',
      GF_DATABASE_NAME: 'grafana',
      GF_LOG_LEVEL: 'debug',
      GF_AUTH_GENERIC_OAUTH_ENABLED: 'true',
      GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET: '$__file{/etc/promstack/current/secrets/auth.generic_oauth-client_secret}',
    });
  });

  test("must be in Grafana's config file, too: variables work only for settings in its defaults", async () => {
    const { container, release } = await rendering;
    expect(container.env['GF_PATHS_CONFIG']).toBe('/etc/promstack/current/grafana.ini');
    const text = textOf(release.files.find(({ path }) => path === 'grafana.ini'));
    expect(text).toContain('[log]\nlevel = `debug`\n');
    expect(text).toContain(
      'client_secret = `$__file{/etc/promstack/current/secrets/auth.generic_oauth-client_secret}`\n',
    );
  });

  test('must escape a secret so that Grafana reads it unchanged', async () => {
    const { release } = await rendering;
    const file = release.files.find(({ path }) => path === 'provisioning/datasources/stack.yml');
    const [own] = datasourceFile.parse(parse(textOf(file))).datasources;
    expect(own?.secureJsonData?.['basicAuthPassword']?.replaceAll('$$', () => '$')).toBe(secrets.PASSWORD);
    expect(file?.mode).toBe(0o400);
    const plain = release.files.find(({ path }) => path === 'secrets/smtp-password');
    expect([textOf(plain), plain?.mode]).toEqual([secrets.PASSWORD, 0o400]);
  });

  test("must make the user's datasource the default instead of Prometheus, with a uid derived from its name", async () => {
    const all = (await provisioning(rendering, 'datasources')).flatMap(
      (file) => datasourceFile.parse(parse(textOf(file))).datasources,
    );
    expect(all.map(({ name, uid: id, isDefault = false }) => [name, id, isDefault])).toEqual([
      ['Alertmanager', 'alertmanager', false],
      ['Prometheus', 'prometheus', false],
      ['Logs & more', 'logs-more', true],
    ]);
  });

  test('must recreate the container when a secret that it reads at startup changes, and only then', async () => {
    const same = await renderGrafana({ ...stacks['with everything said'] }, secrets);
    const other = await renderGrafana({ ...stacks['with everything said'] }, { ...secrets, OAUTH: 'another' });
    expect(same.container).toEqual((await rendering).container);
    expect(other.container.env['PROMSTACK_SECRETS']).not.toBe((await rendering).container.env['PROMSTACK_SECRETS']);
  });

  test("must change the release, and not the container, when the admin's password changes", async () => {
    const one = await renderGrafana({ 'stack.yml': 'grafana: {admin_password: !env PASSWORD}' }, { PASSWORD: 'first' });
    const other = await renderGrafana(
      { 'stack.yml': 'grafana: {admin_password: !env PASSWORD}' },
      { PASSWORD: 'second' },
    );
    expect(other.container).toEqual(one.container);
    expect(other.release.revision).not.toBe(one.release.revision);
  });
});

describe('user-defined dashboards', () => {
  const panels = [
    { id: 1, type: 'stat', datasource: { type: 'prometheus', uid: `\${DS_PROM}` }, targets: [{ expr: 'up' }] },
  ];
  const shared = {
    __inputs: [
      { name: 'DS_PROM', type: 'datasource', pluginId: 'prometheus' },
      { name: 'VAR_LIMIT', type: 'constant', value: '80' },
    ],
    __requires: [{ type: 'grafana', id: 'grafana', version: '12.4.0' }],
    __elements: {},
    id: 17,
    title: 'Shared',
    uid: 'shared',
    panels,
    templating: { list: [{ name: 'limit', query: `\${VAR_LIMIT}`, type: 'constant' }] },
  };
  const rendering = renderGrafana({
    'stack.yml': 'grafana: {dashboards: [boards, "one/*.json", plain.json]}',
    'boards/root.json': shared,
    'boards/disks/answer.json': { meta: { slug: 'x' }, dashboard: { title: 'Answer', uid: 'answer', panels: [] } },
    'boards/disks/fast/resource.json': {
      apiVersion: 'dashboard.grafana.app/v1beta1',
      kind: 'Dashboard',
      metadata: { name: 'resource' },
      spec: { title: 'Resource', panels: [] },
    },
    'one/second.json': {
      apiVersion: 'dashboard.grafana.app/v2beta1',
      kind: 'Dashboard',
      metadata: { name: 'second' },
      spec: { title: 'Second', elements: {} },
    },
    'plain.json': `\uFEFF${JSON.stringify({ title: 'Plain', uid: 'plain' })}`,
  });

  test('must be in folders like on disk, one per path', async () => {
    const { release } = await rendering;
    const own = release.files.map(({ path }) => path).filter((path) => /^dashboards\/(?!promstack)/.test(path));
    expect(own).toEqual([
      'dashboards/disks - fast/resource.json',
      'dashboards/disks/answer.json',
      'dashboards/plain.json',
      'dashboards/root.json',
      'dashboards/second.json',
    ]);
  });

  test('must have the inputs of an export filled in, and keys of the import removed', async () => {
    const board = await boardAt(rendering, 'dashboards/root.json');
    expect(board).toMatchObject({
      id: null,
      panels: [{ datasource: { type: 'prometheus', uid: 'prometheus' } }],
      templating: { list: [{ query: '80' }] },
    });
    expect(Object.keys(board)).not.toContain('__requires');
  });

  test('must be extracted from API responses, for classic models only', async () => {
    expect(await boardAt(rendering, 'dashboards/disks/answer.json')).toMatchObject({ title: 'Answer', uid: 'answer' });
    expect(await boardAt(rendering, 'dashboards/disks - fast/resource.json')).toMatchObject({
      title: 'Resource',
      uid: 'resource',
    });
    expect(await boardAt(rendering, 'dashboards/second.json')).toMatchObject({ kind: 'Dashboard' });
  });

  test("must replace promstack's own when those are disabled", async () => {
    const { release, container } = await renderGrafana({ 'stack.yml': 'grafana: {shipped_dashboards: false}' });
    expect(release.files.filter(({ path }) => path.startsWith('dashboards/'))).toEqual([]);
    expect(container.env['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBeUndefined();
  });
});

describe('the links of the shipped dashboards', () => {
  const alertRule = /^\/alerting\/Prometheus\/\w+\/find$/;

  test.each([
    ['all services', ''],
    ['no Alertmanager', 'alertmanager: {enabled: false}'],
    ['no Pushgateway', 'pushgateway: {enabled: false}'],
    ['neither', 'alertmanager: {enabled: false}\npushgateway: {enabled: false}'],
    ['no shipped rules', 'prometheus: {shipped_rules: false}'],
    ["no alerting of Grafana's", 'grafana: {config: {unified_alerting: {enabled: false}}}'],
  ])('must lead only to what there is in a stack with %s', async (_, yaml) => {
    const { release } = await renderGrafana({ 'stack.yml': yaml || '{}' });
    const boards = release.files.filter(({ path }) => path.startsWith('dashboards/')).map((file) => textOf(file));
    const uids = boards.map((board) => String(JSON.parse(board).uid));
    const urls = boards.flatMap((board) => [...board.matchAll(/"url": "(\/[^"]*)"/g)].map(([, url = '']) => url));
    const targets = urls.flatMap((url) => /^\/d\/([\w-]+)/.exec(url)?.[1] ?? []);
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((uid) => !uids.includes(uid))).toEqual([]);
    expect(urls.some((url) => alertRule.test(url))).toBe(!/shipped_rules|unified_alerting/.test(yaml));
    expect(urls.some((url) => url.startsWith('/alerting/'))).toBe(!yaml.includes('unified_alerting'));
  });

  test('must lead from a light of several servers to each of them', async () => {
    const { release } = await renderGrafana({});
    const overview = release.files.find(({ path }) => path.endsWith('/pipeline-overview.json'));
    const { panels } = JSON.parse(textOf(overview)) as { panels: { title: string; links?: { url: string }[] }[] };
    const targetsOf = (light: string) =>
      panels.find(({ title }) => title === light)?.links?.map(({ url }) => url.replace(/\?.*/, ''));
    const [prometheus, alertmanager] = ['/d/promstack-prometheus', '/d/promstack-alertmanager'];
    expect(targetsOf('Failed reloads')).toEqual([prometheus, alertmanager]);
    expect(targetsOf('Undelivered')).toEqual([alertmanager, prometheus]);
  });

  test("must stay in dashboards of the user's", async () => {
    const link = { title: 'x', url: '/d/promstack-alertmanager' };
    const { release } = await renderGrafana({
      'stack.yml': 'alertmanager: {enabled: false}\ngrafana: {dashboards: [own.json]}',
      'own.json': { title: 'Own', uid: 'own', panels: [{ id: 1, type: 'stat', links: [link] }] },
    });
    const own = textOf(release.files.find(({ path }) => path === 'dashboards/own.json'));
    expect(JSON.parse(own).panels[0].links).toEqual([link]);
  });
});

async function provisioning(
  rendering: Promise<GrafanaRendering>,
  kind: 'datasources' | 'dashboards',
): Promise<readonly RenderedFile[]> {
  return (await rendering).release.files.filter(({ path }) => path.startsWith(`provisioning/${kind}/`));
}

async function boardAt(rendering: Promise<GrafanaRendering>, path: string): Promise<Record<string, unknown>> {
  return JSON.parse(textOf((await rendering).release.files.find((file) => file.path === path)));
}

function textOf(file: RenderedFile | undefined): string {
  if (file === undefined) throw new Error('there is no such file');
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}
