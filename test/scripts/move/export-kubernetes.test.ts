import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exportKubernetes, type KubernetesExport } from '../../../scripts/move/kubernetes/export-kubernetes.ts';
import type { KubernetesObject } from '../../../scripts/move/kubernetes/kubernetes-draft.ts';
import { render } from '../../../scripts/render/render.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { revealed } from '../../../scripts/render/show.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { toBytes } from '../../../scripts/util/file-bytes.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { cases, renderCase as renderAgain } from '../../golden/golden.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';
import { loadedFrom } from '../../support/loaded.ts';

// biome-ignore lint/suspicious/noExplicitAny: the objects of a cluster have a schema each, which `problemsOf` checks.
type Json = any;

const exportOf = (rendering: Rendering, isPlain: boolean, withSecrets = true) =>
  exportKubernetes(rendering, undefined, { withSecrets, isPlain });

const rendered = new Map<string, Promise<Rendering>>();

/** Each golden stack is rendered once. */
function renderCase(name: string): Promise<Rendering> {
  const rendering = rendered.get(name) ?? renderAgain(name);
  rendered.set(name, rendering);
  return rendering;
}

const forms = [
  ['with the operator', false],
  ['plain', true],
] as const;

const isManifest = (path: string): boolean =>
  path.endsWith('.yaml') && !/^(?:kustomization\.yaml$|files\/|masked\/)/.test(path);

/** The objects in the files, as a cluster reads them. */
const objectsIn = ({ files }: KubernetesExport): readonly KubernetesObject[] =>
  files.flatMap(({ path, content }) =>
    isManifest(path) ? [parse(content.toString('utf8'), { schema: 'yaml-1.1' }) as KubernetesObject] : [],
  );

async function stackOf(text: string): Promise<Rendering> {
  const rendered = render(loadedFrom(text), await loadTemplates(undefined));
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return rendered.value;
}

/** The stack with further files of a service. */
function withFiles(rendering: Rendering, service: string, paths: Readonly<Record<string, string>>): Rendering {
  const added = Object.entries(paths).map(
    ([path, content]): RenderedFile => ({ service, path, content, mode: 0o444, origin: path }),
  );
  const services = rendering.services.map((one) =>
    one.service.name === service ? { ...one, files: [...one.files, ...added] } : one,
  );
  return { ...rendering, services };
}

const strings = (text: string): Json => parse(text, { schema: 'failsafe', merge: true, logLevel: 'silent' });

/** The content of a key of a ConfigMap or Secret. */
function contentAt(objects: readonly KubernetesObject[], kind: string, name: string, key: string): Buffer {
  const object: Json = objects.find((one) => one.kind === kind && one.metadata.name === name);
  const text = object?.data?.[key];
  if (text !== undefined) return Buffer.from(text, kind === 'Secret' ? 'base64' : 'utf8');
  const binary = object?.binaryData?.[key];
  if (binary === undefined) throw new Error(`no key ${key} in ${kind} ${name}`);
  return Buffer.from(binary, 'base64');
}

/** The files in a projected volume. */
function filesIn(objects: readonly KubernetesObject[], volume: Json): Map<string, Buffer> {
  return new Map(
    (volume?.projected.sources ?? []).flatMap(({ configMap, secret }: Json) => {
      const [kind, { name, items }] = configMap === undefined ? ['Secret', secret] : ['ConfigMap', configMap];
      return items.map(({ key, path }: Json) => [path, contentAt(objects, kind, name, key)]);
    }),
  );
}

/** The config of a server without what an export changes: the alert log, and where the templates are. */
function comparable(text: string): Json {
  const { event_recorder, ...config } = strings(text);
  const isAlertLog = event_recorder?.file_outputs?.[0]?.path === '/alertmanager/alert-log.jsonl';
  const templates = config.templates?.map((glob: string) => glob.replace('/etc/promstack/current/', ''));
  return { ...config, ...(isAlertLog ? {} : { event_recorder }), templates };
}

const isOnNodes = (rendering: Rendering, job: Json): boolean =>
  rendering.services.some(({ container }) => container.host !== undefined && container.service === job.job_name);

/** The jobs of prometheus.yml that all clusters scrape alike, with the contents of their files. */
function jobsOf(rendering: Rendering): Json[] {
  const files = rendering.services.find(({ service }) => service.name === 'prometheus')?.files ?? [];
  const main = files.find(({ path }) => path === 'prometheus.yml');
  const read = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(read);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries<Json>(value).map(([key, inner]) => {
        const file = files.find(({ path }) => typeof inner === 'string' && inner.endsWith(path));
        return key.endsWith('_file') && file !== undefined
          ? [key.replace(/_file$/, ''), revealed(file)]
          : [key, read(inner)];
      }),
    );
  };
  const jobs = main === undefined ? [] : (strings(revealed(main)).scrape_configs ?? []);
  return jobs.filter((job: Json) => job.job_name !== 'discovered' && !isOnNodes(rendering, job)).map(read);
}

const oldNames: Readonly<Record<string, string>> = {
  relabelings: 'relabel_configs',
  metricRelabelings: 'metric_relabel_configs',
  dnsSDConfigs: 'dns_sd_configs',
  enableHTTP2: 'enable_http2',
  keySecret: 'key',
};

/** A ScrapeConfig as a job of prometheus.yml, with the contents of the keys that it names. */
function jobFrom(objects: readonly KubernetesObject[], value: Json, at = ''): Json {
  if (Array.isArray(value)) return value.map((item) => jobFrom(objects, item, at));
  if (typeof value !== 'object' || value === null) return at === 'scheme' ? value.toLowerCase() : String(value);
  const { secret, configMap } = value;
  if (secret !== undefined) return contentAt(objects, 'Secret', secret.name, secret.key).toString('utf8');
  if (configMap !== undefined) return contentAt(objects, 'ConfigMap', configMap.name, configMap.key).toString('utf8');
  if ('name' in value && 'key' in value) return contentAt(objects, 'Secret', value.name, value.key).toString('utf8');
  const isFree = at === 'labels' || at === 'params';
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = isFree ? key : (oldNames[key] ?? key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
      return [name, jobFrom(objects, inner, key)];
    }),
  );
}

const byName = (a: Json, b: Json): number => (a.job_name < b.job_name ? -1 : 1);

describe.each(cases)('the stack %s, exported to Kubernetes', (name) => {
  it.each(forms)('must be objects that the schemas take, %s', async (_, isPlain) => {
    const objects = objectsIn(await exportOf(await renderCase(name), isPlain));
    expect(objects.flatMap(problemsOf)).toEqual([]);
    expect(objects.length).toBeGreaterThan(1);
  });

  it.each(forms)('must have each object once, listed for kustomize, %s', async (_, isPlain) => {
    for (const withSecrets of [false, true]) {
      const exported = await exportOf(await renderCase(name), isPlain, withSecrets);
      const ids = objectsIn(exported).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(ids).size).toBe(ids.length);
      const kustomization = exported.files.find(({ path }) => path === 'kustomization.yaml')?.content.toString('utf8');
      const { resources } = parse(kustomization ?? '');
      expect([...resources].sort()).toEqual(
        exported.files
          .map(({ path }) => path)
          .filter(isManifest)
          .sort(),
      );
    }
  });

  it('must have the rules, routes and jobs that are rendered, with the operator', async () => {
    const rendering = await renderCase(name);
    const exported = await exportOf(rendering, false);
    const objects = objectsIn(exported);
    const filesOf = (service: string) => rendering.services.find((one) => one.service.name === service)?.files ?? [];
    const groups = filesOf('prometheus')
      .filter(({ path }) => path.startsWith('rules/'))
      .flatMap((file) => strings(revealed(file)).groups);
    const rules = exported.files
      .filter(({ path }) => path.startsWith('prometheus/prometheusrule-'))
      .flatMap(({ content }) => strings(content.toString('utf8')).spec.groups);
    expect(rules).toEqual(groups);
    const main = filesOf('alertmanager').find(({ path }) => path === 'alertmanager.yml');
    const config = main && contentAt(objects, 'Secret', 'alertmanager-config', 'alertmanager.yaml').toString('utf8');
    expect(config && comparable(config)).toEqual(main && comparable(revealed(main)));
    const prometheus: Json = objects.find(({ kind }) => kind === 'Prometheus');
    const { additionalScrapeConfigs: native } = prometheus?.spec ?? {};
    const jobs = objects
      .filter(({ kind }) => kind === 'ScrapeConfig')
      .map(({ spec }) => jobFrom(objects, spec))
      .filter((job) => !isOnNodes(rendering, job));
    const others =
      native === undefined ? [] : strings(contentAt(objects, 'Secret', native.name, native.key).toString('utf8'));
    expect([...jobs, ...others].sort(byName)).toEqual(jobsOf(rendering).sort(byName));
  });

  it('must mount the files that are rendered, plain', async () => {
    const rendering = await renderCase(name);
    const objects = objectsIn(await exportOf(rendering, true));
    for (const { service, files } of rendering.services) {
      const workload: Json = objects.find(
        ({ kind, metadata }) => /^(?:Deployment|StatefulSet|DaemonSet)$/.test(kind) && metadata.name === service.name,
      );
      const { volumes = [] } = workload.spec.template.spec;
      const mounted = filesIn(
        objects,
        volumes.find((volume: Json) => volume.name === 'config'),
      );
      const paths = [...mounted.keys()].filter((path) => !path.endsWith('/.gitkeep'));
      expect(paths.sort()).toEqual(files.map(({ path }) => path).sort());
      for (const file of files) {
        const content = mounted.get(file.path) ?? Buffer.of();
        const isChanged = file.path === 'alertmanager.yml' || (file.path === 'prometheus.yml' && name === 'exporters');
        if (isChanged) expect(comparable(content.toString('utf8')).route).toEqual(comparable(revealed(file)).route);
        else expect(content.equals(toBytes(file)), file.path).toBe(true);
      }
    }
  });

  it.each(forms)('must have no secret outside of Secret manifests, %s', async (_, isPlain) => {
    const rendering = await renderCase(name);
    const [complete, plain] = [await exportOf(rendering, isPlain, true), await exportOf(rendering, isPlain, false)];
    const open = [...plain.files, ...complete.files.filter(({ path }) => !path.startsWith('secrets/'))];
    expect(open.filter(({ content }) => content.includes('planted-secret')).map(({ path }) => path)).toEqual([]);
    expect(objectsIn(plain).filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(plain.files.filter(({ path }) => path.startsWith('secrets/'))).toEqual([]);
    const readme = plain.files.find(({ path }) => path === 'README.md')?.content.toString('utf8') ?? '';
    const needed = plain.secrets.filter(({ entries }) => entries.some(({ values }) => values.length > 0));
    for (const secret of needed) expect(readme).toContain(`create secret generic ${secret.name} \\\n`);
  });

  it.each(forms)('must be the same bytes every time, %s', async (_, isPlain) => {
    const bytes = async () =>
      (await exportOf(await renderAgain(name), isPlain, false)).files.map(({ path, content }) => [
        path,
        content.toString(),
      ]);
    expect(await bytes()).toEqual(await bytes());
  });

  it('must run all pods with the least rights', async () => {
    for (const { kind, spec } of objectsIn(await exportOf(await renderCase(name), true)) as Json[]) {
      if (!/^(?:Deployment|StatefulSet|DaemonSet)$/.test(kind)) continue;
      const pod = spec.template.spec;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        });
        expect(container.readinessProbe).toBeDefined();
      }
    }
  });
});

describe('the check of exported objects', () => {
  it.each([
    ['a duration that is none', 'for', 'soon', 'for must match pattern'],
    ['an unknown key', 'fro', '5m', 'unknown key'],
  ])('must refuse a rule with %s', async (_, key, value, message) => {
    const objects = structuredClone(objectsIn(await exportOf(await renderCase('everything'), false))) as Json[];
    const rule = objects.find(
      ({ kind, metadata }) => kind === 'PrometheusRule' && metadata.name === 'user-alerts-disk',
    );
    expect(problemsOf(rule)).toEqual([]);
    rule.spec.groups[0].rules[0][key] = value;
    expect(problemsOf(rule).join()).toContain(message);
  });

  it.each([
    ['label', 'labels', 'team', 'a b', 'value a b'],
    ['key of a label', 'labels', 'my team', 'a', 'key my team'],
    ['name', 'name', undefined, 'Prometheus_1', 'metadata.name Prometheus_1'],
    ['name of 64 characters', 'name', undefined, 'a'.repeat(64), 'metadata.name aaa'],
  ])('must refuse a wrong %s', async (_, field, key, value, message) => {
    const [, object] = structuredClone(objectsIn(await exportOf(await renderCase('minimal'), true))) as Json[];
    expect(problemsOf(object)).toEqual([]);
    if (key === undefined) object.metadata[field] = value;
    else object.metadata[field][key] = value;
    expect(problemsOf(object).join()).toContain(message);
  });
});

describe('what Kubernetes limits', () => {
  const long = 'x'.repeat(300);

  it.each(forms)('must keep names of 300 characters and odd labels within the limits, %s', async (_, isPlain) => {
    const job = `{job_name: "${long}", static_configs: [{targets: [a:1]}]}`;
    const other = `{job_name: "A b/ü", static_configs: [{targets: [a:1]}]}`;
    const labels = `{"my team": a, owner: "A & B", wide: "${long}", "app.kubernetes.io/name": mine, "": e}`;
    const stack = await stackOf(
      `name: 9_a-\nlabels: ${labels}\nprometheus: {scrape_configs: [${job}, ${other}]}\nexporters: {custom: {9q-: {image: "a:1", port: 1}}}\n`,
    );
    const groups = 'groups: [{name: g, rules: [{record: a, expr: "1"}]}]\n';
    const paths = {
      [`rules/user/${long}.yml`]: groups,
      'rules/user/a b.yml': groups,
      'rules/user/a_b.yml': groups,
      'rules/user/a.b.yml': groups,
    };
    const exported = await exportOf(withFiles(stack, 'prometheus', paths), isPlain);
    const objects = objectsIn(exported);
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const named = exported.findings.filter(({ fate }) => fate !== 'taken').map(({ what }) => what);
    expect(named).toEqual(
      expect.arrayContaining([
        '9_a-',
        'labels.my team',
        'labels.owner',
        'labels.wide',
        'labels.app.kubernetes.io/name',
        'labels.',
      ]),
    );
    if (!isPlain) expect(named).toEqual(expect.arrayContaining([long, 'A b/ü', `user/${long}`, 'user/a b']));
    const pod: Json = objects.find(
      ({ kind, metadata }) => /^(?:Deployment|StatefulSet)$/.test(kind) && metadata.name === 'pushgateway',
    );
    expect(pod.spec.template.metadata.annotations).toMatchObject({ owner: 'A & B', wide: long });
    // The host of the exporter is no name of a Service, so that its target has the other name.
    const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name.startsWith('x-9q'))
      ?.metadata.name;
    expect(service).toBeDefined();
    expect(
      exported.files.some(
        ({ path, content }) => /scrapeconfig|configmap-prometheus/.test(path) && content.includes(`${service}:1`),
      ),
    ).toBe(true);
  });

  it.each(forms)('must split 5 MB of dashboards, %s', async (_, isPlain) => {
    const panels = (bytes: number, blank = '') =>
      JSON.stringify({ title: 'd', panels: Array(Math.ceil(bytes / 10)).fill('123456') }, undefined, blank);
    const paths = {
      ...Object.fromEntries(Array.from({ length: 50 }, (__, at) => [`dashboards/user/${at}.json`, panels(100_000)])),
      'dashboards/user/wide.json': panels(700_000, '          '),
      'dashboards/user/huge.json': panels(1_500_000),
    };
    const exported = await exportOf(withFiles(await stackOf('name: a\n'), 'grafana', paths), isPlain);
    const objects = objectsIn(exported);
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const maps = objects.filter(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('grafana-dashboards'),
    );
    expect(maps.map(({ metadata }) => metadata.name)).toEqual(maps.map((__, at) => `grafana-dashboards-${at + 1}`));
    expect(maps.length).toBeGreaterThan(5);
    const keys = maps.flatMap(({ data }) => Object.keys(data as object));
    expect(keys.filter((key) => /^dashboards\.user\.\d+\.json$/.test(key)).length).toBe(50);
    expect(keys).toContain('dashboards.user.wide.json');
    const named = (what: string) => exported.findings.find((finding) => finding.what === what)?.fate;
    expect(named('files of grafana-dashboards')).toBe('changed');
    expect(named('grafana/dashboards/user/wide.json')).toBe('changed');
    expect(named('grafana/dashboards/user/huge.json')).toBe('left');
  });

  it('must split rules that are too large for one object', async () => {
    const rules = (name: string, count: number) => ({
      name,
      rules: Array.from({ length: count }, (_, at) => ({ record: `r${at}`, expr: 'x'.repeat(1000) })),
    });
    const content = JSON.stringify({
      groups: [rules('a', 400), rules('b', 400), rules('c', 400), rules('wide', 1500)],
    });
    const exported = await exportOf(
      withFiles(await stackOf('name: a\n'), 'prometheus', { 'rules/user/a.yml': content }),
      false,
    );
    const objects: Json[] = objectsIn(exported).filter(({ metadata }) => metadata.name.startsWith('user-a'));
    expect(objects.flatMap(problemsOf)).toEqual([]);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['user-a-1', 'user-a-2', 'user-a-3', 'user-a-4']);
    expect(objects.flatMap(({ spec }) => spec.groups.flatMap((group: Json) => group.rules)).length).toBe(2700);
  });
});
