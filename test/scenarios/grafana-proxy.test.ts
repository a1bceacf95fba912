import { request } from 'node:https';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';
import { blocksOf } from '../support/page.ts';
import { serverImages } from '../support/server-images.ts';
import { isFull } from '../support/shares.ts';
import { freePorts, type StackFolder, toRun } from '../support/stack-folder.ts';

// The Caddyfile of docs/access.md, with Debian's Caddy.

if (!isFull) test('one port for all by a reverse proxy', ({ skip }) => skip('only `npm run test:full` runs it'));

const authority = await testCertificate();
const { cert, key } = await testCertificate({ names: ['localhost'], issuer: authority });
const shown = 'monitoring.example.com';
const users = { ann: 'planted-password-of-ann' };

const blockOf = (language: string): string =>
  blocksOf('docs/access.md').find((block) => block.language === language)?.text ?? '';

/** Starts Caddy with the page's file, at another port and with the ports of a stack. */
async function startCaddy({ name, path, ports, write }: StackFolder, port: number): Promise<void> {
  await using engine = await connect({ env: process.env });
  const { caddy = '' } = await serverImages(engine, ['caddy']);
  const pairs = { 3000: ports.grafana, 9090: ports.prometheus, 9093: ports.alertmanager, 9091: ports.pushgateway };
  const file = Object.entries(pairs).reduce(
    (text, [from, to]) => text.replace(`127.0.0.1:${from}\n`, `127.0.0.1:${to}\n`),
    blockOf('caddyfile').replace(
      `${shown} {`,
      `https://localhost:${port} {\n\ttls /etc/caddy/cert.pem /etc/caddy/key.pem`,
    ),
  );
  await write('caddy/Caddyfile', `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${file}\n`);
  await write('caddy/cert.pem', cert);
  await write('caddy/key.pem', key);
  await write('ca.pem', authority.cert);
  const options = ['--network', 'host', '--user', '0:0', '--env', 'HOME=/tmp', '--tmpfs', '/tmp'];
  const mount = ['--volume', `${join(path, 'caddy')}:/etc/caddy:ro`];
  const run = ['run', '--config', '/etc/caddy/Caddyfile', '--adapter', 'caddyfile'];
  await execa('docker', ['run', '--detach', '--name', `${name}-caddy`, ...options, ...mount, caddy, ...run]);
}

const statusOf = (url: string, auth?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(
      url,
      { agent: false, ca: authority.cert, ...(auth === undefined ? {} : { auth }) },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end();
  });

describe.sequential.each(isFull ? grafanas : [])('one port for all by a reverse proxy, with %s of Grafana', (which) => {
  let port = 0;
  let started = '';
  const check = grafanaChecks(which, async ({ folder, configure, fine }) => {
    [port = 0] = await freePorts(1);
    const at = `https://localhost:${port}`;
    await configure(
      { root_url: `${at}/grafana/` },
      {
        access: { users },
        prometheus: { external_url: `${at}/prometheus/` },
        alertmanager: { external_url: `${at}/alertmanager/` },
      },
    );
    await fine('up');
    await startCaddy(folder, port);
    started = `${folder.name}-caddy`;
  });
  afterAll(async () => {
    if (started !== '') await execa('docker', ['rm', '--force', started]);
  });

  check('the page must show the keys that belong to it', async () => {
    const keys = blocksOf('docs/access.md').filter(({ text }) => text.includes(`https://${shown}/prometheus/`));
    expect(keys.length).toBe(1);
    expect(keys[0]?.text).toContain(`root_url: https://${shown}/grafana/`);
  });

  check('each server must be behind it, and ask for its login', async ({ password }) => {
    const at = `https://localhost:${port}`;
    const auth = 'ann:planted-password-of-ann';
    await eventually(async () => expect(await statusOf(`${at}/grafana/api/health`)).toBe(200), 60_000);
    for (const path of ['/prometheus/api/v1/query?query=up', '/alertmanager/api/v2/status', '/pushgateway/metrics']) {
      expect(await statusOf(`${at}${path}`, auth), path).toBe(200);
      expect(await statusOf(`${at}${path}`), path).toBe(401);
    }
    expect(await statusOf(`${at}/`)).toBe(302);
    expect(await statusOf(`${at}/grafana/api/user`, `admin:${await password()}`)).toBe(200);
  });

  check('a push through it must arrive', async ({ folder, fine }) => {
    const url = `https://ann:planted-password-of-ann@localhost:${port}/pushgateway`;
    const env = { NODE_EXTRA_CA_CERTS: join(folder.path, 'ca.pem') };
    const pushed = folder.start(['push', '--job', 'backup', '--url', url], env);
    pushed.stdin?.end('backup_ok 1\n');
    expect(toRun(await pushed)).toMatchObject({ exitCode: 0 });
    expect(await fine('groups')).toContain('backup');
    await fine('verify', '--timeout', '60s');
  });
});
