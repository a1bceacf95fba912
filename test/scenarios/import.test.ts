import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { connect } from '../../scripts/engine/connect.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { eventually } from '../support/eventually.ts';
import { haveImages } from '../support/images.ts';
import { expectFine } from '../support/revisions.ts';
import { getJson, query } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';
import { freePorts, type StackFolder, stackFolder } from '../support/stack-folder.ts';

const docker = new Docker();
const why = 'it runs the servers twice: `npm run test:full` runs it';

describe('a stack that ran in plain containers', () => {
  test('must have the same targets, rules, routes and receivers when it is imported, and its old samples', {
    timeout: 300_000,
  }, async ({ skip }) => {
    skip(!isFull, why);
    await using stack = await stackFolder();
    await using plain = await plainStack(stack);
    const before = await plain.look();
    await eventually(async () => expect(await query(plain.prometheus, 'shop_orders')).toHaveLength(1));
    await eventually(async () =>
      expect((await plain.look()).targets).not.toContainEqual(expect.stringMatching(/unknown$/)),
    );
    const old = await plain.look();
    expect(old.rules).toEqual(before.rules);
    const moment = Date.now() / 1_000;

    const imported = ['import', 'plain', '--out', 'new', '--name', stack.name, '--report', 'import.md'];
    const inUse = await stack.run(...imported, '--adopt', `${plain.volume}=prometheus`);
    expect(inUse.stderr).toContain(`✖ adopting the volume ${plain.volume}: `);
    expectFine(await stack.run(...imported));
    await stack.write('new/images.yml', 'images: {source: auto}\n');
    await plain.stop();
    const run = (...args: string[]) => stack.run(...args, '-f', 'new/stack.yml', '-f', 'new/images.yml');
    const adopted = await run('import', '--adopt', `${plain.volume}=prometheus`, '--json');
    expect(JSON.parse(adopted.stdout)).toMatchObject({
      ok: true,
      adopted: [{ volume: plain.volume, as: `${stack.name}-prometheus-data` }],
    });
    expectFine(await run('up'));

    await eventually(async () => {
      const now = await plain.look();
      // The stack scrapes its own Alertmanager too.
      const targets = now.targets.filter((target) => !target.startsWith('alertmanager alertmanager:9093'));
      expect({ ...now, targets }).toEqual(old);
    });
    const url = `${plain.prometheus}/api/v1/query?query=shop_orders&time=${moment}`;
    expect((await getJson<{ data: { result: unknown[] } }>(url)).data.result).toHaveLength(1);
    const again = await run('import', '--adopt', `${plain.volume}=prometheus`);
    expect(again.stderr).toContain(`the stack has a volume ${stack.name}-prometheus-data already`);
  });
});

const prometheusYml = `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ['localhost:9090']}]
  - job_name: app
    honor_labels: true
    static_configs: [{targets: ['app:9091'], labels: {team: shop}}]
  - job_name: both
    static_configs: [{targets: ['metrics:9090', 'app:9091']}]
alerting:
  alertmanagers: [{static_configs: [{targets: ['alerts:9093']}]}]
`;

const rulesYml = `groups:
  - name: shop
    rules:
      - {record: shop_orders, expr: 'sum(up{job="app"})'}
      - {alert: ShopDown, expr: 'up{job="app"} == 0', for: 1m, labels: {severity: page}}
`;

const alertmanagerYml = `route:
  receiver: mail
  group_by: [alertname]
  routes: [{receiver: phone, matchers: ['severity="page"']}]
receivers:
  - name: mail
    email_configs: [{to: a@example.com, from: b@example.com, smarthost: 'mail.example.com:25'}]
  - name: phone
    webhook_configs: [{url: 'https://hooks.example.com/services/not-a-real-one'}]
`;

const composeYaml = (name: string, ports: readonly number[]): string => `name: ${name}-app
services:
  metrics:
    image: prom/prometheus
    ports: ['127.0.0.1:${ports[0]}:9090']
    volumes: ['./prometheus:/etc/prometheus', 'data:/prometheus']
  alerts:
    image: prom/alertmanager
    ports: ['127.0.0.1:${ports[1]}:9093']
    volumes: ['./alertmanager.yml:/etc/alertmanager/alertmanager.yml']
  app:
    image: prom/pushgateway
    command: --log.level=warn
  other: {image: 'busybox:1.37'}
volumes: {data: }
`;

/** The containers that compose would start, with the images of the tests; the Pushgateway plays the app. */
async function plainStack(stack: StackFolder) {
  const ports = await freePorts(2);
  const project = `${stack.name}-app`;
  const network = `${project}_default`;
  const volume = `${project}_data`;
  await stack.write('plain/compose.yaml', composeYaml(stack.name, ports).replace('prom/pushgateway', 'shop/app:1.0.0'));
  await stack.write('plain/prometheus/prometheus.yml', prometheusYml);
  await stack.write('plain/prometheus/rules/shop.yml', rulesYml);
  await stack.write('plain/alertmanager.yml', alertmanagerYml);
  await chmod(stack.path, 0o755);
  await using engine = await connect({ env: process.env });
  const wanted = [defaultImages.prometheus, defaultImages.alertmanager, defaultImages.pushgateway];
  const images = await haveImages(engine, wanted);
  await docker.createNetwork({ Name: network, Labels: { 'dev.promstack.test': stack.name } });
  const at = (path: string): string => join(stack.path, 'plain', path);
  const containers = await Promise.all(
    [
      { name: 'metrics', binds: [`${at('prometheus')}:/etc/prometheus`, `${volume}:/prometheus`], port: '9090/tcp' },
      { name: 'alerts', binds: [`${at('alertmanager.yml')}:/etc/alertmanager/alertmanager.yml`], port: '9093/tcp' },
      { name: 'app', binds: [], port: undefined },
    ].map(async ({ name, binds, port }, index) => {
      const published = port === undefined ? {} : { [port]: [{ HostIp: '127.0.0.1', HostPort: String(ports[index]) }] };
      const flags = { metrics: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'] };
      const container = await docker.createContainer({
        Image: images[index] as string,
        name: `${project}-${name}`,
        Labels: { 'dev.promstack.test': stack.name },
        ...(name === 'app'
          ? {}
          : { Cmd: name === 'metrics' ? flags.metrics : ['--config.file=/etc/alertmanager/alertmanager.yml'] }),
        HostConfig: { NetworkMode: network, Binds: binds, PortBindings: published },
        NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name] } } },
      });
      await container.start();
      return container;
    }),
  );
  const [prometheus, alertmanager] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
  return {
    volume,
    prometheus,
    look: () => eventually(() => lookAt(prometheus, alertmanager)),
    stop: async () => void (await Promise.all(containers.slice(0, 2).map((container) => container.stop()))),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(containers.map((container) => container.remove({ force: true, v: true })));
      await stack.run('down', '--name', stack.name, '--volumes', '--yes');
      await docker.getVolume(volume).remove();
      await docker.getNetwork(network).remove();
    },
  };
}

interface Targets {
  readonly data: { readonly activeTargets: readonly { labels: Record<string, string>; health: string }[] };
}

interface Rules {
  readonly data: { readonly groups: readonly { name: string; rules: readonly { name: string; query: string }[] }[] };
}

/** What the servers say of their targets, rules, routes and receivers. */
async function lookAt(prometheus: string, alertmanager: string) {
  const { data: targets } = await getJson<Targets>(`${prometheus}/api/v1/targets`);
  const { data: rules } = await getJson<Rules>(`${prometheus}/api/v1/rules`);
  const { config } = await getJson<{ config: { original: string } }>(`${alertmanager}/api/v2/status`);
  const { route, receivers } = parse(config.original) as {
    route: { receiver: string; group_by: string[]; routes: { receiver: string }[] };
    receivers: { name: string }[];
  };
  const isOwn = (name: string): boolean => name.startsWith('promstack');
  return {
    targets: targets.activeTargets
      .map(
        ({ labels: { job, instance, ...others }, health }) => `${job} ${instance} ${JSON.stringify(others)} ${health}`,
      )
      .sort(),
    rules: rules.groups
      .filter(({ name }) => !isOwn(name))
      .map(({ name, rules: own }) => ({ name, rules: own.map((rule) => `${rule.name} ${rule.query}`) })),
    route: { ...route, routes: route.routes.filter(({ receiver }) => !isOwn(receiver)) },
    receivers: receivers.map(({ name }) => name).filter((name) => !isOwn(name)),
  };
}
