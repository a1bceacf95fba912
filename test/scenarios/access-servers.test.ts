import { createPrivateKey, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { issueCertificate } from '../../scripts/state/issue-certificate.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';
import { freePorts, type StackFolder, stackFolder, toRun } from '../support/stack-folder.ts';

// All servers that follow access, with an internal CA and logins: exporters and the long-term storage too.

const timeoutMs = 240_000;
const dayMs = 86_400_000;
const password = 'planted-pass:word-of-ann';
const servers = ['pushgateway', 'prometheus', 'victoriametrics', 'alertmanager', 'node', 'process', 'apache'];

let stack: StackFolder;
let engine: Engine;
let ca = '';
let [nodePort, storePort]: readonly (number | undefined)[] = [];

const keysWith = (ann: string) => ({
  access: { tls: 'internal', users: { ann } },
  prometheus: { scrape_interval: '5s', evaluation_interval: '5s' },
  long_term: { victoriametrics: { port: storePort } },
  exporters: { node: { port: nodePort }, process: {}, apache: { url: 'http://apache/server-status?auto' } },
});

beforeAll(async () => {
  if (!isFull) return;
  [nodePort, storePort] = await freePorts(2);
  stack = await stackFolder(keysWith(password));
  engine = await connect({ env: process.env });
}, timeoutMs);

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
}, timeoutMs);

const check = (name: string, body: () => Promise<void>): void =>
  test(name, { timeout: timeoutMs }, async ({ skip }) => {
    if (!isFull) skip('only `npm run test:full` runs it');
    await body();
  });

async function fine(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await stack.run(...args);
  expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

const writer = (): string => `${stack.name}-carrier`;

async function readFile(path: string): Promise<string> {
  const [file] = (await engine.getFiles(writer(), `/volumes/${path}`)) ?? [];
  if (file?.kind !== 'file') throw new Error(`there is no file ${path}`);
  return file.content.toString('utf8');
}

/** Puts another file in place of one, as if by hand. */
async function replace(folder: string, path: string, text: string): Promise<void> {
  const owner = { uid: 65534, gid: 65534 };
  await engine.putFiles(writer(), folder, [{ kind: 'file', path, content: Buffer.from(text), mode: 0o400, ...owner }]);
}

async function replaceAccess(service: string, name: string, text: string): Promise<void> {
  const link = await engine.readLink(writer(), `/volumes/${service}/current`);
  await replace(`/volumes/${service}/${link}/access`, name, text);
}

async function replaceCertificate(service: string, pem: string): Promise<void> {
  const below = `/volumes/${service}/certificates`;
  await replace(below, (await engine.readLink(writer(), `${below}/server.pem`)) ?? '', pem);
}

/** A certificate of the stack's CA that was issued this number of days ago. */
async function issuedBefore(service: string, days: number): Promise<string> {
  const certificate = new X509Certificate(await readFile(`${service}/certificates/ca.pem`));
  const key = createPrivateKey(await readFile(`${service}/certificates/ca-key.pem`));
  const names = (await readFile(`${service}/current/access/names`)).trim().split('\n');
  return issueCertificate({ certificate, key }, names, Date.now() - days * dayMs);
}

const get = (url: string, auth?: string): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ca, ...(auth === undefined ? {} : { auth }) }, async (response) => {
      resolve({ status: response.statusCode ?? 0, body: (await response.toArray()).join('') });
    });
    sent.on('error', reject);
    sent.end();
  });

/** The samples of a query, by a label of theirs. */
async function samplesOf(expr: string, label: string): Promise<Readonly<Record<string, number>>> {
  const url = stack.url('prometheus', `/api/v1/query?query=${encodeURIComponent(expr)}`).replace('http:', 'https:');
  const { data } = JSON.parse((await get(url, `ann:${password}`)).body) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return Object.fromEntries(data.result.map(({ metric, value }) => [metric[label], Number(value[1])]));
}

const endsOf = () => samplesOf('promstack_certificate_expiry_timestamp_seconds', 'service');
const containers = async () => (await engine.listContainers({ [stackLabel]: stack.name })).map(({ id }) => id).sort();
const revisions = async () => JSON.parse(await fine('history', '--json')).revisions.length;

/** The services of which status says this, sorted. */
async function problemsOf(message: string): Promise<readonly string[]> {
  const { problems } = JSON.parse((await stack.run('status', '--json')).stdout) as {
    problems: readonly { readonly service: string; readonly message: string }[];
  };
  return problems
    .filter((problem) => problem.message.startsWith(message))
    .map(({ service }) => service)
    .sort();
}

check('up must start all of them, and a second up and plan have nothing to do', async () => {
  expect(await fine('up')).toContain(`https://127.0.0.1:${storePort}`);
  expect(await fine('up')).toContain('nothing to do');
  await fine('plan', '--detailed-exitcode');
  ca = await fine('ca');
  await eventually(async () => {
    const up = await samplesOf('up', 'job');
    expect(up).toEqual(Object.fromEntries(servers.map((name) => [name, 1])));
  }, 60_000);
  expect(await fine('verify', '--timeout', '60s')).toMatch(/long-term +the long-term storage has it/);
});

check('their published ports must refuse who does not log in, and HTTP', async () => {
  for (const port of [nodePort, storePort]) {
    const url = `https://127.0.0.1:${port}/metrics`;
    expect((await get(url)).status).toBe(401);
    expect((await get(url, 'ann:wrong')).status).toBe(401);
    expect((await get(url, `ann:${password}`)).status).toBe(200);
    expect((await fetch(url.replace('https:', 'http:'))).status).toBe(400);
  }
});

check('the end of each certificate must be a series, which follows when one is renewed', async () => {
  // The rules are evaluated once in a minute.
  await eventually(async () => expect(Object.keys(await endsOf()).sort()).toEqual([...servers].sort()), 90_000);
  const ends = await endsOf();
  const before = [await containers(), await revisions()];
  await replaceCertificate('node', await issuedBefore('node', 300));
  expect((await stack.run('status')).stdout).toMatch(/node: its certificate expires on[\s\S]*promstack up renews it/);
  // It is killed before Prometheus has loaded the new end.
  const killed = toRun(await stack.start(['reload'], { PROMSTACK_STOP_AFTER: 'provideCertificates' }));
  expect(killed.exitCode).not.toBe(0);
  const link = await engine.readLink(writer(), '/volumes/node/certificates/server.pem');
  const node = new X509Certificate(await readFile(`node/certificates/${link}`));
  expect(await endsOf()).toEqual(ends);
  const { stdout } = await stack.run('status');
  expect(stdout).toContain('prometheus: its rules have other ends of certificates');
  await fine('reload');
  await fine('plan', '--detailed-exitcode');
  await eventually(async () => {
    expect(await endsOf()).toEqual({ ...ends, node: Date.parse(node.validTo) / 1_000 });
  }, 90_000);
  expect([await containers(), await revisions()]).toEqual(before);
});

check('a refused login must be named for each of them, and up must restore it', async () => {
  for (const service of servers) await replaceAccess(service, 'login', 'Authorization: Basic eDp5');
  await eventually(async () => {
    const named = await problemsOf('it refuses the login of promstack (status 401)');
    expect(named).toEqual([...servers].sort());
  }, 30_000);
  const pushed = stack.start(['push', '--job', 'backup']);
  pushed.stdin?.end('backup_ok 1\n');
  expect(toRun(await pushed).stderr).toMatch(/refuses the login|401/);
  expect((await stack.run('verify')).stdout).toContain('pushgateway answered 401');
  await fine('up');
  await fine('plan', '--detailed-exitcode');
});

check('a password that only the store has must be named by verify', async () => {
  await replaceAccess('victoriametrics', 'password', 'another');
  await eventually(async () => {
    const { stdout } = await stack.run('verify', '--timeout', '10s');
    expect(stdout).toMatch(/✖ long-term [^\n]*\n[^\n]*status 401/);
    expect(stdout).toContain('promstack up applies the users of access');
  }, 60_000);
  await fine('up');
  await eventually(() => fine('verify', '--timeout', '60s'), 90_000);
});

for (const [what, damage, message] of [
  ['an expired certificate', (service: string) => issuedBefore(service, 400), 'its certificate has expired'],
  [
    'a certificate of an unknown CA',
    async (service: string) => {
      const { cert, key } = await testCertificate({ names: [service] });
      return `${cert}${key}`;
    },
    'its certificate is signed by an unknown CA',
  ],
] as const) {
  check(`${what} must be named for each of them, and up must replace it`, async () => {
    for (const service of servers) await replaceCertificate(service, await damage(service));
    await eventually(async () => {
      expect(await problemsOf(`it does not answer: ${message}`)).toEqual([...servers].sort());
    }, 30_000);
    const pushed = stack.start(['push', '--job', 'backup']);
    pushed.stdin?.end('backup_ok 1\n');
    expect(toRun(await pushed).stderr).toContain(message);
    expect((await stack.run('verify')).stdout).toContain(message);
    await fine('up');
    await fine('plan', '--detailed-exitcode');
    await eventually(() => fine('verify', '--timeout', '60s'), 90_000);
  });
}

check('a changed password must restart none of them', async () => {
  const before = await containers();
  await stack.configure(keysWith('planted-second'));
  await fine('up');
  expect(await containers()).toEqual(before);
  await fine('plan', '--detailed-exitcode');
  await fine('verify', '--timeout', '60s');
});

check('no file but those of secrets may have a password, nor the engine know one', async () => {
  const entries = (await engine.getFiles(writer(), '/volumes')) ?? [];
  const withPassword = entries.flatMap((entry) =>
    entry.kind === 'file' && entry.content.includes('planted-') ? [entry] : [],
  );
  expect(entries.length).toBeGreaterThan(100);
  expect(withPassword.length).toBeGreaterThan(0);
  for (const { path, mode, uid } of withPassword) {
    expect([path, mode, uid]).toEqual([expect.stringMatching(/\/(?:secrets|access)\//), 0o400, 65534]);
  }
  for (const { id } of await engine.listContainers({ [stackLabel]: stack.name })) {
    const lines: string[] = [];
    for await (const { text } of engine.logs(id, {})) lines.push(text);
    expect(`${JSON.stringify(await engine.inspectContainer(id))}${lines.join('\n')}`).not.toContain('planted-');
  }
});
