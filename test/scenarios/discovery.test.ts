import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { mapLimit } from '../../scripts/util/map-limit.ts';
import { removeNetwork } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { expectFine, expectSettled, historyOf } from '../support/revisions.ts';
import { getJson, getText, query } from '../support/servers.ts';
import { isFull, shareOf } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { imageOf } from '../support/tools.ts';
import { watching } from '../support/watching.ts';

const docker = new Docker();
const count = shareOf('labelled containers under watch', Array.from({ length: 50 })).length;

/** With more at once, engine 20.10 forgets to free a network. */
const atOnce = 8;
/** `npm test` shares the processors with other tests. */
const listedWithinMs = isFull ? 5_000 : 60_000;
const isStopped = (name: string): boolean => /[13579]$/.test(name);

const keys = {
  pushgateway: { enabled: false },
  alertmanager: { enabled: false },
  sink: { enabled: false },
  prometheus: { scrape_interval: '1s', scrape_configs: [{ job_name: 'discovered', scrape_timeout: '500ms' }] },
  discovery: { labels: true },
};

it('targets must be discovered while their containers run, without a reload, and named when they cannot be scraped', async () => {
  await using stack = await stackFolder();
  await using apps = await appsOf(stack);
  const project = stack.name.toUpperCase();
  const labels = { 'prometheus.io/scrape': 'true', 'com.docker.compose.project': project };
  const [network, elsewhere] = apps.networks;
  await stack.configure({ ...keys, networks: [network], discovery: { labels: true, projects: [project] } });
  await Promise.all([
    apps.run('web', network, {
      ...labels,
      'com.docker.compose.service': 'web',
      'prometheus.io/job': 'shop',
      'prometheus.io/path': '/metrics?a=b',
    }),
    apps.run('other-project', network, { ...labels, 'com.docker.compose.project': 'another' }),
    apps.run('apart', elsewhere, labels),
  ]);
  const up = await stack.run('up');
  expectFine(up);
  const why = `Prometheus is in none of its networks (${elsewhere}), and it publishes no port 9091`;
  const message = `the container ${apps.name('apart')} is not scraped: ${why}`;
  const tryThis = `in stack.yml, write \`networks: [${network}, ${elsewhere}]\`, then promstack up`;
  expect(up.stderr).toContain(`warning: ${message}\n  try: ${tryThis}\n`);
  const ofWeb = `compose_project="${project}",compose_service="web",instance="${apps.name('web')}:9091",job="shop"`;
  await eventually(async () => {
    expect(await query(stack.url('prometheus'), 'up{job="shop"}')).toEqual([`up{${ofWeb}} 1`]);
  });
  const reloaded = await lastReload(stack);

  // Whichever file is being written, Prometheus never loses a target that is still there.
  await using watch = watching(stack);
  await watch.next('idle');
  await using steady = sample(stack, apps.name('web'));
  const names = Array.from({ length: count }, (_, at) => `app-${at}`);
  await mapLimit(names, atOnce, (name) => apps.run(name, network, labels));
  const expected = ['web', ...names].map((name) => `${apps.name(name)}:9091`).sort();
  await eventually(async () => expect(await apps.listed()).toEqual(expected), listedWithinMs);
  await eventually(async () => expect(await targetsOf(stack)).toEqual(expected), 60_000);

  // A storm: all are killed and started again and again, and every second one stays.
  await mapLimit(names, atOnce, async (name) => {
    const app = docker.getContainer(apps.name(name));
    await app.kill();
    await app.start();
    if (isStopped(name)) await app.kill();
  });
  const left = ['web', ...names.filter((name) => !isStopped(name))].map((name) => `${apps.name(name)}:9091`).sort();
  await eventually(async () => expect(await apps.listed()).toEqual(left), listedWithinMs);
  await eventually(async () => expect(await targetsOf(stack)).toEqual(left), 60_000);
  expect(await steady.end()).toEqual([]);

  const status = JSON.parse((await stack.run('status', '--json')).stdout) as Status;
  const values = { targets: left.length, unscraped: 1, isCurrent: true };
  expect(status.services[0]?.indicators).toContainEqual({
    label: 'discovered',
    severity: 'error',
    text: `${left.length} targets, 1 container not scraped`,
    values,
  });
  expect(status.problems).toContainEqual({ severity: 'error', service: 'prometheus', message, try: tryThis });

  // Without a watch, a reload looks for them once.
  await watch.interrupt();
  await docker.getContainer(apps.name('app-0')).kill();
  const late = await stack.run('status');
  expect(late.stdout).toContain(`its discovered targets are out of date: ${apps.name('app-0')}:9091 is gone`);
  expectFine(await stack.run('reload'));
  expect(await apps.listed()).not.toContain(`${apps.name('app-0')}:9091`);
  expect(await lastReload(stack)).toBe(reloaded);
  await expectSettled(stack);
  expect(await historyOf(stack)).toHaveLength(1);
}, 400_000);

/** Containers with metrics, in networks of their own. */
async function appsOf(stack: StackFolder) {
  const networks = [`${stack.name}-apps_default`, `${stack.name}-elsewhere`] as const;
  await Promise.all(networks.map((network) => docker.createNetwork({ Name: network })));
  await using engine = await connect({ env: process.env });
  const image = await imageOf(engine, 'pushgateway');
  const name = (part: string): string => `${stack.name}-apps-${part}`;
  return {
    networks,
    name,
    run: async (part: string, network: string, labels: Readonly<Record<string, string>>): Promise<void> => {
      const container = await docker.createContainer({
        name: name(part),
        Image: image,
        Labels: { ...labels },
        HostConfig: { NetworkMode: network },
      });
      await container.start();
    },
    /** The instances in the file that Prometheus reads. */
    listed: async (): Promise<readonly string[]> => {
      await using own = await connect({ env: process.env });
      const { stdout } = await own.exec(`${stack.name}-prometheus`, ['cat', '/etc/promstack/discovered/targets.json']);
      return (JSON.parse(stdout) as readonly TargetGroup[]).map(({ labels }) => labels.instance).sort();
    },
    [Symbol.asyncDispose]: async () => {
      const all = await docker.listContainers({ all: true, filters: { name: [name('')] } });
      await mapLimit(all, atOnce, ({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }));
      await stack.run('down');
      await using own = await connect({ env: process.env });
      for (const name of networks) await removeNetwork(own, { id: name, name });
    },
  };
}

interface Status {
  readonly services: readonly { readonly indicators: readonly object[] }[];
  readonly problems: readonly object[];
}

interface TargetGroup {
  readonly labels: { readonly instance: string };
}

/** The instances that Prometheus scrapes in the job of the discovered targets. */
async function targetsOf(stack: StackFolder): Promise<readonly string[]> {
  const { data } = await getJson<{ data: { activeTargets: readonly TargetGroup[] } }>(
    stack.url('prometheus', '/api/v1/targets?state=active&scrapePool=discovered'),
  );
  return data.activeTargets.map(({ labels }) => labels.instance).sort();
}

/** Asks until `end` whether Prometheus scrapes a container; `end` returns when it did not. */
function sample(stack: StackFolder, container: string) {
  const misses: string[] = [];
  let isDone = false;
  const sampling = (async () => {
    for (; !isDone; await sleep(50)) {
      // Without an answer it is not known.
      const targets = await targetsOf(stack).catch(() => undefined);
      if (targets?.includes(`${container}:9091`) === false) misses.push(new Date().toISOString());
    }
  })();
  const end = async (): Promise<readonly string[]> => {
    isDone = true;
    await sampling;
    return misses;
  };
  return { end, [Symbol.asyncDispose]: async () => void (await end()) };
}

async function lastReload(stack: StackFolder): Promise<string | undefined> {
  const page = await getText(stack.url('prometheus', '/metrics'));
  return /^prometheus_config_last_reload_success_timestamp_seconds (.*)$/m.exec(page)?.[1];
}
