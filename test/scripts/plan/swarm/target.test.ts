import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { SwarmFile } from '../../../../scripts/engine/swarm/swarm.ts';
import { toRelease } from '../../../../scripts/plan/swarm/release.ts';
import { type TargetOptions, toTarget } from '../../../../scripts/plan/swarm/target.ts';
import { InputError } from '../../../../scripts/util/stack-error.ts';
import type { Verdict } from '../../../../stack/model.ts';
import { contentOf, Secret } from '../../../../stack/secret.ts';
import type { Release } from '../../../../stack/service.ts';
import { renderCase } from '../../../golden/golden.ts';

const options: TargetOptions = {
  cluster: 'a swarm',
  image: (reference) => reference,
  healthCheck: () => undefined,
  pins: new Map(),
};

/** The golden stack with a file of Prometheus more. */
async function withFile(path: string, content: string) {
  const rendering = await renderCase('swarm');
  const file = { service: 'prometheus', path, content, mode: 0o444, origin: `mine/${path}` };
  return {
    ...rendering,
    services: rendering.services.map((service) =>
      service.service.name === 'prometheus' ? { ...service, files: [...service.files, file] } : service,
    ),
  };
}

it('must name files by what they have, and secrets by nothing that others could compute', async () => {
  const rendering = await renderCase('swarm');
  const [one, same, other] = ['a swarm', 'a swarm', 'another'].map((cluster) =>
    toTarget(rendering, { ...options, cluster }),
  );
  const names = (kind: string, target = one) =>
    (target?.stored ?? []).filter((file) => file.kind === kind).map(({ name }) => name);
  expect(names('config', same)).toEqual(names('config'));
  expect(names('config', other)).toEqual(names('config'));
  const given = ({ length }: { readonly length?: number | undefined }) => length === undefined;
  const secrets = (target = one) =>
    (target?.stored ?? []).filter((file) => file.kind === 'secret' && given(file)).map(({ name }) => name);
  expect(secrets(same)).toEqual(secrets());
  expect(secrets(other).filter((name) => secrets().includes(name))).toEqual([]);
  for (const { name } of one?.stored ?? []) expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/);
});

it('must divide a rule file that is too large, and refuse any other at its place', async () => {
  const group = (at: number) =>
    `  - name: g${at}\n    rules:\n      - {record: "a:${at}", expr: "${'x'.repeat(100_000)}"}\n`;
  const rules = `groups:\n${[1, 2, 3, 4, 5, 6, 7].map(group).join('')}`;
  const { services, stored } = toTarget(await withFile('rules/user/big.yml', rules), options);
  const mounted = services
    .find(({ service }) => service === 'prometheus')
    ?.files.filter(({ target }) => target.includes('big'));
  expect(mounted?.map(({ target }) => target)).toEqual(
    [1, 2].map((part) => `/etc/promstack/current/rules/user/big.part-${part}.yml`),
  );
  for (const { content } of stored) expect(content?.length ?? 0).toBeLessThan(500 * 1024);
  const large = await withFile('targets/big.json', 'x'.repeat(600_000));
  expect(() => toTarget(large, options)).toThrow(InputError);
  expect(() => toTarget(large, options)).toThrow(
    'mine/targets/big.json has 586 kB: a swarm holds files of less than 500 kB',
  );
});

it('must store no empty file, which managers refuse', async () => {
  const { stored } = toTarget(await withFile('targets/none.json', ''), options);
  expect(stored.filter(({ content }) => content?.length === 0)).toEqual([]);
});

/** The golden stack whose Alertmanager has a secret in its main file, and one that is a file of its own. */
async function withSecretFiles() {
  const rendering = await renderCase('swarm');
  const password = { service: 'alertmanager', path: 'secrets/password', mode: 0o400, origin: 'stack.yml' };
  const services = rendering.services.map((service) => {
    if (service.service.name !== 'alertmanager') return service;
    const files = service.files.map((file) =>
      file.path === 'alertmanager.yml' ? { ...file, content: new Secret(contentOf(file), 'stack.yml') } : file,
    );
    return { ...service, files: [...files, { ...password, content: new Secret('hunter2', 'PASSWORD') }] };
  });
  return { ...rendering, services };
}

it('must store no digest by which a password could be found: only that of a secret file that its server identifies by one', async () => {
  const { services } = toTarget(await withSecretFiles(), options);
  const digests = services.flatMap(({ service, digests: own }) => Object.keys(own).map((path) => `${service}/${path}`));
  expect(digests).toEqual(['alertmanager/alertmanager.yml']);
  const text = JSON.stringify(services);
  for (const hash of ['md5', 'sha1', 'sha256']) {
    expect(text).not.toContain(createHash(hash).update('hunter2').digest('hex').slice(0, 12));
  }
  const plain = toTarget(await renderCase('swarm'), options);
  expect(plain.services.map(({ digests: own }) => own)).toEqual(plain.services.map(() => ({})));
});

it('must prove a release whose secret files cannot be read back, by their digests, also with those of earlier builds', async () => {
  const rendering = await withSecretFiles();
  const { services, stored } = toTarget(rendering, options);
  const target = services.find(({ service }) => service === 'alertmanager');
  const rendered = rendering.services.find(({ service }) => service.name === 'alertmanager');
  if (target === undefined || rendered === undefined) throw new Error('no Alertmanager');
  const files = stored.map(({ kind, name, content }): SwarmFile => {
    const text = kind === 'secret' ? undefined : content?.toString();
    return { kind, id: name, name, version: 1, labels: {}, content: text };
  });
  const exportedFor = (release: Release): Verdict | undefined => {
    const digest = createHash('md5')
      .update(contentOf(rendered.files.find(({ path }) => path === 'alertmanager.yml') ?? { content: '' }))
      .digest();
    const body = `alertmanager_config_hash ${digest.readUIntLE(0, 6)}\n`;
    return rendered.service.proofs(release)[0]?.assess({ status: 200, body });
  };
  expect(exportedFor(toRelease(target, rendering.config, files))).toEqual({ kind: 'proven' });
  const all = rendered.files.map(
    (file) => [file.path, createHash('md5').update(contentOf(file)).digest('hex')] as const,
  );
  const earlier = { ...target, digests: Object.fromEntries(all) };
  expect(exportedFor(toRelease(earlier, rendering.config, files))).toEqual({ kind: 'proven' });
  const others = toRelease({ ...target, digests: {} }, rendering.config, files);
  expect(exportedFor(others)?.kind).toBe('notYet');
});
