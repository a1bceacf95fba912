import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { accessOf } from '../../stack/access/access.ts';
import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, Problem } from '../../stack/diagnostic.ts';
import type { CertificateEnds } from '../../stack/model.ts';
import { contentOf } from '../../stack/secret.ts';
import { quoted } from '../../stack/values/words.ts';

/** A config whose certificates are read, and their problems. */
interface ReadCertificates {
  readonly config: StackConfig;
  readonly problems: readonly Problem[];
}

type Access = NonNullable<StackConfig['access']>;
type TlsConfig = Exclude<NonNullable<Access['tls']>, string>;

/** Go's TLS refuses shorter keys of RSA, and NIST those below this one. */
const leastRsaBits = 2048;
/** The curves that Go's TLS has, as OpenSSL names them. */
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
/** How long before its end a certificate is a warning. */
const nearMs = 14 * 86_400_000;

/** Checks the certificates of `access`, and sets the keys that follow from them: the name by which they are verified, and their CA. */
export function readCertificates(config: StackConfig, now: number): ReadCertificates {
  const { access } = config;
  if (access === undefined) return { config, problems: [] };
  const problems: Problem[] = [];
  const read = (tls: Access['tls'], path: KeyPath): Access['tls'] => {
    if (tls === undefined || typeof tls === 'string') return tls;
    const result = readOne(tls, path, now);
    problems.push(...result.problems);
    return result.tls;
  };
  const services = Object.entries(access.services).map(([name, own]) => {
    return [name, { ...own, tls: read(own.tls, ['access', 'services', name, 'tls']) }] as const;
  });
  const changed = { ...access, tls: read(access.tls, ['access', 'tls']), services: Object.fromEntries(services) };
  return { config: { ...config, access: changed }, problems };
}

/** When the certificates that stack.yml names end, or one of their chain or their authority that ends earlier. */
export function givenCertificateEnds(config: StackConfig, services: readonly string[]): CertificateEnds {
  return new Map(
    services.flatMap((service): readonly (readonly [string, number])[] => {
      const tls = accessOf(config, service)?.tls;
      if (tls === undefined || tls === 'internal') return [];
      const [chain = [], roots = []] = [tls.cert, tls.ca].map((text) =>
        text === undefined ? [] : certificatesIn(contentOf({ content: text })),
      );
      const signer = signerAmong(chain, roots);
      const ends = [...chain, ...(signer === undefined ? [] : [signer])].map(({ validTo }) => Date.parse(validTo));
      return ends.length === 0 ? [] : [[service, Math.min(...ends) / 1_000]];
    }),
  );
}

const certificateHint = 'it takes PEM format, which begins with -----BEGIN CERTIFICATE-----';

const subjects = {
  cert: 'the certificate',
  key: 'the key',
  ca: 'the certificate authority',
  server_name: 'the name',
} as const;

/** A problem of one of the keys. */
type ProblemAt = (key: keyof typeof subjects, message: string, hint?: string) => Problem;

function readOne(
  tls: TlsConfig,
  path: KeyPath,
  now: number,
): { readonly tls: TlsConfig; readonly problems: readonly Problem[] } {
  const at: ProblemAt = (key, message, hint) => ({
    code: `access-${key}`,
    path: [...path, key],
    message: `${subjects[key]} ${message}`,
    hint,
  });
  const [cert, key, ca] = [tls.cert, tls.key, tls.ca].map((value) =>
    value === undefined ? undefined : contentOf({ content: value }),
  );
  // A file that cannot be read is reported already.
  if (cert === '' || key === '' || ca === '') return { tls, problems: [] };
  const chain = certificatesIn(cert ?? '');
  const [leaf] = chain ?? [];
  if (chain === undefined || leaf === undefined) {
    const problem = at('cert', 'cannot be read', certificateHint);
    return { tls, problems: [problem] };
  }
  const roots = ca === undefined ? [] : (certificatesIn(ca) ?? []);
  const name = tls.server_name ?? firstName(leaf);
  const isSelfSigned = leaf.checkIssued(leaf);
  const read = {
    ...tls,
    ...(name === undefined ? {} : { server_name: name }),
    ...(ca === undefined && isSelfSigned ? { ca: tls.cert } : {}),
  };
  return {
    tls: read,
    problems: [
      ...timeProblems(leaf, now, (message, hint, severity) => ({ ...at('cert', message, hint), severity })),
      ...chain.slice(1).flatMap((certificate) =>
        timeProblems(certificate, now, (message, hint, severity) => {
          const of = `has an intermediate, ${quoted(oneLine(certificate.subject))}, that ${message}`;
          return { ...at('cert', of, hint), severity };
        }),
      ),
      ...keyProblems(key ?? '', chain, (message, hint) => at('key', message, hint)),
      ...nameProblems(leaf, tls.server_name, name, at),
      ...purposeProblems(leaf, at),
      ...(ca === undefined ? [] : authorityProblems(chain, roots, now, at)),
    ],
  };
}

/** What a client asks of a server's certificate, when the certificate says what it is for. */
const forServers = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

function purposeProblems({ keyUsage }: X509Certificate, at: ProblemAt): readonly Problem[] {
  if (keyUsage === undefined || keyUsage.some((purpose) => forServers.includes(purpose))) return [];
  const hint = 'make one with the extended key usage serverAuth, or without any';
  return [at('cert', 'is not for servers, by its extended key usage', hint)];
}

function authorityProblems(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
  at: ProblemAt,
): readonly Problem[] {
  if (roots.length === 0) return [at('ca', 'cannot be read', certificateHint)];
  const signer = signerAmong(chain, roots);
  if (signer === undefined) {
    const message = `did not sign the certificate, whose issuer is ${quoted(oneLine(chain.at(-1)?.issuer ?? ''))}`;
    const hint = 'use the certificate of that authority, or add the certificates between the two to "cert"';
    return [at('ca', message, hint)];
  }
  if (!signer.ca && signer.fingerprint256 !== chain[0]?.fingerprint256) {
    const message = 'is the certificate of a server, which may not sign others (basicConstraints)';
    return [at('ca', message, 'use the certificate of an authority')];
  }
  return timeProblems(signer, now, (message, hint, severity) => ({ ...at('ca', message, hint), severity }));
}

/** The certificates of a PEM file, in their order; undefined when one of them cannot be read. */
function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function timeProblems(
  { validFrom, validTo }: X509Certificate,
  now: number,
  problem: (message: string, hint: string, severity?: 'warning') => Problem,
): readonly Problem[] {
  const [from, to] = [validFrom, validTo].map((text) => new Date(text));
  if (from === undefined || to === undefined) return [];
  if (to.getTime() < now) return [problem(`expired on ${dayOf(to)}`, 'renew it: clients refuse it')];
  if (from.getTime() > now) {
    return [
      problem(`is not valid before ${from.toISOString()}`, 'compare the clock of this host with that of its authority'),
    ];
  }
  return to.getTime() - now < nearMs ? [problem(`expires on ${dayOf(to)}`, 'renew it in time', 'warning')] : [];
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

function keyProblems(
  text: string,
  chain: readonly X509Certificate[],
  problem: (message: string, hint: string) => Problem,
): readonly Problem[] {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return [
      problem(
        'is encrypted, and the servers cannot ask for its passphrase',
        'openssl pkey -in KEY -out PLAIN decrypts it',
      ),
    ];
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return [
      problem('cannot be read', 'it takes a private key in PEM format, which begins with -----BEGIN PRIVATE KEY-----'),
    ];
  }
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {} } = key;
  const { modulusLength: bits, namedCurve: curve } = details;
  if (type === 'rsa' && bits !== undefined && bits < leastRsaBits) {
    return [problem(`has only ${bits} bits, which clients refuse`, `make one of at least ${leastRsaBits} bits`)];
  }
  if (!['rsa', 'ec', 'ed25519'].includes(type) || (type === 'ec' && !curves.includes(curve ?? ''))) {
    const kind = type === 'ec' ? `on the curve ${curve}` : `of the type ${type}`;
    return [problem(`is ${kind}, which the servers cannot use`, `make one of RSA, or on the curve ${curves[0]}`)];
  }
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return [];
  const hint = at === -1 ? 'use the key that the certificate was made with' : 'put its certificate first in "cert"';
  const which = at === -1 ? 'does not belong to the certificate' : `belongs to certificate ${at + 1} of "cert"`;
  return [problem(which, hint)];
}

function nameProblems(
  leaf: X509Certificate,
  given: string | undefined,
  name: string | undefined,
  at: ProblemAt,
): readonly Problem[] {
  if (name === undefined) {
    const message = 'has no names (subjectAltName), without which no client accepts it';
    return [at('cert', message, 'make one with names: its common name does not count')];
  }
  if (given === undefined || (isIP(given) === 0 ? leaf.checkHost(given) : leaf.checkIP(given)) !== undefined) return [];
  const message = `is not one of the certificate, which is for ${namesIn(leaf).join(', ')}`;
  return [at('server_name', message, 'use one of its names')];
}

/** A name by which clients inside the stack verify the certificate: that they connect to another one makes no difference. */
function firstName(leaf: X509Certificate): string | undefined {
  return namesIn(leaf)[0]?.replace(/^\*\./, 'promstack.');
}

function namesIn({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const names = [...subjectAltName.matchAll(/(DNS|IP Address):([^,\s]+)/g)];
  return names
    .toSorted(([, first], [, second]) => Number(first !== 'DNS') - Number(second !== 'DNS'))
    .map(([, , name = '']) => name);
}

/** The root that signed the certificate, or one between them, or is it. */
function signerAmong(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): X509Certificate | undefined {
  const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
    certificate.fingerprint256 === issuer.fingerprint256 ||
    (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  const [leaf, ...between] = chain;
  let last = leaf;
  for (const certificate of between) if (last !== undefined && issued(certificate, last)) last = certificate;
  return roots.find((root) => last !== undefined && issued(root, last));
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');
