import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toCreateOptions } from '../../../scripts/engine/docker/create-options.ts';
import { type ComposeExport, exportCompose } from '../../../scripts/move/export-compose.ts';
import { render } from '../../../scripts/render/render.ts';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { Secret } from '../../../stack/secret.ts';
import { cases, renderCase } from '../../golden/golden.ts';
import { folderWith } from '../../support/config.ts';
import { loadedFrom } from '../../support/loaded.ts';

interface ComposeService {
  readonly [key: string]: unknown;
  readonly networks: Readonly<Record<string, { readonly aliases?: readonly string[] }>>;
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
  readonly secrets?: readonly { readonly source: string; readonly target: string }[];
}

interface ComposeProject {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

const textOf = ({ files }: ComposeExport, path: string): string =>
  files.find((file) => file.path === path)?.content.toString('utf8') ?? '';
const projectOf = (exported: ComposeExport): ComposeProject => parse(textOf(exported, 'compose.yaml'));

/** What compose reads: each `$$` is a `$`. */
const unescaped = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null).replaceAll('$$', '$'));

const exportOf = (rendering: Rendering, withSecrets = false) => exportCompose(rendering, undefined, { withSecrets });

async function stackOf(text: string): Promise<Rendering> {
  const rendered = render(loadedFrom(text), await loadTemplates(undefined));
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return rendered.value;
}

describe.each(cases)('the exported compose file of %s', (name) => {
  it('must create the containers that `up` creates', async () => {
    const rendering = await renderCase(name);
    const stack = rendering.config.name;
    const { services } = projectOf(await exportOf(rendering));
    expect(Object.keys(services).length).toBe(rendering.services.length);
    for (const { container: spec } of rendering.services) {
      const service = Object.values(services).find((one) => one['container_name'] === `${stack}-${spec.service}`);
      const volumes = spec.mounts.map((mount) => (mount.kind === 'config' ? 'config' : mount.volume));
      const { HostConfig: host = {}, ...options } = toCreateOptions({
        ...{ name: `${stack}-${spec.service}`, spec, labels: spec.labels, network: stack, volumes },
        connections: Object.fromEntries((spec.networks ?? []).map((network) => [network, { aliases: [] }])),
      });
      expect(unescaped(service)).toMatchObject({
        image: options.Image,
        hostname: options.Hostname,
        user: options.User,
        ...(spec.entrypoint === undefined ? {} : { entrypoint: options.Entrypoint }),
        ...(spec.args.length === 0 ? {} : { command: options.Cmd }),
        environment: spec.env,
        stop_grace_period: `${options.StopTimeout}s`,
        restart: host.RestartPolicy?.Name,
        read_only: host.ReadonlyRootfs,
        cap_drop: host.CapDrop,
        security_opt: host.SecurityOpt,
        pids_limit: host.PidsLimit,
        extra_hosts: host.ExtraHosts,
        logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
        networks: { default: { aliases: [spec.hostname ?? spec.service] } },
      });
      expect(service?.['mem_limit']).toBe(host.Memory);
      expect(Number(service?.['cpus'] ?? 0) * 1e9).toBeCloseTo(host.NanoCpus ?? 0);
      expect(service?.['tmpfs'] ?? []).toEqual(Object.entries(host.Tmpfs ?? {}).map((entry) => entry.join(':')));
      expect(service?.['ports'] ?? []).toEqual(
        spec.ports.map((port) => {
          return { target: port.container, published: `${port.host}`, host_ip: port.bind, protocol: 'tcp' };
        }),
      );
      const data = (service?.volumes ?? []).filter(({ type }) => type === 'volume');
      expect(data.map(({ source }) => source)).toEqual(volumes.filter((volume) => volume !== 'config'));
    }
  });

  it('must mount the rendered files, and have the text of no secret in any other file', async () => {
    const rendering = await renderCase(name);
    const [plain, complete] = [await exportOf(rendering), await exportOf(rendering, true)];
    const contentOf = ({ files }: ComposeExport, path: string): Buffer | undefined =>
      files.find((file) => file.path === path)?.content;
    const { services, secrets = {} } = projectOf(complete);
    const mountedAt = new Map(
      Object.values(services).flatMap((service) =>
        (service.secrets ?? []).map(({ source, target }) => {
          return [`${service['container_name']} ${target}`, secrets[source]?.file.slice(2) ?? ''] as const;
        }),
      ),
    );
    expect(Object.keys(secrets).length).toBe(mountedAt.size);
    for (const { service, files } of rendering.services) {
      const container = `${rendering.config.name}-${service.name}`;
      for (const file of files) {
        const path = `config/${service.name}/${file.path}`;
        const secret = mountedAt.get(`${container} /etc/promstack/current/${file.path}`);
        // A file can be mounted into a read-only folder only over another one.
        expect(contentOf(plain, path), path).toBeDefined();
        const text = file.content instanceof Secret ? file.content.reveal() : file.content;
        expect(contentOf(complete, secret ?? path)?.toString(file.isBinary === true ? 'latin1' : 'utf8')).toBe(text);
        if (file.content instanceof Secret) expect(secret, file.path).toBeDefined();
      }
    }
    const open = [...plain.files, ...complete.files.filter(({ path }) => !path.startsWith('secrets/'))];
    expect(open.filter(({ content }) => content.includes('planted-secret')).map(({ path }) => path)).toEqual([]);
    expect(plain.files.filter(({ path }) => path.startsWith('secrets/'))).toEqual([]);
    const listed = textOf(plain, 'README.md');
    for (const path of mountedAt.values()) expect(listed).toContain(`| \`${path}\` | `);
    expect(textOf(plain, '.gitignore')).toBe('/secrets/\n');
  });
});

describe('an exported stack', () => {
  it('must take the name of no server in the networks of others', async () => {
    const joined = { name: 'shop_default', services: ['prometheus'] };
    const exported = await exportOf(await stackOf(`name: shop\nnetworks: [${JSON.stringify(joined)}]\n`));
    const { services, networks } = projectOf(exported);
    expect(networks).toEqual({ default: { name: 'shop' }, shop_default: { external: true } });
    expect(Object.keys(services)).toEqual(['pushgateway', 'shop-prometheus', 'alertmanager', 'grafana']);
    expect(services['shop-prometheus']).toMatchObject({
      hostname: 'shop-prometheus',
      networks: { default: { aliases: ['prometheus'] }, shop_default: {} },
      external_links: expect.arrayContaining(['shop-alertmanager:alertmanager']),
    });
    expect(textOf(exported, 'README.md')).toContain('These networks must exist: `shop_default`.');
  });

  it('must have an exporter by a name that its database does not have', async () => {
    const { services } = projectOf(
      await exportOf(await stackOf('name: a\nexporters: {redis: {address: "redis:6379"}}\n')),
    );
    expect(Object.keys(services)).toContain('redis-exporter');
    expect(Object.keys(services)).not.toContain('redis');
  });

  it.each(['a$b', '$HOME', '$$'])('must keep %s in all that compose reads', async (text) => {
    const rendering = await stackOf(`name: a\nlabels: {x: ${JSON.stringify(text)}}\n`);
    const { services } = projectOf(await exportOf(rendering));
    expect(services['prometheus']?.['labels']).toEqual({ x: text.replaceAll('$', '$$$$') });
  });

  it('must check the health of containers whose image has wget, and of no other', async () => {
    const images = {
      'prom/prometheus:v3.13.2': true,
      'mirror.example/prom/prometheus:v3.13.2': true,
      'promstack/prometheus:3.5.3-debian': true,
      'prom/prometheus:v3.13.2-distroless': false,
      'example/unknown:1': false,
    };
    for (const [image, hasWget] of Object.entries(images)) {
      const exported = await exportOf(await stackOf(`name: a\nprometheus: {image: "${image}"}\n`));
      const service = projectOf(exported).services['prometheus'];
      expect(service?.['healthcheck'] !== undefined, image).toBe(hasWget);
      const isLocal = image.startsWith('promstack/');
      expect(service?.['pull_policy'], image).toBe(isLocal ? 'never' : undefined);
      expect(textOf(exported, 'README.md').includes(`- \`${image}\``), image).toBe(isLocal);
    }
  });

  it('must mask a password that stack.yml has as plain text', async () => {
    const auth = 'basic_auth: {username: u, password: planted-secret}';
    const rendering = await stackOf(`name: a\nprometheus: {scrape_configs: [{job_name: j, ${auth}}]}\n`);
    const exported = await exportOf(rendering, true);
    const having = exported.files.filter(({ content }) => content.includes('planted-secret'));
    expect(having.map(({ path }) => path)).toEqual(['secrets/prometheus/prometheus.yml']);
  });

  it('must mask a secret that a file of stack.yml has as plain text', async () => {
    const exporter = '{image: "a:1", port: 1, files: {token: planted-secret-1}}';
    await using folder = await folderWith({ 'stack.yml': `name: a\nexporters: {custom: {queue: ${exporter}}}\n` });
    const loaded = await renderStack({ cwd: folder.path, env: {} });
    if (!loaded.ok || !loaded.value.rendering.ok) throw new Error(JSON.stringify(loaded));
    const { files } = await exportOf(loaded.value.rendering.value, true);
    const having = files.filter(({ content }) => content.includes('planted-secret-1'));
    expect(having.map(({ path }) => path)).toEqual(['secrets/queue/token']);
  });

  it('must keep the folders that git would leave out', async () => {
    const { files } = await exportOf(await stackOf('name: a\n'));
    expect(files.map(({ path }) => path)).toContain('config/grafana/provisioning/plugins/.gitkeep');
    // A folder with a file of its own needs none.
    expect(files.map(({ path }) => path)).not.toContain('config/grafana/dashboards/.gitkeep');
  });
});

it('certificates that nothing would renew must not be exported', async () => {
  const exporting = exportOf(await stackOf('name: shop\naccess: {tls: internal}\n'));
  await expect(exporting).rejects.toThrow('nothing would renew them there');
});
