import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { connect } from '../../scripts/engine/connect.ts';
import { observeStack } from '../../scripts/plan/swarm/place.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { buildStandInImage, type StandInImage } from '../support/grafana-image/build.ts';
import { haveImages, haveStackImages } from '../support/images.ts';
import { emptyFolder, promstack } from '../support/promstack.ts';
import { isFull } from '../support/shares.ts';
import { type LabNode, type SwarmLab, startSwarmLab } from '../support/swarm-lab.ts';

// The parts of stack.yml that need more of a swarm than services: a store, networks of others, and Grafana's password.

const canRun = process.getuid?.() === 0 && process.platform === 'linux';
const reason = 'the lab of a swarm needs root on Linux';

let lab: SwarmLab;
let folder: Awaited<ReturnType<typeof emptyFolder>>;
let standIn: StandInImage | undefined;

beforeAll(async () => {
  if (!isFull || !canRun) return;
  lab = await startSwarmLab();
  folder = await emptyFolder();
  await using engine = await connect({ env: process.env });
  standIn = await buildStandInImage(engine, { mayGain: true });
  const images = await haveStackImages(engine);
  const store = await haveImages(engine, [defaultImages.victoriametrics]);
  await lab.load([...images, ...store, standIn.reference]);
}, 400_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await standIn?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
}, 60_000);

beforeEach(({ skip }) => {
  if (!canRun) skip(reason);
  if (!isFull) skip('only `npm run test:full` runs it');
});

const at = (node: LabNode, ...args: readonly string[]) =>
  promstack(folder.path, args, {
    DOCKER_HOST: node.dockerHost,
    FIRST_PASSWORD: 'the-first-one',
    NEXT_PASSWORD: 'the-next-one',
  });

/** Writes stack.yml with these keys beside those of all scenarios. */
async function configure(keys: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const base = {
    ...{ name: 'shop', target: 'swarm', bind: '0.0.0.0', images: { source: 'auto' } },
    prometheus: { scrape_interval: '1s', evaluation_interval: '1s' },
    alertmanager: { enabled: false },
    grafana: { image: standIn?.reference },
    long_term: { victoriametrics: { port: 8428 } },
  };
  await mkdir(folder.path, { recursive: true });
  await writeFile(
    `${folder.path}/stack.yml`,
    stringify({ ...base, ...keys }).replaceAll(/"!(env|file) ([^"]+)"/g, '!$1 $2'),
  );
}

async function up(node: LabNode): Promise<string> {
  const { exitCode, stderr, stdout } = await at(node, 'up');
  expect(exitCode, stderr).toBe(0);
  return stdout + stderr;
}

async function observe(node: LabNode) {
  await using engine = await connect({ env: { DOCKER_HOST: node.dockerHost } });
  return await observeStack(engine, 'shop');
}

/** The nodes that run a service. */
async function nodesOf(service: string): Promise<readonly LabNode[]> {
  const { services, nodes } = await observe(lab.nodes[0]);
  const ids = (services.get(service)?.tasks ?? []).flatMap(({ node, desired }) =>
    desired === 'running' ? [node] : [],
  );
  return lab.nodes.filter(({ name }) => ids.includes(nodes.find((node) => node.name === name)?.id));
}

/** What a server answers at the port of its first node. */
async function ask(service: string, port: number, path: string, init: RequestInit = {}): Promise<Response> {
  const [node] = await nodesOf(service);
  return fetch(`http://${node?.address}:${port}${path}`, { ...init, signal: AbortSignal.timeout(5_000) });
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

async function stored(expr: string): Promise<readonly Series[]> {
  const path = `/api/v1/query?nocache=1&query=${encodeURIComponent(expr)}`;
  const { data } = (await (await ask('victoriametrics', 8428, path)).json()) as { data: { result: Series[] } };
  return data.result;
}

describe('long-term storage on a swarm', () => {
  it('must have the samples of both replicas as one series, not twice', async () => {
    await configure();
    await up(lab.nodes[0]);
    await eventually(async () => {
      const [series, ...others] = await stored('up{job="pushgateway"}[20s]');
      expect(others).toEqual([]);
      expect(series?.metric).not.toHaveProperty('replica');
      // Each replica scrapes it once in ten seconds.
      expect(series?.values.length).toBeGreaterThanOrEqual(2);
    }, 90_000);
    await eventually(async () => {
      const [series] = await stored('up{job="victoriametrics"}[20s]');
      // Once in a second by each: of each second the store keeps one.
      expect(series?.values.length).toBeGreaterThan(10);
      const seconds = (series?.values ?? []).map(([time]) => Math.ceil(time));
      expect(new Set(seconds).size).toBe(seconds.length);
    }, 90_000);
    const verified = await at(lab.nodes[1], 'verify');
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    expect(verified.stdout).toContain('the long-term storage has it');
    expect(await up(lab.nodes[2])).toContain('nothing to do');
  }, 400_000);

  it('must refuse a change after which no sample arrives, and roll it back', async () => {
    const before = (await observe(lab.nodes[0])).records.at(-1)?.revision;
    await configure({
      long_term: { remote: { write: 'http://nowhere.invalid/write', read: 'http://nowhere.invalid' } },
    });
    const { exitCode, stderr } = await at(lab.nodes[1], 'up');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/confirming that samples arrive in the long-term storage http:\/\/nowhere\.invalid\/write/);
    expect(stderr).toMatch(new RegExp(`everything was rolled back to revision ${before}`));
  }, 400_000);
});

describe('networks on a swarm', () => {
  it('must be refused by name when they are of one node only', async () => {
    await lab.docker(lab.nodes[0], 'network', 'create', 'alone');
    await configure({ networks: ['alone'] });
    for (const command of ['plan', 'up']) {
      const { exitCode, stdout, stderr } = await at(lab.nodes[0], command);
      expect(exitCode).toBe(2);
      expect(stdout + stderr).toContain('no service can join the network "alone": it is a network of this node alone');
    }
    expect((await at(lab.nodes[1], 'up')).stderr).toContain('the swarm has no network "alone"');
  }, 120_000);

  it('must be joined, so that an app of another stack is scraped and pushes', async () => {
    const [first] = lab.nodes;
    await lab.docker(first, 'network', 'create', '--driver', 'overlay', 'mall');
    const images = await lab.docker(first, 'images', '--format', '{{.Repository}}:{{.Tag}}');
    const image = images.split('\n').find((name) => name.startsWith('promstack/pushgateway:')) ?? '';
    const app = 'mkdir /tmp/www && echo "mall_orders 3" > /tmp/www/metrics.txt && exec httpd -f -p 8080 -h /tmp/www';
    const service = ['service', 'create', '--detach', '--name', 'app', '--network', 'mall', '--endpoint-mode', 'dnsrr'];
    await lab.docker(first, ...service, '--no-resolve-image', '--entrypoint', 'sh', image, '-c', app);
    const job = { job_name: 'app', metrics_path: '/metrics.txt', static_configs: [{ targets: ['app:8080'] }] };
    await configure({
      networks: [{ name: 'mall', services: ['prometheus', 'pushgateway'] }],
      prometheus: { scrape_interval: '1s', evaluation_interval: '1s', scrape_configs: [job] },
    });
    await up(first);
    await eventually(async () => {
      const response = await ask('prometheus', 9090, '/api/v1/query?query=mall_orders');
      expect(await response.text()).toContain('"3"');
    }, 60_000);
    const [node] = await eventuallyNodes('app');
    const id = await lab.docker(node, 'ps', '--quiet', '--filter', 'label=com.docker.swarm.service.name=app');
    const pushed = await lab.docker(node, 'exec', id, 'wget', '-q', '-O', '-', 'http://shop-pushgateway:9091/-/ready');
    expect(pushed).toContain('OK');
    await eventually(async () => expect((await at(lab.nodes[2], 'status')).exitCode).toBe(0), 90_000);
    expect(await up(lab.nodes[1])).toContain('nothing to do');
    await configure();
    await up(first);
    await lab.docker(first, 'service', 'rm', 'app');
    // Nothing of the stack holds it any longer.
    await eventually(() => lab.docker(first, 'network', 'rm', 'mall'), 60_000);
  }, 400_000);
});

/** The nodes that run a service which is none of promstack's. */
async function eventuallyNodes(service: string): Promise<readonly [LabNode, ...LabNode[]]> {
  const name = await lab.docker(
    lab.nodes[0],
    'service',
    'ps',
    '--format',
    '{{.Node}}',
    '--filter',
    'desired-state=running',
    service,
  );
  const [node, ...others] = lab.nodes.filter((each) => name.split('\n').includes(each.name));
  if (node === undefined) throw new Error(`no node runs ${service}`);
  return [node, ...others];
}

describe('access on a swarm', () => {
  const guarded = (password: string) => ({
    access: {
      users: { ann: `!env ${password}` },
      tls: { cert: '!file tls/cert.pem', key: '!file tls/key.pem', ca: '!file tls/ca.pem' },
    },
    alertmanager: {},
  });
  let ca = '';
  const statusAs = async (service: string, port: number, path: string, password: string): Promise<number> => {
    const [node] = await nodesOf(service);
    const agent = new Agent({ ca, checkServerIdentity: (_, certificate) => checkServerIdentity(service, certificate) });
    const { address } = node ?? { address: '' };
    const auth = `ann:${password}`;
    return new Promise((resolve, reject) => {
      const request = get({ host: address, port, path, auth, agent, timeout: 5_000 }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
    });
  };
  const servers = [
    ['prometheus', 9090, '/-/ready'],
    ['alertmanager', 9093, '/-/ready'],
    ['pushgateway', 9091, '/-/ready'],
    ['victoriametrics', 8428, '/api/v1/query?query=1'],
  ] as const;

  it('must be asked of all clients by each task, and be met by promstack', async () => {
    const authority = await testCertificate();
    const names = servers.map(([name]) => name);
    const { cert, key } = await testCertificate({ names, issuer: authority });
    ca = authority.cert;
    await mkdir(`${folder.path}/tls`, { recursive: true });
    await writeFile(`${folder.path}/tls/cert.pem`, cert);
    await writeFile(`${folder.path}/tls/key.pem`, key);
    await writeFile(`${folder.path}/tls/ca.pem`, ca);
    await configure(guarded('FIRST_PASSWORD'));
    await up(lab.nodes[0]);
    for (const [service, port, path] of servers) {
      expect(await statusAs(service, port, path, 'the-first-one'), service).toBe(200);
      expect(await statusAs(service, port, path, 'wrong'), service).toBe(401);
    }
    // A target may answer its first scrapes late.
    await eventually(async () => {
      const { exitCode, stdout } = await at(lab.nodes[1], 'status');
      expect(exitCode, stdout).toBe(0);
    }, 90_000);
    await eventually(async () => expect((await at(lab.nodes[2], 'verify')).exitCode).toBe(0), 90_000);
    expect((await at(lab.nodes[1], 'groups')).exitCode).toBe(0);
    expect(await up(lab.nodes[2])).toContain('nothing to do');
  }, 400_000);

  it('must change with a password, and go back with a rollback, which no longer knows it from stack.yml', async () => {
    await configure(guarded('NEXT_PASSWORD'));
    await up(lab.nodes[1]);
    expect(await statusAs('prometheus', 9090, '/-/ready', 'the-next-one')).toBe(200);
    expect(await statusAs('prometheus', 9090, '/-/ready', 'the-first-one')).toBe(401);
    const back = await at(lab.nodes[2], 'rollback', '--yes');
    expect(back.exitCode, back.stderr).toBe(0);
    expect(await statusAs('prometheus', 9090, '/-/ready', 'the-first-one')).toBe(200);
    await configure();
    await up(lab.nodes[0]);
  }, 400_000);
});

describe("Grafana's password on a swarm", () => {
  const signsIn = async (password: string): Promise<boolean> => {
    const headers = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
    return (await ask('grafana', 3000, '/api/user', { headers })).ok;
  };

  it('must be shown by each manager when it was generated, and be in no log', async () => {
    const shown = await Promise.all(lab.nodes.map((node) => at(node, 'password')));
    const [password = ''] = shown.map(({ stdout }) => stdout.trim());
    expect(shown.map(({ stdout }) => stdout.trim())).toEqual([password, password, password]);
    expect(await signsIn(password)).toBe(true);
    const logs = await at(lab.nodes[0], 'logs');
    expect(logs.stdout).not.toContain(password);
    // Nothing that has the secret is left.
    expect(await lab.docker(lab.nodes[0], 'service', 'ls', '--format', '{{.Name}}')).not.toContain('reach');
  }, 180_000);

  it('must become that of stack.yml, in the database too, and stay what it is in a rollback', async () => {
    const { stdout } = await at(lab.nodes[0], 'password');
    const generated = stdout.trim();
    await configure({ grafana: { image: standIn?.reference, admin_password: '!env FIRST_PASSWORD' } });
    await up(lab.nodes[1]);
    expect([await signsIn('the-first-one'), await signsIn(generated)]).toEqual([true, false]);
    await configure({ grafana: { image: standIn?.reference, admin_password: '!env NEXT_PASSWORD' } });
    await up(lab.nodes[2]);
    expect(await signsIn('the-next-one')).toBe(true);
    expect((await at(lab.nodes[0], 'password')).stdout).toBe('the-next-one\n');
    expect((await at(lab.nodes[0], 'verify')).exitCode).toBe(0);
    const back = await at(lab.nodes[0], 'rollback', '--yes');
    expect(back.exitCode, back.stderr).toBe(0);
    // One that was changed, as after a leak, is not to be valid again.
    expect([await signsIn('the-first-one'), await signsIn('the-next-one')]).toEqual([false, true]);
  }, 400_000);

  it('must be all there was of the stack when it is down with its volumes', async () => {
    const { exitCode, stderr } = await at(lab.nodes[0], 'down', '--volumes', '--yes');
    expect(exitCode, stderr).toBe(0);
    const left = await observe(lab.nodes[1]);
    expect([left.services.size, left.files, left.records, left.network]).toEqual([0, [], [], undefined]);
  }, 180_000);
});
