import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import {
  connect,
  type Event,
  InputError,
  openStack,
  type RunningStack,
  StackError,
  startStack,
} from '../../scripts/index.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';

const images = { source: 'auto' } as const;
const rules = (limit: number): string => `groups:
  - name: shop
    rules:
      - alert: OrdersStuck
        expr: shop_orders_stuck > ${limit}
        annotations: { summary: '{{ $value }} orders are stuck' }
`;
const orders = (count: number): string => `# TYPE shop_orders_stuck gauge\nshop_orders_stuck ${count}\n`;

/** What the engine has of stacks, by name. */
async function remainsOf(...names: readonly string[]): Promise<readonly string[]> {
  await using engine = await connect({ env: process.env });
  const [containers, volumes, networks] = await Promise.all([
    engine.listContainers({}),
    engine.listVolumes({}),
    engine.listNetworks({}),
  ]);
  return [...containers, ...volumes, ...networks]
    .map((item) => item.name)
    .filter((item) => names.some((name) => item.startsWith(name)));
}

describe('a stack of startStack', () => {
  test('must be pushed to, queried, reloaded and notified of, and leave nothing', async () => {
    let name = '';
    {
      await using stack: RunningStack = await startStack(
        { images, prometheus: { rules: ['rules/*.yml'] } },
        { files: { 'rules/shop.yml': rules(10) } },
      );
      name = stack.name;
      expect(Object.keys(stack.urls)).toEqual(['pushgateway', 'prometheus', 'alertmanager', 'sink']);
      await stack.push(orders(12), { grouping: { shop: 'kiel' } });

      const [sample] = await stack.waitFor('shop_orders_stuck', ([first]) => first?.value === 12);
      expect(sample?.labels).toEqual({ __name__: 'shop_orders_stuck', job: 'test', shop: 'kiel' });
      const [alert] = await stack.waitForAlert('OrdersStuck');
      expect(alert?.annotations).toEqual({ summary: '12 orders are stuck' });
      const notified = await stack.waitForNotification('OrdersStuck');
      expect(notified.alerts[0]?.annotations).toEqual({ summary: '12 orders are stuck' });
      expect(await stack.notifications()).toHaveLength(1);
      expect((await stack.status()).problems).toEqual([]);
      expect(await stack.silence('alertname="OrdersStuck"')).toMatch(/^[0-9a-f-]{36}$/);
      await expect(stack.query('rate(up)')).rejects.toThrow('querying rate(up): ');
      await expect(stack.query('up[5m]')).rejects.toThrow('it has the type matrix');
      expect(await stack.query('1/0')).toEqual([{ labels: {}, value: Number.POSITIVE_INFINITY }]);
      await expect(stack.waitFor('absent_metric', undefined, { timeoutMs: Number.NaN })).rejects.toThrow('no samples');
      for (const durationMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(stack.silence('a="b"', { durationMs })).rejects.toThrow(InputError);
      }
      await expect(stack.waitForAlert('OrderStuck', { timeoutMs: 1 })).rejects.toThrow('is OrdersStuck meant?');
      await expect(stack.waitForAlert('OrdersStuck', { state: 'pending', timeoutMs: 1 })).rejects.toThrow(
        'it is firing',
      );

      const broken = stack.reload({ files: { 'rules/shop.yml': rules(20).replace('expr', 'exqr') } });
      await expect(broken).rejects.toThrow(/^rules\/shop.yml:5:9: /);
      const { changes } = await stack.reload({ files: { 'rules/shop.yml': rules(20) } });
      expect(changes.flatMap(({ service, action }) => (action === 'none' ? [] : `${service} ${action}`))).toEqual([
        'prometheus reload',
      ]);
      expect(await stack.waitForAlert('OrdersStuck', { state: 'inactive' })).toEqual([]);
      expect((await stack.plan()).steps).toEqual([]);
      const lines = await stack.logs('prometheus');
      expect(lines.some(({ text }) => text.includes('Completed loading of configuration file'))).toBe(true);

      await using opened = await openStack({ name });
      expect(opened.urls).toEqual(stack.urls);
      expect(await opened.query('shop_orders_stuck')).toHaveLength(1);
      await expect(startStack({ images }, { name })).rejects.toThrow('a stack of that name is on the engine already');
      expect(await opened.query('vector(1)')).toHaveLength(1);
    }
    expect(await remainsOf(name)).toEqual([]);
  });

  test('must be refused for a mistake at its place, without anything on the engine', async () => {
    const starting = startStack({ prometheus: { scrape_interval: '5 seconds' } }, { name: 'test-mistake' });
    const error = await starting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    const [mistake] = (error as InputError).diagnostics;
    expect(mistake?.where).toMatchObject({ file: 'config', line: 2 });
    await expect(startStack({}, { files: { '../a.yml': '' } })).rejects.toThrow('not below the folder of the stack');
    await expect(startStack({}, { env: { DOCKER_HOST: 'tcp://127.0.0.1:9' } })).rejects.toThrow(StackError);
    expect(await remainsOf('test-mistake')).toEqual([]);
  });

  test('must be removed when its signal aborts, during the start and later', async () => {
    const [early, late] = [`test-${randomBytes(4).toString('hex')}`, `test-${randomBytes(4).toString('hex')}`];
    const controller = new AbortController();
    const config = { images, prometheus: { enabled: false }, alertmanager: { enabled: false } };
    const report = (event: Event): void => {
      if (event.kind === 'started' && event.what.startsWith('start ')) controller.abort();
    };
    await expect(startStack(config, { name: early, signal: controller.signal, report })).rejects.toThrow();
    expect(controller.signal.aborted).toBe(true);
    expect(await remainsOf(early)).toEqual([]);

    const later = new AbortController();
    const stack = await startStack(config, { name: late, signal: later.signal });
    later.abort();
    await stack.down();
    expect(await remainsOf(late)).toEqual([]);
  });

  test('must give a service that a reload adds a free port, list its URL, and forget that of a removed one', async () => {
    const bare = { images, prometheus: { enabled: false }, alertmanager: { enabled: false } };
    await using stack = await startStack(bare);
    const { pushgateway = '' } = stack.urls;
    const more = { images, prometheus: { enabled: false } };
    const mistaken = stack.reload({ config: { images, prometheus: { enabled: 'x' as never } } });
    await expect(mistaken).rejects.toThrow(InputError);
    await stack.reload({ config: more });
    expect(Object.keys(stack.urls)).toEqual(['pushgateway', 'alertmanager', 'sink']);
    expect(stack.urls['pushgateway']).toBe(pushgateway);
    expect(stack.urls['alertmanager']).not.toContain(':9093');
    expect((await fetch(`${stack.urls['alertmanager']}/-/ready`)).status).toBe(200);
    expect(await stack.silence('alertname="OrdersStuck"')).not.toBe('');
    expect((await stack.plan()).steps).toEqual([]);
    await using opened = await openStack({ name: stack.name });
    expect(opened.urls).toEqual(stack.urls);
    await stack.reload({ config: bare });
    expect(stack.urls).toEqual({ pushgateway });
  });

  test('must be removed by another down when one fails, and not be started again by a reload', async () => {
    await using bench = await testEngine();
    const config = { images, prometheus: { enabled: false }, alertmanager: { enabled: false } };
    const stack = await startStack(config);
    const mounts = [{ volume: `${stack.name}-pushgateway-data`, target: '/held', readOnly: true }];
    const holder = await bench.createHelper('holder', { mounts });
    await expect(stack.down()).rejects.toThrow('still uses it');
    await bench.engine.removeContainer(holder);
    await stack.down();
    for (const call of [stack.reload, stack.plan, stack.status]) await expect(call()).rejects.toThrow('was taken down');
    expect(await remainsOf(stack.name)).toEqual([]);
  });

  test('must be removed by the next start when its process was killed, and not before', async () => {
    await using bench = await testEngine();
    const [killed, elsewhere] = [bench.name('killed'), bench.name('elsewhere')];
    const config = JSON.stringify({ images, prometheus: { enabled: false }, alertmanager: { enabled: false } });
    const script = `import { startStack } from ${JSON.stringify(`${packageRoot()}/dist/scripts/index.js`)};
      await startStack(${config}, { name: ${JSON.stringify(killed)} });
      console.log('started');
      setInterval(() => {}, 1000);`;
    const child = execa('node', ['--input-type=module', '-e', script], { reject: false });
    await eventually(async () => expect((await remainsOf(killed)).length).toBeGreaterThan(2));
    const folders = async () => (await readdir(tmpdir())).filter((entry) => entry.includes(`-${child.pid}-`));
    expect(await folders()).toHaveLength(1);
    const owner = (await bench.engine.findVolume(`${killed}-owner`))?.labels['dev.promstack.owner'] ?? '{}';
    const foreign = JSON.stringify({ ...JSON.parse(owner), stack: elsewhere, host: 'another-machine', pid: 1 });
    await bench.engine.createVolume(`${elsewhere}-owner`, {
      ...bench.labels,
      'dev.promstack.role': 'owner',
      'dev.promstack.owner': foreign,
    });

    const sweep = () => startStack({ prometheus: { port: 'x' as never } }).catch(() => undefined);
    await sweep();
    expect((await remainsOf(killed)).length).toBeGreaterThan(2);
    expect(await folders()).toHaveLength(1);
    child.kill('SIGKILL');
    await child;
    await sweep();
    expect(await remainsOf(killed)).toEqual([]);
    expect(await folders()).toEqual([]);
    expect(await remainsOf(elsewhere)).toHaveLength(1);
  });

  test('must leave nothing when two hundred are started by four processes', { timeout: 2_400_000 }, async ({
    skip,
  }) => {
    skip(!isFull, 'it takes minutes: `npm run test:full` runs it');
    // The servers that are used: twice as many would take twice as long.
    const config = JSON.stringify({ images, alertmanager: { enabled: false } });
    const script = `import { startStack } from ${JSON.stringify(`${packageRoot()}/dist/scripts/index.js`)};
      const start = () => startStack(${config}).catch((error) => {
        // A busy engine answers late.
        if (error.doing !== 'looking for a container engine') throw error;
        return start();
      });
      for (let at = 0; at < 50; at++) {
        const stack = await start();
        console.log(stack.name);
        await stack.push('a_metric 1');
        await stack.waitFor('a_metric');
        await stack.down();
      }`;
    const runs = [1, 2, 3, 4].map(() => execa('node', ['--input-type=module', '-e', script], { timeout: 2_300_000 }));
    const names = (await Promise.all(runs)).flatMap(({ stdout }) => stdout.split('\n'));
    expect(new Set(names).size).toBe(200);
    expect(await remainsOf(...names)).toEqual([]);
    const folders = await readdir(tmpdir());
    expect(runs.flatMap(({ pid }) => folders.filter((folder) => folder.includes(`-${pid}-`)))).toEqual([]);
  });
});
