import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ArchiveEntry } from '../../../scripts/engine/engine.ts';
import { dueCertificates, otherEnds, provideCertificates } from '../../../scripts/state/internal-ca.ts';
import type { ReleaseSource } from '../../../scripts/state/release-files.ts';
import { redact } from '../../../scripts/util/redaction.ts';
import { caPath } from '../../../stack/access/internal-ca.ts';
import type { CertificateEnds } from '../../../stack/model.ts';
import { MemoryFiles } from '../../support/config-files.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const dayMs = 86_400_000;
const names = ['prometheus', 'shop-prometheus', 'localhost', '127.0.0.1', '::1', 'monitoring.example.com'];

const sourceOf = (service: string, files: Readonly<Record<string, string>>): ReleaseSource => ({
  service: { name: service },
  spec: { user: '65534:65534' },
  release: {
    files: Object.entries(files).map(([path, content]) => ({ service, path, content, mode: 0o444, origin: 'a test' })),
  },
});
const server = (service: string, of = names) => sourceOf(service, { 'access/names': `${of.join('\n')}\n` });
const client = sourceOf('grafana', { 'datasources.yml': `tlsCACert: $__file{${caPath}}\n` });
const bystander = sourceOf('sink', { 'sink.sh': 'exit\n' });

const provide = (files: MemoryFiles, services: readonly ReleaseSource[], at = now) =>
  provideCertificates(files, services, { stack: 'shop', now: at });
const due = async (files: MemoryFiles, services: readonly ReleaseSource[], at = now) =>
  Object.fromEntries(await dueCertificates(files, services, at));

async function textOf(files: MemoryFiles, service: string, path: string): Promise<string> {
  const [entry] = (await files.read(service, `certificates/${path}`)) ?? [];
  return entry?.kind === 'file' ? entry.content.toString('utf8') : '';
}
const caOf = (files: MemoryFiles, service = 'prometheus') => textOf(files, service, 'ca.pem');
const keyOf = (files: MemoryFiles, service = 'prometheus') => textOf(files, service, 'ca-key.pem');
/** The certificate and the key that a server reads by its link. */
const serverOf = async (files: MemoryFiles, service = 'prometheus') =>
  textOf(files, service, (await files.readLink(service, 'certificates/server.pem')) ?? '');

describe('the internal CA', () => {
  const services = [server('prometheus'), server('pushgateway', ['pushgateway', 'localhost']), client, bystander];

  it('must be the same for all services, and be made once', async () => {
    const files = new MemoryFiles();
    expect(await due(files, services)).toEqual({
      prometheus: 'the stack has no internal CA yet',
      pushgateway: 'the stack has no internal CA yet',
      grafana: 'the stack has no internal CA yet',
    });
    await provide(files, services);
    expect(await due(files, services)).toEqual({});
    const before = await caOf(files);
    expect(new X509Certificate(before)).toMatchObject({ ca: true, subject: 'CN=promstack CA of shop' });
    for (const service of ['pushgateway', 'grafana']) expect(await caOf(files, service)).toBe(before);
    const certificate = await serverOf(files);
    await provide(files, services);
    expect([await caOf(files), await serverOf(files)]).toEqual([before, certificate]);
  });

  it('must have its key only where a server has a certificate, for root alone', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const keys = files.paths().filter((path) => path.endsWith('ca-key.pem'));
    expect(keys).toEqual(['prometheus/certificates/ca-key.pem', 'pushgateway/certificates/ca-key.pem']);
    const [entry] = (await files.read('prometheus', 'certificates/ca-key.pem')) ?? [];
    expect(entry).toMatchObject({ mode: 0o400, uid: 0, gid: 0 });
    const [own] = (await files.read('prometheus', 'certificates/1/server.pem')) ?? [];
    expect(own).toMatchObject({ mode: 0o400, uid: 65534, gid: 65534 });
    expect(files.paths().filter((path) => path.startsWith('sink'))).toEqual([]);
  });

  it('must not be printed, but for its certificate', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const [certificate, key, both] = [await caOf(files), await keyOf(files), await serverOf(files)];
    expect(redact(certificate)).toBe(certificate);
    const [, secret = ''] = key.split('\n');
    expect(redact(key)).not.toContain(secret.slice(48));
    const [own = ''] = /-----BEGIN PRIVATE KEY-----\n(.+)/.exec(both)?.slice(1) ?? [];
    expect(redact(both)).not.toContain(own.slice(48));
  });

  it('must be kept when a volume is lost, and when none of its servers needs it for a while', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const before = await caOf(files);
    await files.write([], ['prometheus/certificates']);
    expect(await due(files, services)).toEqual({ prometheus: 'it does not have the internal CA' });
    await provide(files, services);
    expect(await caOf(files)).toBe(before);
    const later = [server('alertmanager'), sourceOf('prometheus', {}), sourceOf('pushgateway', {})];
    await provide(files, later);
    expect(await caOf(files, 'alertmanager')).toBe(before);
  });

  it('must go on with its key in the last third of its life, so that clients with the old certificate verify new ones', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const [before, key] = [new X509Certificate(await caOf(files)), await keyOf(files)];
    const nearEnd = now + 2_500 * dayMs;
    expect(await due(files, services, nearEnd)).toMatchObject({
      grafana: 'the certificate of the internal CA expires on 2036-05-29',
    });
    await provide(files, services, nearEnd);
    expect(await due(files, services, nearEnd)).toEqual({});
    expect(await keyOf(files)).toBe(key);
    const issued = new X509Certificate(await serverOf(files));
    for (const ca of [before, new X509Certificate(await caOf(files))]) {
      expect(issued.checkIssued(ca) && issued.verify(ca.publicKey)).toBe(true);
    }
  });

  it('must not be there for services without certificates of it', async () => {
    expect(await due(new MemoryFiles(), [client, bystander])).toEqual({});
  });
});

describe('the certificate of a server', () => {
  const services = [server('prometheus')];

  it('must be for all names, and signed by the CA', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const certificate = new X509Certificate(await serverOf(files));
    const ca = new X509Certificate(await caOf(files));
    expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
    expect(names.filter((name) => !certificate.checkHost(name) && !certificate.checkIP(name))).toEqual([]);
    expect(certificate.checkHost('evil.example.com')).toBeUndefined();
    expect(certificate).toMatchObject({ ca: false, keyUsage: ['1.3.6.1.5.5.7.3.1'] });
  });

  it.each([
    ['at first', 0, undefined],
    ['before the last third of its life', 240, undefined],
    ['in the last third of its life', 250, 'its certificate expires on 2027-06-01'],
    ['when it has expired', 400, 'its certificate expires on 2027-06-01'],
  ])('%s, it must be renewed or not', async (_, days, why) => {
    const files = new MemoryFiles();
    await provide(files, services);
    const [ca, before] = [await caOf(files), await serverOf(files)];
    expect((await due(files, services, now + days * dayMs))['prometheus']).toBe(why);
    await provide(files, services, now + days * dayMs);
    expect((await serverOf(files)) === before).toBe(why === undefined);
    expect(await caOf(files)).toBe(ca);
  });

  it.each(['*.example.com', 'Shop.Example.com', 'xn--bcher-kva.example', '2001:db8::1'])(
    'must be issued once for the name %s',
    async (name) => {
      const files = new MemoryFiles();
      const named = [server('prometheus', [...names, name])];
      await provide(files, named);
      expect(await due(files, named)).toEqual({});
    },
  );

  it('must be another one when it is for other names, or is damaged', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const more = [server('prometheus', [...names, 'push.example.com', '10.0.0.7'])];
    expect(await due(files, more)).toEqual({ prometheus: 'its certificate is not for push.example.com and 10.0.0.7' });
    expect(await due(files, [server('prometheus', ['localhost'])])).toEqual({});
    files.truncate('prometheus/certificates/1/server.pem', 300);
    expect(await due(files, services)).toEqual({ prometheus: 'it has no certificate yet' });
    await provide(files, services);
    expect(await due(files, services)).toEqual({});
  });
});

describe('the ends of certificates in the rules of Prometheus', () => {
  const rules = { 'prometheus.yml': 'rule_files: [/etc/promstack/certificates/*.yml]\n' };
  const services = [sourceOf('prometheus', rules), server('pushgateway', ['pushgateway']), server('alertmanager')];
  const rulesOf = async (files: MemoryFiles): Promise<string> =>
    textOf(files, 'prometheus', (await files.readLink('prometheus', 'certificates/ends.yml')) ?? '');
  const endsOf = async (files: MemoryFiles): Promise<Readonly<Record<string, string>>> => {
    const { groups } = parse(await rulesOf(files)) as {
      groups: { rules: { expr: string; labels: { service: string } }[] }[];
    };
    return Object.fromEntries(groups.flatMap((group) => group.rules.map(({ expr, labels }) => [labels.service, expr])));
  };
  const loadedOf = async (files: MemoryFiles): Promise<CertificateEnds> =>
    new Map(Object.entries(await endsOf(files)).map(([name, expr]) => [name, Number(expr.replace(/\D/g, ''))]));
  const end = (days: number): string => `vector(${(now + (days + 365) * dayMs) / 1_000})`;
  const dueOf = async (files: MemoryFiles, loaded: CertificateEnds | undefined, at = now) =>
    Object.fromEntries(await dueCertificates(files, services, at, async () => loaded));

  it('must be those of all servers, and follow when one is renewed', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    expect(await endsOf(files)).toEqual({ alertmanager: end(0), pushgateway: end(0) });
    expect(await due(files, services)).toEqual({});
    const later = now + 300 * dayMs;
    expect(await due(files, services, later)).toMatchObject({ prometheus: otherEnds });
    await provide(files, services, later);
    expect(await endsOf(files)).toEqual({ alertmanager: end(300), pushgateway: end(300) });
    expect(await due(files, services, later)).toEqual({});
  });

  it('must be loaded by a Prometheus that still has earlier ones, or none', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    const loaded = await loadedOf(files);
    expect(await dueOf(files, loaded)).toEqual({});
    // It does not run, or does not answer.
    expect(await dueOf(files, undefined)).toEqual({});
    const earlier = new Map([...loaded, ['alertmanager', 1_800_000_000]] as const);
    for (const other of [earlier, new Map([['alertmanager', 1]]), new Map<string, number>()]) {
      expect(await dueOf(files, other)).toEqual({ prometheus: otherEnds });
    }
  });

  it('must be written again when they are damaged, or a server is no longer there', async () => {
    const files = new MemoryFiles();
    await provide(files, services);
    files.truncate(
      await files.readLink('prometheus', 'certificates/ends.yml').then((to) => `prometheus/certificates/${to}`),
      20,
    );
    expect(await due(files, services)).toEqual({ prometheus: otherEnds });
    await provide(files, services);
    expect(await due(files, services)).toEqual({});
    const fewer = services.slice(0, 2);
    expect(await due(files, fewer)).toEqual({ prometheus: otherEnds });
    await provide(files, fewer);
    expect(Object.keys(await endsOf(files))).toEqual(['pushgateway']);
  });
});

/** Volumes of a promstack that is killed after this number of entries, the last of them cut. */
class CutFiles extends MemoryFiles {
  left = Number.POSITIVE_INFINITY;

  override async write(entries: readonly ArchiveEntry[], cleared: readonly string[] = []): Promise<void> {
    const written = entries.slice(0, this.left);
    await super.write(written, cleared);
    this.left -= written.length;
    const last = written.at(-1);
    if (this.left > 0) return;
    if (last?.kind === 'file') this.truncate(last.path, 100);
    throw new Error('killed');
  }
}

describe('a promstack that is killed', () => {
  const rules = sourceOf('rules', { 'prometheus.yml': 'rule_files: [/etc/promstack/certificates/*.yml]\n' });
  const services = [server('prometheus'), client, rules];

  it('must leave what the next one completes, whenever it is while the CA is made', async () => {
    let isComplete = false;
    for (let after = 1; !isComplete; after++) {
      const files = new CutFiles();
      files.left = after;
      isComplete = await provide(files, services).then(
        () => true,
        () => false,
      );
      files.left = Number.POSITIVE_INFINITY;
      await provide(files, services);
      expect(await due(files, services)).toEqual({});
      expect(await caOf(files, 'grafana')).toBe(await caOf(files));
    }
  });

  it('must leave a certificate that is whole while one is renewed, and the same CA', async () => {
    const later = now + 300 * dayMs;
    let isComplete = false;
    for (let after = 1; !isComplete; after++) {
      const files = new CutFiles();
      await provide(files, services);
      const ca = await caOf(files);
      files.left = after;
      isComplete = await provide(files, services, later).then(
        () => true,
        () => false,
      );
      const text = await serverOf(files);
      expect(new X509Certificate(text).verify(new X509Certificate(ca).publicKey)).toBe(true);
      expect(text).toContain('-----END PRIVATE KEY-----');
      const loaded = await textOf(files, 'rules', (await files.readLink('rules', 'certificates/ends.yml')) ?? '');
      expect(parse(loaded)).toMatchObject({ groups: [{ rules: [{ labels: { service: 'prometheus' } }] }] });
      files.left = Number.POSITIVE_INFINITY;
      await provide(files, services, later);
      expect(await due(files, services, later)).toEqual({});
      expect(await caOf(files)).toBe(ca);
    }
  });
});
