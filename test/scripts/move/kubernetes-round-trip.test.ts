import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubernetesExport } from '../../../scripts/move/kubernetes/export-kubernetes.ts';
import type { KubernetesObject } from '../../../scripts/move/kubernetes/kubernetes-draft.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { revealed } from '../../../scripts/render/show.ts';
import { toBytes } from '../../../scripts/util/file-bytes.ts';
import { cases, renderCase } from '../../golden/golden.ts';
import {
  contentAt,
  exportOf,
  filesIn,
  forms,
  isManifest,
  type Json,
  objectsIn,
} from '../../support/kubernetes-export.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';

const exports = new Map<string, Promise<KubernetesExport>>();
const renderings = new Map<string, Promise<Rendering>>();

/** Each golden stack is rendered once. */
function renderingOf(name: string): Promise<Rendering> {
  const rendering = renderings.get(name) ?? renderCase(name);
  renderings.set(name, rendering);
  return rendering;
}

/** Each is exported once in each form. */
async function exportedOf(name: string, isPlain: boolean, withSecrets = true): Promise<KubernetesExport> {
  const key = `${name} ${isPlain} ${withSecrets}`;
  const exported = exports.get(key) ?? exportOf(await renderingOf(name), isPlain, withSecrets);
  exports.set(key, exported);
  return exported;
}

const strings = (text: string): Json => parse(text, { schema: 'failsafe', merge: true, logLevel: 'silent' });

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
    const objects = objectsIn(await exportedOf(name, isPlain));
    expect(objects.flatMap(problemsOf)).toEqual([]);
    expect(objects.length).toBeGreaterThan(1);
  });

  it.each(forms)('must have each object once, listed for kustomize, %s', async (_, isPlain) => {
    for (const withSecrets of [false, true]) {
      const exported = await exportedOf(name, isPlain, withSecrets);
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
    const rendering = await renderingOf(name);
    const exported = await exportedOf(name, false);
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
    const rendering = await renderingOf(name);
    const objects = objectsIn(await exportedOf(name, true));
    // The exporters of hosts have other targets in a cluster.
    const hasNodes = rendering.services.some(({ container }) => container.host !== undefined);
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
      // Only promstack logs in by the file `login`.
      const used = files.filter(({ path }) => path !== 'access/login');
      expect(paths.sort()).toEqual(used.map(({ path }) => path).sort());
      for (const file of used) {
        const content = mounted.get(file.path) ?? Buffer.of();
        const isChanged = file.path === 'alertmanager.yml' || (file.path === 'prometheus.yml' && hasNodes);
        if (isChanged) expect(comparable(content.toString('utf8')).route).toEqual(comparable(revealed(file)).route);
        else expect(content.equals(toBytes(file)), file.path).toBe(true);
      }
    }
  });

  it.each(forms)('must have no secret outside of Secret manifests, %s', async (_, isPlain) => {
    const [complete, plain] = [await exportedOf(name, isPlain, true), await exportedOf(name, isPlain, false)];
    const open = [...plain.files, ...complete.files.filter(({ path }) => !path.startsWith('secrets/'))];
    expect(open.filter(({ content }) => content.includes('planted-secret')).map(({ path }) => path)).toEqual([]);
    expect(objectsIn(plain).filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(plain.files.filter(({ path }) => path.startsWith('secrets/'))).toEqual([]);
    const readme = plain.files.find(({ path }) => path === 'README.md')?.content.toString('utf8') ?? '';
    const needed = plain.secrets.filter(({ entries }) => entries.some(({ values }) => values.length > 0));
    for (const secret of needed) expect(readme).toContain(`create secret generic ${secret.name} \\\n`);
  });

  it.each(forms)('must be the same bytes every time, %s', async (_, isPlain) => {
    const bytes = ({ files }: KubernetesExport) => files.map(({ path, content }) => `${path}\n${content}`);
    const again = await exportOf(await renderCase(name), isPlain, false);
    expect(bytes(again)).toEqual(bytes(await exportedOf(name, isPlain, false)));
  });

  it('must run all pods with the least rights', async () => {
    for (const { kind, spec } of objectsIn(await exportedOf(name, true)) as Json[]) {
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
