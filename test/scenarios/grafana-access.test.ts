import Dockerode from 'dockerode';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { type TestCertificate, testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';
import type { GrafanaStack } from '../support/grafana-stack.ts';
import { remoteEngine } from '../support/remote-engine.ts';
import { isFull } from '../support/shares.ts';
import { toRun } from '../support/stack-folder.ts';

// Every request path with TLS and logins on, from a push to the notification and Grafana's datasources.

if (!isFull) test('a stack with TLS and logins', ({ skip }) => skip('only `npm run test:full` runs it'));

const names = ['monitoring.example.com'];
const authority = await testCertificate();
const leaf = await testCertificate({ names, issuer: authority });
const renewed = await testCertificate({ names, issuer: authority });
const expired = await testCertificate({ names, issuer: authority, fromDays: -9, toDays: -2 });
const stranger = await testCertificate({ names });

const passwords = { ann: 'planted-pass:word-of-ann', bob: 'planted-password-of-bob' };
const accessOf = (users: Readonly<Record<string, string>> = passwords, { cert, key }: TestCertificate = leaf) => ({
  access: { users, tls: { cert, key, ca: authority.cert } },
});

/** Writes a file of a running server's config, as if by hand. */
async function tamper({ folder }: GrafanaStack, service: string, files: Readonly<Record<string, string>>) {
  await using engine = await connect({ env: process.env });
  const writer = `${folder.name}-carrier`;
  const link = await engine.readLink(writer, `/volumes/${service}/current`);
  await engine.putFiles(
    writer,
    `/volumes/${service}/${link}/access`,
    Object.entries(files).map(([path, text]) => {
      return { kind: 'file', path, content: Buffer.from(text), mode: 0o400, uid: 65534, gid: 65534 };
    }),
  );
}

describe.sequential.each(isFull ? grafanas : [])('a stack with TLS and logins, and %s of Grafana', (which) => {
  const check = grafanaChecks(which, async ({ configure }) => configure({}, accessOf()));

  check('up must start it, and a second up and plan have nothing to do', async ({ fine, folder }) => {
    expect(await fine('up')).toContain(`https://127.0.0.1:${folder.ports.prometheus}`);
    expect(await fine('up')).toContain('nothing to do, 5 services unchanged');
    await fine('plan', '--detailed-exitcode');
  });

  check('the servers must refuse who does not log in', async ({ folder }) => {
    for (const service of ['prometheus', 'alertmanager', 'pushgateway'] as const) {
      await expect(fetch(folder.url(service, '/-/ready')).then(({ status }) => status)).resolves.toBe(400);
    }
  });

  check('verify must find its canary from the push to the notification, and through Grafana', async ({ fine }) => {
    const out = await fine('verify', '--timeout', '60s');
    expect(out).toMatch(/grafana +queries it through its datasource/);
    expect(out).toContain('the pipeline works');
  });

  check('a push, the groups, a silence and status must work', async ({ fine, folder }) => {
    const pushed = folder.start(['push', '--job', 'backup']);
    pushed.stdin?.end('backup_ok 1\n');
    expect(toRun(await pushed)).toMatchObject({ exitCode: 0 });
    expect(await fine('groups')).toContain('backup');
    expect(await fine('silence', 'add', 'alertname=X', '--comment', 'test', '--duration', '1h')).toContain('-');
    await eventually(async () => expect(await fine('status')).toContain('no problems found'), 60_000);
  });

  check('the engine must call each container healthy, and its checks leave no processes', async ({ folder }) => {
    const filters = { label: [`${stackLabel}=${folder.name}`] };
    await eventually(async () => {
      const containers = await new Dockerode().listContainers({ filters });
      const isGuarded = (name = ''): boolean => /-(?:pushgateway|prometheus|alertmanager)$/.test(name);
      const guarded = containers.filter(({ Names }) => isGuarded(Names[0]));
      expect(guarded.map(({ Status }) => /\((\w+)\)/.exec(Status)?.[1])).toEqual(['healthy', 'healthy', 'healthy']);
    }, 90_000);
    // Nor may the checks leave zombies, which would reach the limit of processes within two hours; `docker top` lists none.
    for (const service of ['pushgateway', 'prometheus', 'alertmanager']) {
      const container = `${folder.name}-${service}`;
      const { stdout } = await execa('docker', ['exec', container, 'sh', '-c', 'cat /proc/[0-9]*/stat']);
      expect(stdout).toContain(`(${service})`);
      expect(stdout).not.toContain(') Z ');
    }
  });

  check('a remote engine must do the same through its connection', async ({ folder }) => {
    await using remote = await remoteEngine();
    const env = { DOCKER_HOST: remote.address };
    expect(toRun(await folder.start(['plan', '--detailed-exitcode'], env))).toMatchObject({ exitCode: 0 });
    const { stdout } = toRun(await folder.start(['verify', '--timeout', '60s'], env));
    expect(stdout).toContain('the pipeline works');
  });

  check('a changed password and certificate must need no restart', async ({ configure, fine, containers }) => {
    const before = await containers();
    await configure({}, accessOf({ ...passwords, ann: 'planted-second-password' }, renewed));
    expect(await fine('up')).toMatch(/pushgateway +written[\s\S]*prometheus +reloaded/);
    expect(await containers()).toEqual(before);
    await fine('verify', '--timeout', '60s');
  });

  check('no file but those of secrets may have a password', async ({ folder }) => {
    await using engine = await connect({ env: process.env });
    const entries = (await engine.getFiles(`${folder.name}-carrier`, '/volumes')) ?? [];
    const open = entries.filter((entry) => {
      const isShown = entry.kind === 'file' && (entry.mode & 0o077) !== 0;
      return isShown && entry.content.includes('planted-');
    });
    expect(entries.length).toBeGreaterThan(50);
    expect(open.map(({ path }) => path)).toEqual([]);
    for (const { id } of await engine.listContainers({ [stackLabel]: folder.name })) {
      expect(JSON.stringify(await engine.inspectContainer(id))).not.toContain('planted-');
    }
  });

  check('a refused login, an expired certificate and an unknown CA must be named', async (stack) => {
    const { fine, folder } = stack;
    await tamper(stack, 'pushgateway', { 'cert.pem': expired.cert, 'key.pem': expired.key });
    await tamper(stack, 'prometheus', { 'cert.pem': stranger.cert, 'key.pem': stranger.key });
    await tamper(stack, 'alertmanager', { login: 'Authorization: Basic eDp5' });
    const { stdout } = await folder.run('status');
    expect(stdout).toContain('pushgateway: it does not answer: its certificate has expired');
    expect(stdout).toContain('prometheus: it does not answer: its certificate is signed by an unknown CA');
    expect(stdout).toContain('alertmanager: it refuses the login of promstack (status 401)');
    const pushed = folder.start(['push', '--job', 'backup']);
    pushed.stdin?.end('backup_ok 1\n');
    expect(toRun(await pushed).stderr).toContain('its certificate has expired');
    expect((await folder.run('verify')).stdout).toContain('its certificate has expired');
    await fine('up');
    await fine('verify', '--timeout', '60s');
  });

  check('without access, the stack must be as any other', async ({ configure, fine, folder }) => {
    await configure({});
    expect(await fine('up')).toContain(`http://127.0.0.1:${folder.ports.prometheus}`);
    expect((await fetch(folder.url('prometheus', '/-/ready'))).status).toBe(200);
    await fine('verify', '--timeout', '60s');
  });
});
