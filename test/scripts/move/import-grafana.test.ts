// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of Grafana.
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { importedFrom } from '../../support/imported.ts';

const prometheus = 'scrape_configs: [{job_name: a, static_configs: [{targets: ["a:1"]}]}]\n';

const dashboard = (...datasources: readonly unknown[]) => ({
  title: 'D',
  uid: 'd',
  schemaVersion: 42,
  panels: datasources.map((datasource, id) => ({
    id,
    type: 'stat',
    title: 'a',
    datasource,
    targets: [{ refId: 'A', datasource }],
    gridPos: { h: 1, w: 1, x: 0, y: id },
  })),
});

const datasourcesYml = (...datasources: readonly string[]): string =>
  `apiVersion: 1\ndatasources:\n${datasources.map((line) => `  - {${line}}\n`).join('')}`;

const one = 'name: Metrics of all, type: prometheus, uid: m, url: "http://a:9090"';
const two = 'name: Second, type: prometheus, uid: s, url: "http://b:9090"';
const logs = 'name: Logs, type: loki, uid: l, url: "http://l:3100"';

describe('a datasource that a dashboard names and no file has', () => {
  test.each<[string, string[], unknown, string | undefined]>([
    ['of the only type', [one, logs], { type: 'prometheus', uid: '000000001' }, 'm'],
    ['the stack has itself', [logs], { type: 'prometheus', uid: '000000001' }, 'prometheus'],
    ['of an export without its inputs', [one], { type: 'prometheus', uid: '${DS_PROMETHEUS}' }, 'm'],
    ['by the name in an input', [one, two], { type: 'prometheus', uid: '${DS_SECOND}' }, 's'],
    ['by the name in an input without a type', [one, two, logs], '${DS_METRICS_OF_ALL}', 'm'],
    ['by a name in other case', [one, logs], 'logs', 'l'],
    ['of a type with two', [one, two], { type: 'prometheus', uid: 'gone' }, undefined],
    ['of a type that is not there', [one], { type: 'loki', uid: 'gone' }, undefined],
    ['of another type with that name', [one, logs], { type: 'tempo', uid: '${DS_LOGS}' }, undefined],
    ['without a type', [one], 'gone', undefined],
    ['without a type, by uid', [one], { uid: 'gone' }, undefined],
  ])(
    'must be the one of the stack that is meant, or be reported once: %s',
    async (_, datasources, reference, meant) => {
      const text = JSON.stringify(dashboard(reference, reference), null, 4);
      const { draft, errors } = await importedFrom({
        'prometheus.yml': prometheus,
        'datasources.yml': datasourcesYml(...datasources),
        'd.json': text,
      });
      const written = draft.files.get('dashboards/d.json')?.content.toString();
      const line = typeof reference === 'string' ? 10 : (reference as { type?: string }).type === undefined ? 11 : 12;
      const changed = draft.findings.all.filter(({ what }) => what.startsWith('datasource '));
      if (meant === undefined) {
        expect(errors).toHaveLength(1);
        expect(errors[0]).toMatch(new RegExp(`^d\\.json:${line}: .*\\(4 references\\)$`));
        expect(written).toBe(text);
        expect(changed).toEqual([]);
      } else {
        expect(errors).toEqual([]);
        const by = JSON.stringify(typeof reference === 'string' ? reference : (reference as { uid: string }).uid);
        expect(written).toBe(text.replaceAll(by, JSON.stringify(meant)));
        expect(changed.map(({ where, into }) => [where?.line, into])).toEqual([[line, meant]]);
      }
    },
  );

  test('must be filled in where the dashboard lists it as an input, and the report say with which', async () => {
    const inputs = [{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }];
    const { draft, errors } = await importedFrom({
      'datasources.yml': datasourcesYml(one),
      'd.json': JSON.stringify({ __inputs: inputs, ...dashboard({ type: 'prometheus', uid: '${DS_PROMETHEUS}' }) }),
    });
    expect(errors).toEqual([]);
    expect(draft.findings.all).toContainEqual(
      expect.objectContaining({ what: 'd.json __inputs DS_PROMETHEUS', why: expect.stringContaining('the uid m') }),
    );
  });
});

describe('the former uid of a datasource for a server of the stack', () => {
  const own = 'type: prometheus, url: "http://localhost:9090"';
  const datasourcesIn = (text: string): unknown => parse(text, { logLevel: 'silent' }).grafana.datasources;
  const of = (name: string, uid: string) => ({ name, uid, type: 'prometheus', url: 'http://prometheus:9090' });
  test.each<[string, string[], object[]]>([
    [
      'that is given',
      [`name: Prometheus, uid: old, ${own}`],
      [of('Prometheus', 'prometheus'), of('Prometheus (old)', 'old')],
    ],
    [
      'that Grafana derives',
      [`name: Prometheus, ${own}, isDefault: true`],
      [
        { ...of('Prometheus', 'prometheus'), isDefault: true },
        of('Prometheus (PBFA97CFB590B2093)', 'PBFA97CFB590B2093'),
      ],
    ],
    [
      'of a name in lower case',
      [`name: prometheus, ${own}`],
      [of('prometheus', 'prometheus'), of('Prometheus (P1809F7CD0C75ACF3)', 'P1809F7CD0C75ACF3')],
    ],
    [
      'that is the one of the stack, with another name',
      [`name: Metrics, uid: prometheus, ${own}`],
      [of('Prometheus', 'prometheus'), of('Metrics', 'PA58DA793C7250F1B')],
    ],
    ['that is the one of the stack', [`name: Prometheus, uid: prometheus, ${own}`], [of('Prometheus', 'prometheus')]],
    ['of another name', [`name: Metrics, uid: old, ${own}`], [of('Metrics', 'old')]],
    [
      'of two for the same server',
      [`name: Prometheus, uid: a, ${own}`, `name: Prometheus-2, uid: b, ${own}`],
      [of('Prometheus', 'prometheus'), of('Prometheus (a)', 'a'), of('Prometheus-2', 'b')],
    ],
    [
      'of two by its name and its uid',
      [`name: Prometheus, uid: a, ${own}`, `name: Metrics, uid: prometheus, ${own}`],
      [of('Prometheus', 'prometheus'), of('Prometheus (a)', 'a'), of('Metrics', 'PA58DA793C7250F1B')],
    ],
    [
      'of another server',
      [`name: Second, uid: s, type: prometheus, url: "http://b:9090"`],
      [{ ...of('Second', 's'), url: 'http://b:9090' }],
    ],
  ])('must go on to be that of a datasource: %s', async (_, datasources, written) => {
    const { draft, text, errors } = await importedFrom({
      'prometheus.yml': prometheus,
      'datasources.yml': datasourcesYml(...datasources),
    });
    expect(errors).toEqual([]);
    expect(datasourcesIn(text)).toEqual(written);
    const changed = draft.findings.all.filter(({ why }) => why?.startsWith("the stack's own datasource has this"));
    expect(changed.length > 0).toBe(written.length > datasources.length);
    for (const { why } of changed)
      expect(why).toMatch(/use "[\w() -]+" with the uid \w+: without such dashboards, remove it$/);
  });

  test('must stay in the dashboards that have it', async () => {
    const reference = { type: 'prometheus', uid: 'PBFA97CFB590B2093' };
    const text = JSON.stringify(dashboard(reference, 'Prometheus', '${DS_PROMETHEUS}'));
    const { draft, errors } = await importedFrom({
      'prometheus.yml': prometheus,
      'datasources.yml': datasourcesYml(`name: Prometheus, ${own}`),
      'd.json': text,
    });
    expect(errors).toEqual([]);
    const written = draft.files.get('dashboards/d.json')?.content.toString();
    expect(written).toBe(text.replaceAll('${DS_PROMETHEUS}', 'PBFA97CFB590B2093'));
  });

  test('must have a copy of the settings, with the same secrets', async () => {
    const { text, errors } = await importedFrom({
      'prometheus.yml': prometheus,
      'datasources.yml': datasourcesYml(
        `name: Prometheus, uid: old, ${own}, jsonData: {timeInterval: 20s}, basicAuth: true, basicAuthUser: a, secureJsonData: {basicAuthPassword: planted}`,
      ),
    });
    expect(errors).toEqual([]);
    expect(text.match(/timeInterval: 20s/g)).toHaveLength(2);
    expect(text.match(/basicAuthPassword: !file secrets\/grafana-Prometheus-basicAuthPassword/gi)).toHaveLength(2);
  });
});

test.each(['', '\uFEFF'])('a dashboard in an answer of the HTTP API must be taken out of it%s', async (mark) => {
  const meta = { folderTitle: 'Shop/All', slug: 'd', version: 3 };
  const text = `${mark}${JSON.stringify({ meta, dashboard: dashboard({ type: 'prometheus', uid: 'gone' }) })}`;
  const { draft, errors } = await importedFrom({ 'prometheus.yml': prometheus, 'a.json': text });
  expect(errors).toEqual([]);
  const [path, file] = [...draft.files][0] ?? [];
  expect(path).toBe('dashboards/Shop - All/a.json');
  expect(JSON.parse(file?.content.toString() ?? '')).toEqual(dashboard({ type: 'prometheus', uid: 'prometheus' }));
  expect(draft.findings.all).toContainEqual(
    expect.objectContaining({ fate: 'changed', what: 'a.json', why: expect.stringContaining('HTTP API') }),
  );
});

test('a mistake in such a dashboard must be at its line in the answer', async () => {
  const text = JSON.stringify({ meta: {}, dashboard: { panels: [], schemaVersion: 42, uid: 'a b' } }, null, 2);
  const { errors } = await importedFrom({ 'a.json': text });
  expect(errors.map((error) => error.split(': ')[0])).toEqual(['a.json:3', 'a.json:6']);
});

describe('a datasource that two files have', () => {
  test.each<[string, string, string, string]>([
    ['without a uid', '', '', 'P0B88C9D59AD1251D'],
    ['with one uid', 'uid: x, ', 'uid: x, ', 'x'],
    ['with the uid in the first alone', 'uid: x, ', '', 'x'],
  ])('must be that of the last, as for Grafana, and be reported once: %s', async (_, first, last, uid) => {
    const { draft, text, errors } = await importedFrom({
      'b.yml': datasourcesYml(`name: DS, type: prometheus, ${last}url: "http://last:9090"`),
      'a.yaml': datasourcesYml(
        `name: DS, type: prometheus, ${first}url: "http://first:9090", jsonData: {timeInterval: 9s}, secureJsonData: {httpHeaderValue1: planted}`,
      ),
    });
    expect(errors).toEqual([]);
    expect(text).toContain('http://last:9090');
    expect(text).not.toMatch(/first|timeInterval/);
    expect(text).toContain(`uid: ${uid}`);
    expect(draft.secrets).toEqual([]);
    expect(draft.findings.all.filter(({ fate, what }) => fate === 'left' && what === 'datasources DS')).toMatchObject([
      { where: { file: 'a.yaml', line: 3 }, why: expect.stringContaining('b.yml:3') },
    ]);
  });

  test.each<[string, string, string]>([
    ['with two uids', 'name: DS, uid: x', 'name: DS, uid: y'],
    ['with a uid in the last alone', 'name: DS', 'name: DS, uid: y'],
    ['with one uid and two names', 'name: DS, uid: x', 'name: Other, uid: x'],
  ])('must be refused where Grafana does not start, once, with both places: %s', async (_, first, last) => {
    const { draft, diagnostics, errors } = await importedFrom({
      'a.yml': datasourcesYml(`${first}, type: prometheus, url: "http://a:9090"`),
      'b.yml': datasourcesYml(`${last}, type: prometheus, url: "http://b:9090"`),
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^b\.yml:3: .*uid/);
    const all = [...draft.findings.problems, ...diagnostics].filter(({ severity }) => severity === 'error');
    expect(JSON.stringify(all)).toContain('a.yml');
  });
});

test('variables in provisioning must have the values that Grafana gives them', async () => {
  const form = 'a: "$1x$$y", b: "${__value.raw}", c: "$HOST", d: "a$", e: "${HOST", f: "$HOSTX.y", g: "$__env{HOST}"';
  const { draft, text } = await importedFrom({
    'compose.yaml':
      'services:\n  grafana:\n    image: grafana/grafana:12.4.0\n    environment: {HOST: hh, TOKEN: planted}\n    volumes: [".:/etc/grafana/provisioning/datasources"]\n',
    'v.yml': datasourcesYml(
      `name: V, type: prometheus, url: "http://\${HOST:-x}:9090/\${A:-b}", jsonData: {${form}}, secureJsonData: {httpHeaderValue1: "Bearer $TOKEN", httpHeaderValue2: $LATER}`,
    ),
  });
  // What Grafana 12.4 has of it; a dollar is doubled in stack.yml.
  expect(text).toContain('url: "http://:9090/"');
  expect(text).toContain('{a: "x$$y", b: "", c: "hh", d: "a$", e: "HOST", f: ".y", g: "hh"}');
  expect(text).toContain('httpHeaderValue2: !env LATER');
  expect([...draft.files.values()].map(({ content }) => content.toString())).toEqual(['Bearer planted\n']);
});

test('mails must have the address of Grafana where none is set', async () => {
  const { text, errors } = await importedFrom({
    'compose.yaml':
      "services:\n  g: {image: 'grafana/grafana:12.4.0', environment: {GF_SMTP_ENABLED: 'true', GF_SMTP_HOST: 'mail.example.com:25'}}\n",
  });
  expect(errors).toEqual([]);
  expect(text).toContain('from_address: admin@grafana.localhost');
});

test('a dashboard with a key that is there twice must be taken, as Grafana takes it, and its datasources be found', async () => {
  const panel =
    '{"type": "stat", "title": "A", "datasource": {"type": "prometheus", "uid": "first"}, "datasource": {"type": "prometheus", "uid": "gone"}}';
  const { draft, diagnostics, errors } = await importedFrom({
    'prometheus.yml': 'scrape_configs: [{job_name: a, static_configs: [{targets: ["a:1"]}]}]\n',
    'provider.yml': 'apiVersion: 1\nproviders: [{name: P, options: {path: /d}}]\n',
    'd/a.json': `{"title": "Old", "schemaVersion": 42, "panels": [${panel}], "id": 1, "title": "New", "id": 2}`,
  });
  expect(errors).toEqual([]);
  expect(draft.files.get('dashboards/a.json')?.content.toString()).toContain(
    '"uid": "first"}, "datasource": {"type": "prometheus", "uid": "prometheus"}',
  );
  expect(diagnostics.map(({ message }) => message)).toContainEqual(expect.stringContaining('the dashboard has no uid'));
});

test('a setting that names a mounted file must be left, since the stack has no such file', async () => {
  const home = 'GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH';
  const { draft, text } = await importedFrom({
    'compose.yaml': `services:\n  g: {image: 'grafana/grafana:12.4.0', volumes: ['./d:/d'], environment: {${home}: /d/home.json, GF_SERVER_CDN_URL: /cdn}}\n`,
  });
  expect(text).not.toContain('home.json');
  expect(text).toContain('cdn_url: /cdn');
  expect(draft.findings.all).toContainEqual(
    expect.objectContaining({
      fate: 'left',
      what: `services.g.environment.${home}`,
      why: "the stack's Grafana does not have the file /d/home.json",
    }),
  );
});
