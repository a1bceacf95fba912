import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const rsa = (bits: number) => ({
  ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: bits },
  publicExponent: new Uint8Array([1, 0, 1]),
});

const dayMs = 86_400_000;

/** A certificate and its key, in PEM format. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly issuer: { readonly certificate: X509Certificate; readonly keys: CryptoKeyPair };
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

/** A certificate for names and addresses, signed by itself without an issuer; without names it is that of an authority. */
export async function testCertificate({
  names = [],
  issuer,
  fromDays = -1,
  toDays = 365,
  rsaBits,
  curve = 'P-256',
  purpose,
}: {
  readonly names?: readonly string[];
  readonly issuer?: TestCertificate;
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly rsaBits?: number;
  readonly curve?: string;
  /** An extended key usage, by its object identifier. */
  readonly purpose?: string;
} = {}): Promise<TestCertificate> {
  const own = rsaBits === undefined ? { ...algorithm, namedCurve: curve } : rsa(rsaBits);
  const keys = (await webcrypto.subtle.generateKey(own, true, ['sign', 'verify'])) as CryptoKeyPair;
  const extensions: readonly Extension[] =
    names.length === 0
      ? [new BasicConstraintsExtension(true, undefined, true)]
      : [
          new SubjectAlternativeNameExtension(
            names.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value })),
          ),
        ];
  const certificate = await X509CertificateGenerator.create({
    subject: names.length === 0 ? 'CN=Test authority' : `CN=${names[0]}`,
    issuer: issuer?.issuer.certificate.subject ?? (names.length === 0 ? 'CN=Test authority' : `CN=${names[0]}`),
    publicKey: keys.publicKey,
    signingKey: issuer?.issuer.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: issuer === undefined ? own : algorithm,
    notBefore: new Date(Date.now() + fromDays * dayMs),
    notAfter: new Date(Date.now() + toDays * dayMs),
    extensions: [...extensions, ...(purpose === undefined ? [] : [new ExtendedKeyUsageExtension([purpose])])],
  });
  const exported = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${exported.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { cert: `${certificate.toString('pem')}\n`, key, issuer: { certificate, keys } };
}
