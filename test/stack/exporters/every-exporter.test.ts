import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { shippedDashboards } from '../../../scripts/dev/dashboards/index.ts';
import { triedVersions } from '../../../scripts/dev/test-images.ts';
import { recipeFor } from '../../../scripts/engine/images/recipes.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';
import { exporters } from '../../../stack/exporters/exporters.ts';
import { enabledServices, findService } from '../../../stack/services.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import { shippedAlerts } from '../../support/shipped.ts';

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');
const page = read('docs/exporters.md');
const full = parse(read('templates/init/full.yml').replaceAll(/^( *)#(?=[^\s#])/gm, '$1')) as {
  exporters: Readonly<Record<string, object>>;
};

describe.each(exporters.map((exporter) => [exporter.kind, exporter] as const))('%s', (kind, exporter) => {
  const { instances: _, ...keys } = full.exporters[kind] as Readonly<Record<string, unknown>>;
  const config = stackSchema.parse({ exporters: { [kind]: keys } });
  const service = enabledServices(config).find(({ name }) => name === kind);
  const spec = service?.container(config);

  it('must be a service of the stack when its key is there, and only then', () => {
    expect(service?.title).toMatch(/_exporter$/);
    expect(enabledServices(stackSchema.parse({})).map(({ name }) => name)).not.toContain(kind);
    const disabled = stackSchema.parse({ exporters: { [kind]: { enabled: false } } });
    expect(enabledServices(disabled).map(({ name }) => name)).not.toContain(kind);
    expect(findService(kind)?.name).toBe(kind);
  });

  it('must have a pinned default image that Debian can replace, with the version that was tried', () => {
    expect(defaultImages).toHaveProperty(kind, exporter.defaultImage);
    const [, version = ''] = /:v?(\d+\.\d+\.\d+)$/.exec(exporter.defaultImage) ?? [];
    expect(triedVersions[kind as keyof typeof triedVersions]).toContain(version);
    expect(recipeFor(exporter.defaultImage)?.packages).toEqual([exporter.debian?.package]);
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
    const rules = shippedAlerts.filter(({ file }) => file === `rules/${kind}.yml`);
    expect(rules.length).toBeGreaterThanOrEqual(3);
    expect(rules.length).toBeLessThanOrEqual(9);
  });

  it('must have a dashboard', () => {
    const path = `templates/exporters/${kind}/contribute/dashboards/${kind}.json`;
    expect(shippedDashboards().map((dashboard) => dashboard.path)).toContain(path);
  });

  it('must have its keys in the stack.yml of init, and a section of docs/exporters.md', () => {
    expect(keys).toHaveProperty('image', exporter.defaultImage);
    expect(page).toMatch(new RegExp(`^## .*\\(\`${kind}\`\\)$`, 'm'));
  });
});
