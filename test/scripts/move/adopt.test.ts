import { expect, test } from 'vitest';
import { loadStack } from '../../../scripts/config/load.ts';
import type { ContainerSummary, Engine, HelperRequest } from '../../../scripts/engine/engine.ts';
import { type Adoption, adopt, checkAdoption, checkServices, parseAdoption } from '../../../scripts/move/adopt.ts';
import { type Desired, toDesired } from '../../../scripts/plan/desired.ts';
import { render } from '../../../scripts/render/render.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { folderWith } from '../../support/config.ts';
import { fakeEngine } from '../../support/engine.ts';
import { serviceContainer } from '../../support/service-container.ts';

const signal = new AbortController().signal;

async function desired() {
  await using folder = await folderWith({ 'stack.yml': 'name: shop\nprometheus: {image: "prom/prometheus:v3.5.3"}\n' });
  const loaded = await loadStack({ cwd: folder.path, env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const rendered = render(loaded.value, await loadTemplates(folder.path, folder.path));
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return toDesired(rendered.value, (ref) => ({ ref, id: 'sha256:1' }));
}

interface Copied {
  readonly volumes: Map<string, Readonly<Record<string, string>>>;
  readonly helpers: HelperRequest[];
  readonly removed: string[];
}

function engineWith(users: readonly ContainerSummary[], { exitCode = 0 } = {}): { engine: Engine; copied: Copied } {
  const copied: Copied = { volumes: new Map([['old', {}]]), helpers: [], removed: [] };
  const engine = fakeEngine({
    findVolume: async (name) =>
      copied.volumes.has(name) ? { name, labels: copied.volumes.get(name) ?? {} } : undefined,
    listContainersOf: async () => users,
    createVolume: async (name, labels) => {
      copied.volumes.set(name, labels);
      return { name, labels };
    },
    removeVolume: async (name) => {
      copied.volumes.delete(name);
    },
    createHelper: async (request) => {
      copied.helpers.push(request);
      return 'helper';
    },
    startContainer: async () => undefined,
    nextExit: async () => exitCode,
    async *logs() {
      yield { stream: 'stderr', time: '', text: 'cp: no space left on device' } as const;
    },
    removeContainer: async (id) => {
      copied.removed.push(id);
    },
  });
  return { engine, copied };
}

async function copies(engine: Engine, stack: Desired, ...adoptions: readonly Adoption[]): Promise<readonly string[]> {
  const copied: string[] = [];
  await adopt(engine, stack, adoptions, { signal, onCopied: (_, as) => copied.push(as) });
  return copied;
}

const adoption = { volume: 'old', service: 'prometheus' };

test('a volume must be copied to that of the service, read-only, with its owner and the labels of the stack', async () => {
  const { engine, copied } = engineWith([
    serviceContainer('old', { state: 'exited', image: 'prom/prometheus:v3.5.3' }),
  ]);
  expect(await copies(engine, await desired(), adoption)).toEqual(['shop-prometheus-data']);
  expect(copied.volumes.get('shop-prometheus-data')).toMatchObject({
    'dev.promstack.stack': 'shop',
    'dev.promstack.service': 'prometheus',
  });
  expect(copied.helpers[0]?.mounts).toEqual([
    { volume: 'old', target: '/from', readOnly: true },
    { volume: 'shop-prometheus-data', target: '/to', readOnly: false },
  ]);
  expect(copied.helpers[0]?.args.at(-1)).toBe('65534:65534');
  expect([...copied.volumes.keys()]).toContain('old');
  expect(copied.removed).toEqual(['helper']);
});

test('a copy that failed must leave no volume', async () => {
  const { engine, copied } = engineWith([], { exitCode: 1 });
  await expect(copies(engine, await desired(), adoption)).rejects.toThrow('no space left on device');
  expect([...copied.volumes.keys()]).toEqual(['old']);
  expect(copied.removed).toEqual(['helper']);
});

test.each(['running', 'paused', 'restarting'] as const)(
  'a volume of a container that is %s must be refused',
  async (state) => {
    const { engine } = engineWith([serviceContainer('web', { state })]);
    await expect(checkAdoption(engine, adoption, undefined)).rejects.toThrow(/uses it\n {2}try: docker stop /);
  },
);

test.each([
  ['prom/prometheus:v3.6.0', 'prom/prometheus:v3.5.3', true],
  ['prom/prometheus:v3.5.10', 'prom/prometheus:v3.5.3', true],
  ['prom/prometheus:v3.5.3', 'prom/prometheus:v3.5.3', false],
  ['prom/prometheus:v2.55.1', 'prom/prometheus:v3.5.3', false],
  ['prom/prometheus', 'prom/prometheus:v3.5.3', false],
  ['registry.example.com:5000/prometheus:v4.0.0', 'prom/prometheus:v3.5.3-distroless', true],
])('data of %s with the image %s must be refused: %s', async (before, now, isRefused) => {
  const { engine } = engineWith([serviceContainer('old', { state: 'exited', image: before })]);
  const result = await checkAdoption(engine, adoption, now).then(
    () => false,
    (error: Error) => error.message.includes('newer than'),
  );
  expect(result).toBe(isRefused);
});

test('what is not there, or there already, must be refused', async () => {
  const { engine, copied } = engineWith([]);
  const stack = await desired();
  await expect(copies(engine, stack, { volume: 'gone', service: 'prometheus' })).rejects.toThrow('it does not exist');
  await expect(copies(engine, stack, { volume: 'old', service: 'node' })).rejects.toThrow(
    'has no service node with data',
  );
  copied.volumes.set('shop-prometheus-data', {});
  await expect(copies(engine, stack, adoption)).rejects.toThrow('the stack has a volume shop-prometheus-data already');
  expect(copied.helpers).toEqual([]);
});

test.each([
  { volume: 'gone', service: 'alertmanager' },
  { volume: 'old', service: 'node' },
])('of several volumes none must be copied when one is refused: $volume for $service', async (second) => {
  const { engine, copied } = engineWith([]);
  await expect(copies(engine, await desired(), adoption, second)).rejects.toThrow();
  expect([...copied.volumes.keys()]).toEqual(['old']);
});

test('several volumes for one service must be refused', () => {
  expect(() => checkServices([adoption, { volume: 'other', service: 'grafana' }])).not.toThrow();
  expect(() => checkServices([adoption, { volume: 'other', service: 'prometheus' }])).toThrow(
    '--adopt names 2 volumes for prometheus: old and other',
  );
});

test.each(['old', 'old=', '=prometheus', 'a b=prometheus', '-old=prometheus'])(
  '%j must be refused as VOLUME=SERVICE',
  (text) => {
    expect(() => parseAdoption(text)).toThrow('is not VOLUME=SERVICE');
  },
);
