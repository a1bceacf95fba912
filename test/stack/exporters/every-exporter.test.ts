import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { shippedDashboards } from '../../../scripts/dev/dashboards/index.ts';
import { triedVersions } from '../../../scripts/dev/test-images.ts';
import { recipeFor } from '../../../scripts/engine/images/recipes.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';
import { exporters, metricsPages } from '../../../stack/exporters/exporters.ts';
import { pagesIn } from '../../../stack/exporters/services.ts';
import { enabledServices, findService, keyOf } from '../../../stack/services.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import { shippedAlerts } from '../../support/shipped.ts';

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');
const page = read('docs/exporters.md');
const uncommented = read('templates/init/full.yml').replaceAll(/^( *)#(?=[^\s#])/gm, '$1');
// It has tags of secrets.
const full = parse(uncommented, { logLevel: 'error' }) as {
  exporters: Readonly<Record<string, object>>;
};

const dashboards = shippedDashboards().map(({ path }) => path);
const dashboardOf = (kind: string): string => `templates/exporters/${kind}/contribute/dashboards/${kind}.json`;
const rulesOf = (kind: string) => shippedAlerts.filter(({ file }) => file === `rules/${kind}.yml`);

describe.each(metricsPages.map((server) => [server.kind, server] as const))('%s', (kind, server) => {
  const own = full.exporters[kind];

  it('must be a job of its name without a container, with alert rules, a dashboard and a section in the docs', () => {
    const config = stackSchema.parse({ exporters: { [kind]: own } });
    expect(enabledServices(config).map(({ name }) => name)).not.toContain(kind);
    expect(pagesIn(config).flatMap((page) => page.scrapes?.(config) ?? [])).toMatchObject([{ job_name: kind }]);
    expect(pagesIn(stackSchema.parse({ exporters: { [kind]: { enabled: false } } }))).toEqual([]);
    expect(server.problems(server.schema.parse(own), [])).toEqual([]);
    expect(rulesOf(kind).length).toBeGreaterThanOrEqual(3);
    expect(dashboards).toContain(dashboardOf(kind));
    expect(page).toMatch(new RegExp(`^## .*\\(\`${kind}\`\\)$`, 'm'));
  });
});

describe.each(exporters.map((exporter) => [exporter.kind, exporter] as const))('%s', (kind, exporter) => {
  const { instances: _, ...keys } = full.exporters[kind] as Readonly<Record<string, unknown>>;
  const config = stackSchema.parse({ exporters: { [kind]: keys } });
  const service = enabledServices(config).find(({ name }) => name === kind);
  const spec = service?.container(config);

  it('must be a service of the stack when its key is there, and only then', () => {
    expect(service?.title).toMatch(/[_-]exporter$/);
    expect(enabledServices(stackSchema.parse({})).map(({ name }) => name)).not.toContain(kind);
    const disabled = stackSchema.parse({ exporters: { [kind]: { enabled: false } } });
    expect(enabledServices(disabled).map(({ name }) => name)).not.toContain(kind);
    expect(findService(kind)?.name).toBe(kind);
  });

  it('must have a pinned default image that Debian can replace, with the version that was tried', () => {
    expect(defaultImages).toHaveProperty(kind, exporter.defaultImage);
    const [, version = ''] = /:v?(\d+\.\d+\.\d+)$/.exec(exporter.defaultImage) ?? [];
    const isTried = exporter.debian !== undefined;
    expect(triedVersions[kind as keyof typeof triedVersions]).toEqual(isTried ? [version] : []);
    expect(recipeFor(exporter.defaultImage)?.packages).toEqual(isTried ? [exporter.debian?.package] : undefined);
  });

  it('must run unprivileged, publish a port only when asked, and see the host only when declared', () => {
    expect(spec?.user).toMatch(/^[1-9]\d*:\d+$/);
    expect(spec?.env['TZ']).toBe('UTC');
    expect(spec?.ports.map(({ host, container }) => [host, container])).toEqual([[exporter.port, exporter.port]]);
    const quiet = stackSchema.parse({ exporters: { [kind]: { ...keys, port: undefined } } });
    expect(service?.container(quiet).ports).toEqual([]);
    expect(spec?.host).toEqual(exporter.host);
  });

  it('must be scraped by a job of its name', () => {
    expect(service?.scrapes?.(config).map(({ job_name: name }) => name)).toContain(kind);
  });

  it('must have three to nine alert rules', () => {
    expect(rulesOf(kind).length).toBeGreaterThanOrEqual(3);
    expect(rulesOf(kind).length).toBeLessThanOrEqual(9);
  });

  it('must have a dashboard, unless its image cannot be tried', () => {
    expect(dashboards.includes(dashboardOf(kind))).toBe(exporter.debian !== undefined);
  });

  it('must have its keys in the stack.yml of init, and a section of docs/exporters.md', () => {
    expect(keys).toHaveProperty('image', exporter.defaultImage);
    expect(page).toMatch(new RegExp(`^## .*\\(\`${kind}\`\\)$`, 'm'));
  });
});

it('must name the key of stack.yml of each service in messages', () => {
  const keys = ['node', 'redis-cache', 'own-one', 'prometheus'].map((name) => keyOf(name, 'extra_args'));
  expect(keys).toEqual([
    'exporters.node.extra_args',
    'exporters.redis.instances.cache.extra_args',
    'exporters.custom.own-one.extra_args',
    'prometheus.extra_args',
  ]);
});
