import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { namesFile } from '../../stack/access/access.ts';
import { internalExpiryRules, readsExpiryRules } from '../../stack/access/expiry-rules.ts';
import { caPath, certificateFiles, certificateFolder } from '../../stack/access/internal-ca.ts';
import type { CertificateEnds } from '../../stack/model.ts';
import { contentOf } from '../../stack/secret.ts';
import { andList } from '../../stack/values/words.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
import { type ConfigFiles, openConfigFiles } from './config-files.ts';
import type { StackContainers } from './find-stack.ts';
import {
  type Authority,
  hideKey,
  isNearEnd,
  issueCertificate,
  type KnownAuthority,
  makeAuthority,
  pemOf,
} from './issue-certificate.ts';
import { specOf } from './names.ts';
import type { ReleaseSource } from './release-files.ts';

/** What a service needs of the internal CA. */
interface Need {
  readonly service: string;
  /** `uid:gid`. */
  readonly user: string;
  /** The names of its own certificate; undefined for one that only connects to others. */
  readonly names: readonly string[] | undefined;
  /** Whether it has rules with the ends of all certificates. */
  readonly hasRules: boolean;
}

/** The services that need something of the internal CA, by their files: releases of the history need it too. */
export function certificateNeeds(services: readonly ReleaseSource[]): readonly Need[] {
  const namesIn = ({ release }: ReleaseSource): readonly string[] | undefined => {
    const file = release?.files.find(({ path }) => path === namesFile);
    return file && contentOf(file).trim().split('\n');
  };
  if (!services.some(namesIn)) return [];
  return services.flatMap((source): readonly Need[] => {
    const names = namesIn(source);
    const files = source.release?.files ?? [];
    const isClient = files.some((file) => contentOf(file).includes(caPath));
    const hasRules = readsExpiryRules(files);
    const { name: service } = source.service;
    return names !== undefined || isClient || hasRules ? [{ service, user: source.spec.user, names, hasRules }] : [];
  });
}

/** What a config volume has of the internal CA; undefined for what is missing or cannot be read. */
interface Stored {
  readonly ca: X509Certificate | undefined;
  readonly caKey: KeyObject | undefined;
  readonly server: { readonly certificate: X509Certificate; readonly key: KeyObject } | undefined;
  /** The folder of the server's certificate. */
  readonly slot: string | undefined;
  /** The rules with the ends of all certificates. */
  readonly rules: string;
  /** The folder of these rules. */
  readonly rulesSlot: string | undefined;
}

const nothing: Stored = {
  ca: undefined,
  caKey: undefined,
  server: undefined,
  slot: undefined,
  rules: '',
  rulesSlot: undefined,
};

async function readStored(files: Pick<ConfigFiles, 'read'>, service: string): Promise<Stored> {
  const entries = (await files.read(service, certificateFolder)) ?? [];
  const at = (path: string): ArchiveEntry | undefined =>
    entries.find((entry) => entry.path === `${certificateFolder}/${path}`);
  const textOf = (path: string): string => {
    const entry = at(path);
    return entry?.kind === 'file' ? entry.content.toString('utf8') : '';
  };
  const slotOf = (path: string): string | undefined => {
    const link = at(path);
    return link?.kind === 'link' ? link.to.split('/')[0] : undefined;
  };
  const [slot, rulesSlot] = [slotOf(certificateFiles.server), slotOf(certificateFiles.ends)];
  const server = textOf(`${slot}/${certificateFiles.server}`);
  const [certificate, key] = [certificateIn(server), keyIn(server)];
  return {
    ca: certificateIn(textOf(certificateFiles.ca)),
    caKey: keyIn(textOf(certificateFiles.caKey)),
    server: certificate && key && { certificate, key },
    slot,
    rules: textOf(`${rulesSlot}/${certificateFiles.ends}`),
    rulesSlot,
  };
}

function certificateIn(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

function keyIn(text: string): KeyObject | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return undefined;
  }
  hideKey(key);
  return key;
}

/** The authority that the volumes have: the first key counts, also without its certificate, which can be made again. */
function authorityIn(stored: readonly Stored[]): KnownAuthority {
  const [first] = stored.filter(({ caKey }) => caKey !== undefined);
  const key = first?.caKey;
  if (key === undefined) return {};
  return { key, certificate: stored.find(({ ca }) => ca?.checkPrivateKey(key) === true)?.ca };
}

/** Why a service needs something new; undefined when it does not. */
function whyDue(stored: Stored, need: Need, { key, certificate }: KnownAuthority, now: number): string | undefined {
  if (key === undefined || certificate === undefined) return 'the stack has no internal CA yet';
  if (isNearEnd(certificate, now)) return `the certificate of the internal CA expires on ${dayOf(certificate)}`;
  const authority = { key, certificate };
  if (lacksAuthority(stored, need, authority)) return 'it does not have the internal CA';
  return whyServerDue(stored, need, authority, now);
}

const lacksAuthority = ({ ca, caKey }: Stored, { names }: Need, { certificate, key }: Authority): boolean =>
  ca?.fingerprint256 !== certificate.fingerprint256 || (names !== undefined && caKey?.equals(key) !== true);

/** Why a server needs a new certificate. */
function whyServerDue(
  { server }: Stored,
  { names }: Need,
  { certificate: ca }: Authority,
  now: number,
): string | undefined {
  if (names === undefined) return undefined;
  if (server === undefined) return 'it has no certificate yet';
  const { certificate, key } = server;
  const isOfAuthority = certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  if (!isOfAuthority || !certificate.checkPrivateKey(key)) return 'its certificate is not of the internal CA';
  const missing = names.filter((name) => !isFor(certificate, name));
  if (missing.length > 0) return `its certificate is not for ${andList(missing, '')}`;
  return isNearEnd(certificate, now) ? `its certificate expires on ${dayOf(certificate)}` : undefined;
}

/** Whether a certificate has a name itself: one that a wildcard covers counts only if the wildcard is asked for. */
const isFor = (certificate: X509Certificate, name: string): boolean =>
  isIP(name) === 0
    ? (certificate.subjectAltName ?? '').toLowerCase().split(', ').includes(`dns:${name.toLowerCase()}`)
    : certificate.checkIP(name) !== undefined;

/** The day in ISO 8601. */
const dayOf = ({ validTo }: Pick<X509Certificate, 'validTo'>): string => new Date(validTo).toISOString().slice(0, 10);

/** The certificate of the CA of a stack whose servers have certificates of it, from its containers. */
export async function readInternalCa(
  engine: Engine,
  stack: string,
  containers: StackContainers,
): Promise<X509Certificate | undefined> {
  const files = openConfigFiles(engine, stack);
  for (const [service, container] of containers) {
    files.locate(service, container.id, specOf(container));
    if ((await files.read(service, `current/${namesFile}`)) === undefined) continue;
    const { ca } = await readStored(files, service);
    if (ca !== undefined) return ca;
  }
  return undefined;
}

/** Why a server with rules of certificates needs new ones, although no certificate of its own is due. */
export const otherEnds = 'its rules have other ends of certificates';

/** The services that need something new, and why; `loaded` asks one that runs for the ends in its rules. */
export async function dueCertificates(
  files: Pick<ConfigFiles, 'read'>,
  services: readonly ReleaseSource[],
  now: number,
  loaded: (service: string) => Promise<CertificateEnds | undefined> = async () => undefined,
): Promise<ReadonlyMap<string, string>> {
  const needs = certificateNeeds(services);
  if (needs.length === 0) return new Map();
  const stored = await readAll(files, services);
  const authority = authorityIn([...stored.values()]);
  const due = new Map(
    needs.flatMap((need) => {
      const why = whyDue(stored.get(need.service) ?? nothing, need, authority, now);
      return why === undefined ? [] : [[need.service, why] as const];
    }),
  );
  const ends = endsOf(needs, stored, authority.certificate);
  for (const { service, hasRules } of needs) {
    if (!hasRules || due.has(service)) continue;
    const running = due.size === 0 ? await loaded(service) : undefined;
    const isLoaded = running === undefined || internalExpiryRules(running) === internalExpiryRules(ends);
    const isWritten = stored.get(service)?.rules === internalExpiryRules(ends);
    if (due.size > 0 || !isLoaded || !isWritten) due.set(service, otherEnds);
  }
  return due;
}

/** When the certificates of the servers end, or that of the authority if that is earlier. */
function endsOf(
  needs: readonly Need[],
  stored: ReadonlyMap<string, Stored>,
  authority: X509Certificate | undefined,
): CertificateEnds {
  return new Map(
    needs.flatMap(({ service, names }): readonly (readonly [string, number])[] => {
      const { server } = stored.get(service) ?? nothing;
      if (names === undefined || server === undefined) return [];
      const ends = [server.certificate, ...(authority === undefined ? [] : [authority])].map(endOf);
      return [[service, Math.min(...ends)]];
    }),
  );
}

/** In seconds since 1970. */
const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo) / 1_000;

const readAll = async (
  files: Pick<ConfigFiles, 'read'>,
  services: readonly ReleaseSource[],
): Promise<ReadonlyMap<string, Stored>> =>
  new Map(
    await Promise.all(
      services
        .filter(({ release }) => release !== undefined)
        .map(async ({ service: { name } }) => [name, await readStored(files, name)] as const),
    ),
  );

/**
 * Issues what is due, and makes the authority if the stack has none. A certificate gets a folder of its own, and then its link is
 * switched, so that a server never reads half of one; so do the rules with their ends. The caller holds the lock.
 */
export async function provideCertificates(
  files: Pick<ConfigFiles, 'read' | 'write'>,
  services: readonly ReleaseSource[],
  { stack, now }: { readonly stack: string; readonly now: number },
): Promise<void> {
  const stored = await readAll(files, services);
  const found = authorityIn([...stored.values()]);
  const { key, certificate } = found;
  const isKept = key !== undefined && certificate !== undefined && !isNearEnd(certificate, now);
  const authority = isKept ? { key, certificate } : await makeAuthority(stack, now, found);
  const entries: ArchiveEntry[] = [];
  const links: ArchiveEntry[] = [];
  const needs = certificateNeeds(services);
  const provided = new Map(stored);
  for (const need of needs) {
    const own = stored.get(need.service) ?? nothing;
    const folder = `${need.service}/${certificateFolder}`;
    entries.push({ kind: 'directory', path: folder, mode: 0o755, ...root });
    if (lacksAuthority(own, need, authority)) entries.push(...authorityEntries(folder, need, authority));
    if (need.names === undefined || whyServerDue(own, need, authority, now) === undefined) continue;
    const pem = await issueCertificate(authority, need.names, now);
    provided.set(need.service, {
      ...own,
      server: { certificate: new X509Certificate(pem), key: createPrivateKey(pem) },
    });
    const slot = otherSlot(own.slot);
    const [uid = 0, gid = 0] = need.user.split(':').map(Number);
    const path = `${folder}/${slot}/${certificateFiles.server}`;
    entries.push(
      { kind: 'directory', path: `${folder}/${slot}`, mode: 0o755, ...root },
      { kind: 'file', path, content: Buffer.from(pem), mode: 0o400, uid, gid },
    );
    const to = `${slot}/${certificateFiles.server}`;
    links.push({ kind: 'link', path: `${folder}/${certificateFiles.server}`, to, ...root });
  }
  const rules = internalExpiryRules(endsOf(needs, provided, authority.certificate));
  for (const { service, hasRules } of needs) {
    const own = stored.get(service) ?? nothing;
    if (!hasRules || own.rules === rules) continue;
    const folder = `${service}/${certificateFolder}`;
    const to = `${otherSlot(own.rulesSlot)}/${certificateFiles.ends}`;
    entries.push(
      { kind: 'directory', path: `${folder}/${otherSlot(own.rulesSlot)}`, mode: 0o755, ...root },
      { kind: 'file', path: `${folder}/${to}`, content: Buffer.from(rules), mode: 0o444, ...root },
    );
    links.push({ kind: 'link', path: `${folder}/${certificateFiles.ends}`, to, ...root });
  }
  await files.write(entries);
  if (links.length > 0) await files.write(links);
}

/** There are two folders for what is written: the one that a link points at, and the one for what is next. */
const otherSlot = (slot: string | undefined): string => (slot === '1' ? '2' : '1');

const root = { uid: 0, gid: 0 } as const;

/** The key first: a certificate without it is made again. */
function authorityEntries(folder: string, { names }: Need, { certificate, key }: Authority): readonly ArchiveEntry[] {
  const file = (name: string, text: string, mode: number): ArchiveEntry => {
    return { kind: 'file', path: `${folder}/${name}`, content: Buffer.from(text), mode, ...root };
  };
  return [
    ...(names === undefined ? [] : [file(certificateFiles.caKey, pemOf(key), 0o400)]),
    file(certificateFiles.ca, certificate.toString(), 0o444),
  ];
}
