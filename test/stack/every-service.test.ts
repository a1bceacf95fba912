import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { schemaAt } from '../../scripts/config/schema.ts';
import { render, withValue } from '../../scripts/render/render.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { driverOf } from '../../scripts/servers/drivers.ts';
import { httpDriver } from '../../scripts/servers/http-driver.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { serviceSchemas, stackSchema } from '../../stack/config.ts';
import { pushgatewayTtl } from '../../stack/pushgateway-ttl/service.ts';
import { type Service, sectionPath } from '../../stack/service.ts';
import { services } from '../../stack/services.ts';

const templates = join(packageRoot(), 'templates');
/** Keys that enable or disable a service; that of `ttl` has no key `enabled` of its own. */
const keysOf = (service: Service, isEnabled: boolean): object =>
  withValue(
    service === pushgatewayTtl ? { pushgateway: { ttl: '1d' } } : {},
    [...sectionPath(service), 'enabled'],
    isEnabled,
  );
const config = stackSchema.parse(Object.assign({ name: 'every' }, ...services.map((service) => keysOf(service, true))));

it('every service section of stack.yml must have a service, and every service a section', () => {
  const nested = services.filter(({ path }) => path !== undefined);
  expect(Object.keys(serviceSchemas)).toEqual(
    services.filter((service) => !nested.includes(service)).map(({ name }) => name),
  );
  for (const service of nested) expect(schemaAt(stackSchema, sectionPath(service).map(String))).toBeDefined();
});

describe.each(services.map((service) => [service.name, service] as const))('%s', (name, service) => {
  it('must be enabled and disabled by stack.yml', () => {
    expect(service.isEnabled(config)).toBe(true);
    expect(service.isEnabled(stackSchema.parse(keysOf(service, false)))).toBe(false);
  });

  it("must run a pinned image, unprivileged, on the stack's bind address", () => {
    const spec = service.container(config);
    expect(spec.service).toBe(name);
    expect(spec.image).toMatch(/:v?\d+\.\d+\.\d+$/);
    expect(spec.user).toMatch(/^[1-9]\d*:\d+$/);
    expect(spec.env['TZ']).toBe('UTC');
    for (const port of spec.ports) expect(port.bind).toBe('127.0.0.1');
    expect(spec.ports.map(({ host }) => host)).toEqual([service.hostPort(config)].filter((port) => port !== undefined));
  });

  it('must be probed at a port of its container', () => {
    expect(service.ready).toMatchObject({ method: 'GET', port: service.port });
  });

  it('must be reloaded by its own driver exactly when it says so', () => {
    expect(driverOf(name).reload !== httpDriver.reload).toBe(service.reload === 'driver');
  });

  it('must have its templates, and contribute files that parse', async () => {
    const folder = join(templates, name);
    const rendered = await renderAll();
    const own = rendered.services.find((candidate) => candidate.service === service);
    const reads = service.container(config).mounts.some((mount) => mount.kind === 'config');
    expect((own?.files.length ?? 0) > 0).toBe(reads);
    for (const file of own?.files ?? []) {
      if (/\.ya?ml$/.test(file.path)) expect(() => parse(String(file.content)), file.path).not.toThrow();
    }
    if (existsSync(folder)) expect(readdirSync(folder).length).toBeGreaterThan(0);
  });

  it('must have its keys in the stack.yml of init', () => {
    const text = readFileSync(join(templates, 'init', 'full.yml'), 'utf8');
    expect(text).toMatch(new RegExp(`^#? *#?${sectionPath(service).at(-1)}:`, 'm'));
  });

  it('must not accept unexpected responses as proofs', async () => {
    const rendered = await renderAll();
    const own = rendered.services.find((candidate) => candidate.service === service);
    if (own === undefined) throw new Error('every service is rendered');
    const proofs = service.proofs({
      config,
      files: own.files,
      revision: own.revision,
      md5: () => new Uint8Array(16),
    });
    const unexpected = [
      { status: 503, body: '' },
      { status: 200, body: '{}' },
    ];
    const accepted = proofs.flatMap((proof) =>
      unexpected.filter((response) => proof.assess(response).kind === 'proven'),
    );
    expect(accepted).toEqual([]);
  });
});

it('every server must serve its API at the root path, whatever its external URL', () => {
  const pinned = services.filter((service) => service.container(config).args.includes('--web.route-prefix=/'));
  expect(pinned.map(({ name }) => name)).toEqual(['pushgateway', 'prometheus', 'alertmanager']);
});

it('rendering must be reproducible', async () => {
  const files = (rendering: Awaited<ReturnType<typeof renderAll>>) =>
    rendering.services.flatMap(({ files }) => files.map(({ path, content }) => [path, String(content)]));
  expect(files(await renderAll())).toEqual(files(await renderAll()));
});

async function renderAll() {
  const loaded = { config, path: '/s/stack.yml', folder: '/s', locate: () => undefined, userFiles: [] };
  const rendering = render(loaded, await loadTemplates(undefined));
  if (!rendering.ok) throw new Error(rendering.error.map(({ message }) => message).join('\n'));
  return rendering.value;
}
