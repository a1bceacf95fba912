import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumVersion, withPage } from '../../scripts/dev/chromium.ts';
import { openDashboard } from '../../scripts/dev/dashboard-page.ts';
import { isOptional, shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { faultsOf } from '../support/dashboard-faults.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { portOf, serverKeys, snmpConfig, startServers } from '../support/exported-servers.ts';
import { imageToRun } from '../support/grafana-real-image.ts';
import { type GrafanaStack, grafanaStack } from '../support/grafana-stack.ts';
import type { TestServer } from '../support/server-images.ts';
import { query } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';

// The dashboards of exporters and of the long-term storage in a browser, with real servers, some of which are down.

const stopped: readonly TestServer[] = ['redis', 'nginx', 'apache', 'postgres', 'mysqld'];

/** The lights that are red or orange at the start, and once the servers have stopped; others must not be. */
const atStart: Readonly<Record<string, Readonly<Record<string, 'red' | 'orange'>>>> = {
  blackbox: { Failing: 'red' },
  haproxy: { 'Servers down': 'orange' },
};
const onceStopped = 'Up';

describe('in a browser', () => {
  let bench: TestEngine | undefined;
  let stack: GrafanaStack | undefined;
  let containers: ReadonlyMap<TestServer, string>;
  let whyNot = '';

  beforeAll(async () => {
    const image = await imageToRun();
    if (!isFull) whyNot = 'only `npm run test:full` runs it';
    else if ('whyNot' in image) whyNot = image.whyNot;
    else if ((await chromiumVersion()) === undefined) whyNot = 'there is no chromium on this host';
    if ('whyNot' in image || whyNot !== '') return;
    bench = await testEngine();
    const started = await startServers(bench, Object.keys(portOf) as TestServer[]);
    containers = started.containers;
    stack = await grafanaStack(image.reference);
    await stack.folder.write('snmp.yml', snmpConfig);
    await stack.folder.write('certs/ca.pem', 'not used');
    const kinds = Object.keys(serverKeys).filter((kind) => kind !== 'haproxy' && kind !== 'redis');
    await stack.configure(
      { anonymous: 'viewer' },
      {
        pushgateway: { enabled: false },
        alertmanager: { enabled: false },
        sink: { enabled: false },
        prometheus: { scrape_interval: '5s', evaluation_interval: '5s' },
        networks: [{ name: started.network, services: [...kinds, 'redis-cache', 'blackbox', 'prometheus'] }],
        long_term: { victoriametrics: {} },
        exporters: {
          ...serverKeys,
          node: {},
          process: { scrape_interval: '10s' },
          blackbox: { http_2xx: ['http://prometheus:9090/-/ready', 'http://nobody:1'], tcp_connect: ['haproxy:8405'] },
        },
      },
    );
    await stack.fine('up');
    // A graph needs two samples.
    await eventually(
      async () => expect(await query(stack?.folder.url('prometheus') ?? '', 'count_over_time(up[5m]) < 4')).toEqual([]),
      120_000,
    );
  }, 900_000);

  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await bench?.[Symbol.asyncDispose]();
  });

  const dashboards = shippedDashboards().filter(isOptional);

  test.for(dashboards)(
    '$name must show no error and nothing cut at 1366 and 400 pixels, and lights for what is wrong only',
    { timeout: 300_000 },
    async ({ name, dashboard }, context) => {
      if (stack === undefined) return context.skip(whyNot);
      const url = stack.folder.url('grafana', `/d/${dashboard.uid}`);
      await withPage(async (page) => {
        for (const width of [1366, 400]) {
          const panels = await openDashboard(page, url, width);
          expect(panels.length, 'panels').toBe((dashboard.panels ?? []).filter(({ type }) => type !== 'row').length);
          expect(faultsOf(panels, width === 1366), `${width} pixels`).toEqual([]);
          // A server that was started less than ten minutes ago is orange.
          const lights = panels.filter(({ title, colour }) => /^(?:red|orange)$/.test(colour) && title !== 'Uptime');
          const wrong = Object.fromEntries(lights.map(({ title, colour }) => [title, colour]));
          // Those of the host are as busy as it is.
          if (!['node', 'process'].includes(name)) expect(wrong, `${width} pixels`).toEqual(atStart[name] ?? {});
        }
      });
    },
  );

  test.for(stopped)('the light of %s must be red once it has stopped', { timeout: 300_000 }, async (name, context) => {
    if (stack === undefined || bench === undefined) return context.skip(whyNot);
    await bench.engine.removeContainer(containers.get(name) ?? '');
    const dashboard = dashboards.find((shipped) => shipped.name === name)?.dashboard;
    const url = stack.folder.url('grafana', `/d/${dashboard?.uid}`);
    await eventually(async () => {
      const panels = await withPage((page) => openDashboard(page, url, 1366));
      expect(panels.find(({ title }) => title === onceStopped)?.colour).toBe('red');
    }, 200_000);
  });
});
