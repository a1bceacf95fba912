import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { readCertificates } from '../../../scripts/config/certificates.ts';
import { loadStack } from '../../../scripts/config/load.ts';
import { render } from '../../../scripts/render/render.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { stackSchema } from '../../../stack/config.ts';
import { contentOf, Secret } from '../../../stack/secret.ts';
import { testCertificate } from '../../support/certificates.ts';

const names = ['monitoring.example.com', '*.example.org', '10.0.0.1'];
const authority = await testCertificate();
const signed = await testCertificate({ names, issuer: authority });
const selfSigned = await testCertificate({ names });
const between = await testCertificate({ issuer: authority });
const file = (text: string): Secret => new Secret(text, '!file some.pem');

interface Given {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly server_name?: string;
}

const read = ({ cert = signed.cert, key = signed.key, ca, server_name }: Given, now = Date.now()) => {
  const tls = {
    cert: file(cert),
    key: file(key),
    ...(ca === undefined ? {} : { ca: file(ca) }),
    ...(server_name === undefined ? {} : { server_name }),
  };
  const { config, problems } = readCertificates(stackSchema.parse({ access: { tls } }), now);
  const read = config.access?.tls;
  if (read === undefined || typeof read === 'string') throw new Error('it has no certificate');
  const found = problems.map(({ path, message, severity = 'error' }) => `${severity} ${path.join('.')}: ${message}`);
  return { name: read.server_name, ca: read.ca && contentOf({ content: read.ca }), problems: found };
};

it('a certificate that its authority signed must be verified by its first name', () => {
  expect(read({ ca: authority.cert })).toEqual({ name: 'monitoring.example.com', ca: authority.cert, problems: [] });
});

it('a self-signed certificate must be its own authority', () => {
  const { cert, key } = selfSigned;
  expect(read({ cert, key })).toEqual({ name: 'monitoring.example.com', ca: cert, problems: [] });
});

it('the system must be asked about a certificate of an authority that stack.yml does not name', () => {
  expect(read({})).toEqual({ name: 'monitoring.example.com', ca: undefined, problems: [] });
});

it.each<[names: readonly string[], name: string]>([
  [['*.example.org'], 'promstack.example.org'],
  [['10.0.0.1', 'a.example.com'], 'a.example.com'],
  [['10.0.0.1'], '10.0.0.1'],
])('a certificate for %j must be verified by %s', async (of, name) => {
  const { cert, key } = await testCertificate({ names: of });
  expect(read({ cert, key })).toMatchObject({ name, problems: [] });
});

it('a certificate with its intermediates must be accepted', async () => {
  const { cert, key } = await testCertificate({ names, issuer: between });
  expect(read({ cert: `${cert}${between.cert}`, key, ca: authority.cert }).problems).toEqual([]);
});

const expired = await testCertificate({ names, issuer: authority, fromDays: -30, toDays: -2 });
const early = await testCertificate({ names, issuer: authority, fromDays: 2 });
const near = await testCertificate({ names, issuer: authority, toDays: 5 });
const nameless = await testCertificate();
const short = await testCertificate({ names, rsaBits: 1024 });
const forClients = await testCertificate({ names, issuer: authority, purpose: '1.3.6.1.5.5.7.3.2' });
const forAll = await testCertificate({ names, issuer: authority, purpose: '2.5.29.37.0' });
const noAuthority = await testCertificate({ names, issuer: signed });
const lateAuthority = await testCertificate({ fromDays: -30, toDays: -2 });
const ofLate = await testCertificate({ names, issuer: lateAuthority });
const lateBetween = await testCertificate({ issuer: authority, fromDays: -30, toDays: -2 });
const behindLate = await testCertificate({ names, issuer: lateBetween });
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pem = { type: 'pkcs8', format: 'pem' } as const;
const encrypted = String(otherKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'x' }));
const lastDayOf = ({ cert }: Given): string =>
  new Date(new X509Certificate(cert ?? '').validTo).toISOString().slice(0, 10);

it.each<[what: string, given: Given, problem: string]>([
  ['an expired certificate', expired, `error access.tls.cert: the certificate expired on ${lastDayOf(expired)}`],
  ['one that is not valid yet', early, 'error access.tls.cert: the certificate is not valid before '],
  ['one that expires soon', near, `warning access.tls.cert: the certificate expires on ${lastDayOf(near)}`],
  ['one without names', nameless, 'error access.tls.cert: the certificate has no names'],
  ['a key in place of it', { cert: signed.key }, 'error access.tls.cert: the certificate cannot be read'],
  [
    'one that is cut',
    { cert: `${signed.cert.slice(0, 200)}\n-----END CERTIFICATE-----\n` },
    'error access.tls.cert: the certificate cannot be read',
  ],
  ['a short key', short, 'error access.tls.key: the key has only 1024 bits'],
  ['the key of another', { key: String(otherKey.export(pem)) }, 'error access.tls.key: the key does not belong'],
  ['an encrypted key', { key: encrypted }, 'error access.tls.key: the key is encrypted'],
  ['a certificate in place of the key', { key: signed.cert }, 'error access.tls.key: the key cannot be read'],
  ['another authority', { ca: selfSigned.cert }, 'error access.tls.ca: the certificate authority did not sign'],
  ['an authority that is none', { ca: 'x' }, 'error access.tls.ca: the certificate authority cannot be read'],
  [
    'a certificate for clients',
    forClients,
    'error access.tls.cert: the certificate is not for servers, by its extended key usage',
  ],
  [
    'an expired intermediate',
    { cert: `${behindLate.cert}${lateBetween.cert}`, key: behindLate.key, ca: authority.cert },
    `error access.tls.cert: the certificate has an intermediate, "CN=Test authority", that expired on ${lastDayOf(lateBetween)}`,
  ],
  [
    'the key of an intermediate',
    { cert: `${signed.cert}${between.cert}`, key: between.key },
    'error access.tls.key: the key belongs to certificate 2 of "cert"',
  ],
  [
    'an expired authority',
    { cert: ofLate.cert, key: ofLate.key, ca: lateAuthority.cert },
    `error access.tls.ca: the certificate authority expired on ${lastDayOf(lateAuthority)}`,
  ],
  [
    'a certificate of a server in place of an authority',
    { cert: noAuthority.cert, key: noAuthority.key, ca: signed.cert },
    'error access.tls.ca: the certificate authority is the certificate of a server',
  ],
  ['another name', { server_name: 'b.example.com' }, 'error access.tls.server_name: the name is not one of'],
])('%s must be a problem of its own', (_, given, problem) => {
  const { problems } = read(given);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

it('files that cannot be read must have no further problems', () => {
  expect(read({ cert: '' }).problems).toEqual([]);
});

it('a certificate for all purposes must be accepted', () => {
  expect(read(forAll).problems).toEqual([]);
});

it.each<[type: 'ec' | 'dsa' | 'rsa-pss', options: object, problem: string]>([
  ['ec', { namedCurve: 'secp224r1' }, 'the key is on the curve secp224r1, which the servers cannot use'],
  ['ec', { namedCurve: 'secp256k1' }, 'the key is on the curve secp256k1, which the servers cannot use'],
  ['dsa', { modulusLength: 2048, divisorLength: 256 }, 'the key is of the type dsa, which the servers cannot use'],
  ['rsa-pss', { modulusLength: 2048 }, 'the key is of the type rsa-pss, which the servers cannot use'],
])('a key of the type %s with %j must be refused', (type, options, problem) => {
  const { privateKey } = generateKeyPairSync(type as 'ec', options as { namedCurve: string });
  expect(read({ key: String(privateKey.export(pem)) }).problems).toEqual([`error access.tls.key: ${problem}`]);
});

it('each problem must be shown at its key of stack.yml', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'promstack-certificates-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const files = { 'cert.pem': expired.cert, 'key.pem': short.key, 'ca.pem': selfSigned.cert };
  const more = { 'other.pem': signed.cert, 'stranger.pem': selfSigned.key };
  for (const [name, text] of Object.entries({ ...files, ...more })) await writeFile(join(cwd, name), text);
  const lines = [
    'name: shop',
    'access:',
    '  tls:',
    ...Object.keys(files).map((name) => `    ${name.replace('.pem', '')}: !file ${name}`),
    '  services:',
    '    alertmanager:',
    '      tls: {cert: !file other.pem, key: !file stranger.pem}',
  ];
  await writeFile(join(cwd, 'stack.yml'), `${lines.join('\n')}\n`);
  const loaded = await loadStack({ cwd, env: {} });
  const found = (loaded.ok ? [] : loaded.error).map(
    ({ where, message }) => `${where?.file}:${where?.line}:${where?.column} ${message}`,
  );
  expect(found).toEqual([
    `stack.yml:4:17 the certificate expired on ${lastDayOf(expired)}`,
    'stack.yml:5:16 the key has only 1024 bits, which clients refuse',
    'stack.yml:6:15 the certificate authority did not sign the certificate, whose issuer is "CN=Test authority"',
    'stack.yml:9:47 the key does not belong to the certificate',
  ]);
});

it('the end of a certificate of stack.yml must be a series, and that of what is behind it if it is earlier', async () => {
  const root = await testCertificate({ toDays: 900 });
  const short = await testCertificate({ names: ['a.example.com'], issuer: root, toDays: 20 });
  const authority = await testCertificate({ toDays: 15 });
  const behind = await testCertificate({ names: ['b.example.com'], issuer: authority, toDays: 300 });
  const cwd = await mkdtemp(join(tmpdir(), 'promstack-ends-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const files = { root: root.cert, short: short.cert, shortkey: short.key, authority: authority.cert };
  const more = { behind: behind.cert, behindkey: behind.key };
  for (const [name, text] of Object.entries({ ...files, ...more })) await writeFile(join(cwd, `${name}.pem`), text);
  const stack = (first: string): string => `name: shop
${first}
access:
  tls: {cert: !file short.pem, key: !file shortkey.pem, ca: !file root.pem}
  services:
    alertmanager: {tls: {cert: !file behind.pem, key: !file behindkey.pem, ca: !file authority.pem}}
    pushgateway: {tls: none}
    process: {tls: internal}
exporters: {blackbox: {}, process: {}}
`;
  const rulesOf = async (first: string) => {
    await writeFile(join(cwd, 'stack.yml'), stack(first));
    const loaded = await loadStack({ cwd, env: {} });
    const rendered = loaded.ok ? render(loaded.value, await loadTemplates(undefined)) : loaded;
    if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
    const prometheus = rendered.value.services.find(({ service }) => service.name === 'prometheus');
    const file = prometheus?.files.find(({ path }) => path === 'rules/promstack-certificates.yml');
    return file && parse(contentOf(file)).groups;
  };
  const endIn = (certificate: string): string =>
    `vector(${Date.parse(new X509Certificate(certificate).validTo) / 1_000})`;
  const record = 'promstack_certificate_expiry_timestamp_seconds';
  expect(await rulesOf('grafana: {enabled: false}')).toEqual([
    {
      name: 'promstack-given-certificates',
      interval: '1m',
      rules: [
        { record, expr: endIn(authority.cert), labels: { service: 'alertmanager' } },
        { record, expr: endIn(short.cert), labels: { service: 'blackbox' } },
        { record, expr: endIn(short.cert), labels: { service: 'prometheus' } },
      ],
    },
  ]);
  expect(await rulesOf('prometheus: {shipped_rules: false}')).toBeUndefined();
});
