import { expect, it } from 'vitest';
import type { SwarmFile } from '../../../../scripts/engine/swarm/swarm.ts';
import { toRelease } from '../../../../scripts/plan/swarm/release.ts';
import { type TargetOptions, toTarget } from '../../../../scripts/plan/swarm/target.ts';
import { InputError } from '../../../../scripts/util/stack-error.ts';
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

it('must prove a release whose secret files cannot be read back, by their digests', async () => {
  const rendering = await renderCase('swarm');
  const { services, stored } = toTarget(rendering, options);
  const grafana = services.find(({ service }) => service === 'grafana');
  if (grafana === undefined) throw new Error('no Grafana');
  const files = stored.map(({ kind, name, content }): SwarmFile => {
    return {
      kind,
      id: name,
      name,
      version: 1,
      labels: {},
      content: kind === 'secret' ? undefined : content?.toString(),
    };
  });
  const release = toRelease(grafana, rendering.config, files);
  for (const { path, content } of release.files) {
    const digest = grafana.digests[path];
    if (digest === undefined) continue;
    expect(Buffer.from(release.md5(String(content))).toString('hex'), path).toBe(digest);
  }
});
