import { execa } from 'execa';
import { beforeEach, expect, test } from 'vitest';
import { shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { fillMacros, queriesOf } from '../support/dashboard-queries.ts';
import { testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { haveImages } from '../support/images.ts';
import { metricNames } from '../support/promql.ts';
import { expectFine, expectSettled } from '../support/revisions.ts';
import { getJson, query } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';
import { shippedAlerts } from '../support/shipped.ts';
import { freePorts, stackFolder } from '../support/stack-folder.ts';

beforeEach(({ skip }) => {
  if (!isFull) skip('only `npm run test:full` runs it');
});

const timeoutMs = 240_000;

const alone = { alertmanager: { enabled: false }, sink: { enabled: false }, pushgateway: { enabled: false } };

/** The times of the samples of a series in a store, in seconds since 1970. */
async function timesIn(store: string, selector: string): Promise<readonly number[]> {
  const path = `${store}/api/v1/query?nocache=1&query=${encodeURIComponent(`${selector}[1h]`)}`;
  const { data } = await getJson<{ data: { result: { values: [number, string][] }[] } }>(path);
  return data.result.flatMap(({ values }) => values.map(([seconds]) => seconds));
}

test('samples must arrive in VictoriaMetrics before up is done, and those of an outage after it', {
  timeout: timeoutMs,
}, async () => {
  const [port = 0] = await freePorts(1);
  const keys = (retention: string) => ({
    ...alone,
    prometheus: { scrape_interval: '1s', evaluation_interval: '1s' },
    long_term: { victoriametrics: { retention, port } },
  });
  await using stack = await stackFolder(keys('2y'));
  const store = `http://127.0.0.1:${port}`;
  expectFine(await stack.run('up'));
  expect((await timesIn(store, 'promstack_revision_info{x!="1"}')).length).toBeGreaterThan(0);
  await expectSettled(stack);

  const container = `${stack.name}-victoriametrics`;
  const { stdout } = await execa('docker', ['inspect', container]);
  expect(JSON.parse(stdout)).toMatchObject([
    { HostConfig: { ReadonlyRootfs: true, CapDrop: ['ALL'] }, Config: { User: '65534:65534' } },
  ]);
  const { stdout: page } = await execa('curl', ['-sf', `${store}/metrics`]);
  const names = [
    ...shippedAlerts.filter(({ file }) => file.endsWith('victoriametrics.yml')).map(({ expr }) => expr),
    ...shippedDashboards()
      .filter(({ name }) => name === 'victoriametrics')
      .flatMap(({ dashboard }) => queriesOf(dashboard))
      .map(({ expr }) => fillMacros(expr, {})),
  ].flatMap((expr) => metricNames(expr).filter((name) => name.startsWith('vm_')));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(page))).toEqual([]);

  // The store is killed: Prometheus keeps the samples, and a change of other files is made.
  const killedAt = Date.now() / 1_000;
  await execa('docker', ['kill', container]);
  await eventually(async () =>
    expect((await execa('docker', ['inspect', '-f', '{{.State.Running}}', container])).stdout).toBe('false'),
  );
  await eventually(async () => expect(Date.now() / 1_000).toBeGreaterThan(killedAt + 10));
  const started = await stack.run('up');
  expectFine(started);
  await eventually(async () => {
    const during = (await timesIn(store, 'up{job="prometheus"}')).filter((at) => at > killedAt && at < killedAt + 8);
    expect(during.length).toBeGreaterThan(5);
  });

  const plan = await stack.configure(keys('30d')).then(() => stack.run('plan'));
  expect(plan.stdout).toContain('samples older than 30d are deleted (retention was 2y)');
  expectFine(await stack.run('down', '--yes'));
  expect((await execa('docker', ['volume', 'ls', '-q'])).stdout).toContain(`${stack.name}-victoriametrics-data`);
});

test('a store outside must have a sample before up is done, and one that is down must not keep a rule from being loaded', {
  timeout: timeoutMs,
}, async () => {
  const secret = 'planted-secret-7f3a';
  await using bench = await testEngine();
  const [image = ''] = await haveImages(bench.engine, [defaultImages.victoriametrics]);
  const network = bench.name('store');
  await bench.engine.createNetwork(network, bench.labels);
  const store = await bench.createHelper('store', {
    image,
    entrypoint: ['/victoria-metrics-prod'],
    args: [
      '-storageDataPath=/dev/shm/data',
      '-storage.minFreeDiskSpaceBytes=1MB',
      '-httpAuth.username=shop',
      `-httpAuth.password=${secret}`,
    ],
  });
  await execa('docker', ['network', 'disconnect', 'none', store]);
  await execa('docker', ['network', 'connect', '--alias', 'store', network, store]);
  await bench.engine.startContainer(store);
  const keys = (password: string, more: object = {}) => ({
    ...alone,
    networks: [network],
    prometheus: { scrape_interval: '1s', ...more },
    long_term: {
      remote: {
        write: 'http://store:8428/api/v1/write',
        read: 'http://store:8428',
        basic_auth: { username: 'shop', password },
      },
    },
  });
  await using stack = await stackFolder(keys('wrong'));
  const wrong = await stack.run('up');
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toMatch(
    /long-term storage http:\/\/store:8428\/api\/v1\/write: it rejected \d+ samples?: .*401/,
  );
  expect(wrong.stderr).toContain('try: check basic_auth, authorization and headers of long_term.remote');

  await stack.configure(keys(secret));
  const up = await stack.run('up');
  expectFine(up);
  expect(up.stdout + up.stderr).not.toContain(secret);

  await execa('docker', ['kill', store]);
  await stack.write('rules.yml', 'groups: [{name: shop, rules: [{record: loaded_without_store, expr: vector(1)}]}]\n');
  await stack.configure(keys(secret, { rules: ['rules.yml'] }));
  const reload = await stack.run('reload');
  expectFine(reload);
  expect(reload.stderr).toMatch(/^warning: no new sample is in .*http:\/\/store:8428.* after 2\d s: .*\n {2}try: /m);
  expect(reload.stdout + reload.stderr).not.toContain(secret);
  await eventually(async () =>
    expect(await query(stack.url('prometheus'), 'loaded_without_store')).toEqual(['loaded_without_store{} 1']),
  );
});
