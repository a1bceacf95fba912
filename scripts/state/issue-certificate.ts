import { createPublicKey, KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { addSecret } from '../util/redaction.ts';

/** A certificate authority: its certificate and its private key. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What is known of one. */
export interface KnownAuthority {
  readonly certificate?: X509Certificate | undefined;
  readonly key?: KeyObject | undefined;
}

const dayMs = 86_400_000;

/** How long certificates are valid. Browsers refuse those of servers that are valid for more than 825 days. */
const days = { authority: 3_650, server: 365 } as const;

/** For clocks that are behind that of this machine. */
const earlierMs = dayMs;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Loaded on demand: only stacks with an internal CA need it, and it is large. */
async function loadX509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Whether a certificate is to be renewed: the last third of its life has begun. */
export function isNearEnd({ validFrom, validTo }: X509Certificate, now: number): boolean {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now > to - (to - from) / 3 || now < from;
}

/** A new authority, or one that goes on with a key and a name, so that certificates of it stay valid. */
export async function makeAuthority(
  stack: string,
  now: number,
  { key, certificate: before }: KnownAuthority = {},
): Promise<Authority> {
  const x509 = await loadX509();
  const keys = key === undefined ? await generateKeys() : await importKeys(key);
  const name = before === undefined ? `CN=promstack CA of ${stack}` : new x509.X509Certificate(before.raw).subjectName;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: algorithm,
    ...validity(now, days.authority),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const made = { certificate: new X509Certificate(certificate.toString('pem')), key: KeyObject.from(keys.privateKey) };
  hideKey(made.key);
  return made;
}

/** A certificate of a server for these names and addresses, and its key, in PEM format. */
export async function issueCertificate(
  { certificate, key }: Authority,
  names: readonly string[],
  now: number,
): Promise<string> {
  const x509 = await loadX509();
  const [keys, authority] = await Promise.all([generateKeys(), importKeys(key)]);
  const issued = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0]}`,
    issuer: new x509.X509Certificate(certificate.raw).subjectName,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    ...validity(now, days.server),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const own = KeyObject.from(keys.privateKey);
  hideKey(own);
  return `${issued.toString('pem')}\n${pemOf(own)}`;
}

/** Makes a key known to the redaction, without its last line: that is of the public key, which its certificate has too. */
export function hideKey(key: KeyObject): void {
  addSecret(pemOf(key).split('\n').slice(1, 3).join('\n'));
}

export const pemOf = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));

const validity = (now: number, count: number) => ({
  notBefore: new Date(now - earlierMs),
  notAfter: new Date(now + count * dayMs),
});

const generateKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;

async function importKeys(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, true, [
      'sign',
    ]),
    publicKey: await crypto.subtle.importKey('spki', publicKey, algorithm, true, ['verify']),
  };
}
