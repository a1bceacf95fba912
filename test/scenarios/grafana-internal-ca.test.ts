import { createPrivateKey, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { issueCertificate } from '../../scripts/state/issue-certificate.ts';
import { type Clock, systemClock } from '../../scripts/util/clock.ts';
import { watchStack } from '../../scripts/watch/watch-stack.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';
import type { GrafanaStack } from '../support/grafana-stack.ts';
import { remoteEngine } from '../support/remote-engine.ts';
import { isFull } from '../support/shares.ts';
import { toRun } from '../support/stack-folder.ts';

if (!isFull) test('a stack with an internal CA', ({ skip }) => skip('only `npm run test:full` runs it'));

const dayMs = 86_400_000;
const users = { ann: 'planted-pass:word-of-ann' };
const services = { process: {}, blackbox: {} };
const exporters = {
  process: {},
  blackbox: {
    modules: {
      internal: {
        prober: 'http',
        http: { tls_config: { ca_file: '/etc/promstack/certificates/ca.pem' }, valid_status_codes: [401] },
      },
    },
    internal: ['https://prometheus:9090/-/ready'],
  },
};
const internal = { access: { users, tls: 'internal', names: ['monitoring.example.com'], services }, exporters };

/** A file of a config volume. */
async function readFile({ folder }: GrafanaStack, path: string): Promise<string> {
  await using engine = await connect({ env: process.env });
  const [file] = (await engine.getFiles(`${folder.name}-carrier`, `/volumes/${path}`)) ?? [];
  if (file?.kind !== 'file') throw new Error(`there is no file ${path}`);
  return file.content.toString('utf8');
}

/** Puts another certificate in place of that of a server, as if by hand. */
async function replaceCertificate({ folder }: GrafanaStack, service: string, pem: string): Promise<void> {
  await using engine = await connect({ env: process.env });
  const writer = `${folder.name}-carrier`;
  const below = `/volumes/${service}/certificates`;
  const slot = (await engine.readLink(writer, `${below}/server.pem`)) ?? '';
  const file = { kind: 'file', path: slot, content: Buffer.from(pem), mode: 0o400, uid: 65534, gid: 65534 } as const;
  await engine.putFiles(writer, below, [file]);
}

/** A certificate of the stack's CA that was issued this number of days ago. */
async function issuedBefore(stack: GrafanaStack, service: string, days: number): Promise<string> {
  const certificate = new X509Certificate(await readFile(stack, `${service}/certificates/ca.pem`));
  const key = createPrivateKey(await readFile(stack, `${service}/certificates/ca-key.pem`));
  const names = (await readFile(stack, `${service}/current/access/names`)).trim().split('\n');
  return issueCertificate({ certificate, key }, names, Date.now() - days * dayMs);
}

/** The fingerprint of the certificate that a server shows. */
const shownBy = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.once('error', reject);
  });

/** The status of a server's response to a client that trusts these CAs. */
const statusBy = (url: string, ca: string | undefined, servername?: string): Promise<number | string> =>
  new Promise((resolve) => {
    const options = {
      auth: 'ann:planted-pass:word-of-ann',
      agent: false,
      ...(ca && { ca }),
      ...(servername && { servername }),
    };
    const sent = request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message));
    sent.end();
  });

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** What Prometheus answers to a query. */
const answerTo = (url: string, ca: string): Promise<readonly Sample[]> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { auth: 'ann:planted-pass:word-of-ann', agent: false, ca }, async (response) => {
      resolve(JSON.parse((await response.toArray()).join('')).data.result);
    });
    sent.on('error', reject);
    sent.end();
  });

describe.sequential.each(isFull ? grafanas : [])('a stack with an internal CA, and %s of Grafana', (which) => {
  const check = grafanaChecks(which, async ({ configure }) => configure({}, internal));

  check('up must make it, and a second up and plan have nothing to do', async ({ fine, folder }) => {
    expect(await fine('up')).toContain(`https://127.0.0.1:${folder.ports.prometheus}`);
    expect(await fine('up')).toContain('nothing to do, 7 services unchanged');
    await fine('plan', '--detailed-exitcode');
  });

  check('verify must find its canary from the push to the notification, and through Grafana', async ({ fine }) => {
    const out = await fine('verify', '--timeout', '60s');
    expect(out).toMatch(/grafana +queries it through its datasource/);
    expect(out).toContain('the pipeline works');
  });

  check('whoever trusts what `ca` prints must reach the servers, and nobody else', async ({ fine, folder }) => {
    const ca = await fine('ca');
    const { certificate, fingerprint } = JSON.parse(await fine('ca', '--json'));
    expect(certificate).toBe(ca);
    expect(new X509Certificate(ca).fingerprint256).toBe(fingerprint);
    for (const service of ['prometheus', 'alertmanager', 'pushgateway'] as const) {
      const url = folder.url(service, '/-/ready').replace('http:', 'https:');
      expect(await statusBy(url, ca)).toBe(200);
      for (const name of [service, `${folder.name}-${service}`, 'localhost', 'monitoring.example.com'])
        expect(await statusBy(url, ca, name), name).toBe(200);
      expect(await statusBy(url, ca, 'evil.example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await statusBy(url, undefined)).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
    }
  });

  check(
    'exporters must be scraped by TLS, and a probe must know the end of a certificate',
    async ({ fine, folder }) => {
      const ca = await fine('ca');
      const url = folder.url('prometheus', '/api/v1/query?query=').replace('http:', 'https:');
      await eventually(async () => {
        const up = await answerTo(`${url}up`, ca);
        expect(up.filter(({ value }) => value[1] !== '1')).toEqual([]);
        expect(up.map(({ metric }) => metric['job'])).toEqual(expect.arrayContaining(['process', 'blackbox']));
      }, 60_000);
      const [end] = await answerTo(`${url}probe_ssl_earliest_cert_expiry`, ca);
      expect(Number(end?.value[1]) * 1_000 - Date.now()).toBeGreaterThan(300 * dayMs);
      const beside = await execa(
        'docker',
        [
          'exec',
          `${folder.name}-pushgateway`,
          'wget',
          '-S',
          '-O',
          '-',
          '--no-check-certificate',
          'https://process-exporter:9256/metrics',
        ],
        { reject: false },
      );
      expect(beside.stderr).toContain('401 Unauthorized');
    },
  );

  check('a push, and another machine that drives the same engine, must need nothing more', async ({ fine, folder }) => {
    const pushed = folder.start(['push', '--job', 'backup']);
    pushed.stdin?.end('backup_ok 1\n');
    expect(toRun(await pushed)).toMatchObject({ exitCode: 0 });
    await using remote = await remoteEngine();
    const env = { DOCKER_HOST: remote.address };
    expect(toRun(await folder.start(['plan', '--detailed-exitcode'], env))).toMatchObject({ exitCode: 0 });
    expect(toRun(await folder.start(['ca'], env)).stdout).toBe(await fine('ca'));
    expect(toRun(await folder.start(['groups'], env)).stdout).toContain('backup');
  });

  check('a certificate near its end must be renewed without a restart or a new revision', async (stack) => {
    const { fine, folder, containers } = stack;
    const revisions = async () => JSON.parse(await fine('history', '--json')).revisions.length;
    const [before, ca, history] = [await containers(), await fine('ca'), await revisions()];
    await replaceCertificate(stack, 'prometheus', await issuedBefore(stack, 'prometheus', 300));
    const near = await shownBy(folder.ports.prometheus);
    expect(await fine('status')).toMatch(/prometheus: its certificate expires on[\s\S]*promstack up renews it/);
    expect((await folder.run('plan', '--detailed-exitcode')).exitCode).toBe(3);
    expect(await fine('reload')).toContain('0 changed, 7 unchanged');
    expect(await shownBy(folder.ports.prometheus)).not.toBe(near);
    expect([await containers(), await fine('ca'), await revisions()]).toEqual([before, ca, history]);
    await fine('plan', '--detailed-exitcode');
    await fine('verify', '--timeout', '60s');
  });

  check('watch must renew it too, without an edit', async (stack) => {
    const { folder, containers } = stack;
    const before = await containers();
    await using engine = await connect({ env: process.env });
    const link = () => engine.readLink(`${folder.name}-carrier`, '/volumes/process/certificates/server.pem');
    const stopping = new AbortController();
    const live: string[] = [];
    const hour = async (): Promise<void> => {
      await eventually(() => expect(live).toEqual(['live']), 60_000);
      await replaceCertificate(stack, 'process', await issuedBefore(stack, 'process', 300));
    };
    const near = await link();
    let hours = 0;
    const clock: Clock = {
      now: () => Date.now(),
      sleep: (ms, signal) => {
        if (ms !== 3_600_000) return systemClock.sleep(ms, signal);
        hours += 1;
        return hours === 1 ? hour() : systemClock.sleep(ms, signal);
      },
    };
    const watching = watchStack({
      ...{ engine, clock, cwd: folder.path, env: process.env, report: () => undefined, signal: stopping.signal },
      onceIdle: false,
      onSynced: (synced) => live.push(synced.kind),
      onWarning: () => undefined,
      onIdle: () => undefined,
    });
    await eventually(async () => expect(live).toEqual(['live', 'live']), 60_000);
    stopping.abort();
    await watching;
    expect(await link()).not.toBe(near);
    expect(await containers()).toEqual(before);
  });

  check('an expired certificate and one of an unknown CA must be named, and up must replace them', async (stack) => {
    const { fine, folder } = stack;
    const stranger = await testCertificate({ names: ['alertmanager'] });
    await replaceCertificate(stack, 'pushgateway', await issuedBefore(stack, 'pushgateway', 400));
    await replaceCertificate(stack, 'alertmanager', `${stranger.cert}${stranger.key}`);
    const { stdout } = await folder.run('status');
    expect(stdout).toContain('pushgateway: it does not answer: its certificate has expired');
    expect(stdout).toContain('alertmanager: it does not answer: its certificate is signed by an unknown CA');
    expect((await folder.run('verify')).stdout).toContain('its certificate has expired');
    await fine('up');
    await fine('verify', '--timeout', '60s');
  });

  check('neither the keys nor the password may be where others read them', async (stack) => {
    const { folder } = stack;
    const secrets = ['planted-', await secretOf(stack, 'prometheus/certificates/ca-key.pem')];
    await using engine = await connect({ env: process.env });
    const entries = (await engine.getFiles(`${folder.name}-carrier`, '/volumes')) ?? [];
    const isOpen = entries.filter(
      (entry) =>
        entry.kind === 'file' && (entry.mode & 0o077) !== 0 && secrets.some((text) => entry.content.includes(text)),
    );
    expect(entries.length).toBeGreaterThan(50);
    expect(isOpen.map(({ path }) => path)).toEqual([]);
    const keys = entries.filter(({ path }) => path.endsWith('ca-key.pem'));
    expect(keys.length).toBe(5);
    for (const key of keys) expect(key).toMatchObject({ mode: 0o400, uid: 0, gid: 0 });
    for (const { id } of await engine.listContainers({ [stackLabel]: folder.name })) {
      const inspected = JSON.stringify(await engine.inspectContainer(id));
      const lines: string[] = [];
      for await (const { text } of engine.logs(id, {})) lines.push(text);
      for (const secret of secrets) expect(`${inspected}${lines.join('\n')}`).not.toContain(secret);
    }
  });

  check('the CA must survive down and up, and a certificate of the user in between', async ({ fine, configure }) => {
    const ca = await fine('ca');
    await fine('down');
    await fine('up');
    expect(await fine('ca')).toBe(ca);
    const { cert, key } = await testCertificate({ names: ['monitoring.example.com'] });
    await configure({}, { ...internal, access: { users, services, tls: { cert, key } } });
    expect(await fine('up')).not.toContain('recreated');
    await configure({}, internal);
    expect(await fine('up')).not.toContain('recreated');
    expect(await fine('ca')).toBe(ca);
    await fine('verify', '--timeout', '60s');
  });

  check('without it, `ca` must say so', async ({ fine, configure, folder }) => {
    await configure({}, { access: { users } });
    await fine('up');
    const { exitCode, stderr } = await folder.run('ca');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('none of its servers has a certificate of an internal CA'),
    });
    await fine('verify', '--timeout', '60s');
  });
});

/** A line of a key that no public key has. */
async function secretOf(stack: GrafanaStack, path: string): Promise<string> {
  const [, , line = ''] = (await readFile(stack, path)).split('\n');
  return line.slice(0, 20);
}
