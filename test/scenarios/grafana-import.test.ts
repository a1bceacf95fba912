import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCompose } from '../../scripts/dev/bench/compose.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { eventually } from '../support/eventually.ts';
import { imageToRun } from '../support/grafana-real-image.ts';
import { haveImages } from '../support/images.ts';
import { type Server, type Shape, startPlain } from '../support/plain-stack.ts';
import { expectFine } from '../support/revisions.ts';
import { clientOf, servedBy } from '../support/served.ts';
import { query } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';
import { stackFolder } from '../support/stack-folder.ts';

// Stacks run by docker compose, then imported and run by promstack: with a real Grafana where there is one, else without Grafana.

const shapes: Readonly<Record<string, Shape>> = {
  app: { servers: { prometheus: 'prometheus', alertmanager: 'alertmanager' }, apps: { web: 8080, relay: 8080 } },
  dockprom: {
    servers: {
      prometheus: 'prometheus',
      alertmanager: 'alertmanager',
      grafana: 'grafana',
      pushgateway: 'pushgateway',
      nodeexporter: 'node',
    },
    apps: { containers: 8080, caddy: 80 },
    password: 'not-a-real-password',
    adopted: { prometheus: 'prometheus_data', grafana: 'grafana_data' },
  },
  anchors: {
    servers: { prom: 'prometheus', am: 'alertmanager', graphs: 'grafana' },
    password: 'not-a-real-admin',
    prefix: '/prometheus',
  },
  plain: {
    servers: { prometheus: 'prometheus', alertmanager: 'alertmanager' },
    compose: `services:
  prometheus:
    command: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus']
    volumes: ['./input:/etc/prometheus']
  alertmanager:
    network_mode: service:prometheus
    command: ['--config.file=/etc/alertmanager/alertmanager.yml']
    volumes: ['./input:/etc/alertmanager']
`,
  },
  lgtm: {
    servers: { prometheus: 'prometheus', grafana: 'grafana' },
    hasTargets: false,
    compose: `services:
  prometheus:
    command: ['--config.file=/etc/prometheus/prometheus.yaml', '--storage.tsdb.path=/prometheus']
    volumes: ['./input:/etc/prometheus']
  grafana:
    network_mode: service:prometheus
    volumes:
      - ./input/grafana-datasources.yaml:/etc/grafana/provisioning/datasources/all.yaml
      - ./input/grafana-dashboards.yaml:/etc/grafana/provisioning/dashboards/all.yaml
      - ./input/dashboards:/lgtm/dashboards
`,
  },
  scylla: {
    servers: { promotheus: 'prometheus', alertmanager: 'alertmanager', grafana: 'grafana' },
    apps: { loki: 3100 },
    password: 'not-a-real-admin',
  },
};

/** The datasources of a Grafana by their uids, which dashboards in its database have. */
async function uidsIn(grafana: string | undefined, password: string) {
  if (grafana === undefined) return [];
  const all = await clientOf(grafana, password)<readonly { uid: string; type: string }[]>('/api/datasources');
  return all.map(({ uid, type }) => ({ uid, type }));
}

const isRun = isFull || process.env['PROMSTACK_GRAFANA_IMAGE'] !== undefined;

describe('a stack that ran in plain containers', () => {
  let tools = '';
  let compose: readonly string[] = [];
  let images: Readonly<Partial<Record<Server, string>>> = {};

  beforeAll(async () => {
    if (!isRun) return;
    tools = await mkdtemp(join(tmpdir(), 'promstack-compose-'));
    compose = await findCompose(tools);
    await using engine = await connect({ env: process.env });
    const names = ['prometheus', 'alertmanager', 'pushgateway', 'node'] as const;
    const wanted = names.map((name) => defaultImages[name]);
    const references = await haveImages(engine, wanted);
    const grafana = await imageToRun();
    images = {
      ...Object.fromEntries(names.map((name, at) => [name, references[at]])),
      ...('reference' in grafana ? { grafana: grafana.reference } : {}),
    };
  }, 600_000);

  afterAll(() => rm(tools, { recursive: true, force: true }));

  test.for(Object.entries(shapes))(
    'must serve the same once it is imported: %s',
    { timeout: 600_000 },
    async ([name, shape], { skip }) => {
      skip(!isRun, 'it runs the servers twice: `npm run test:full` runs it');
      await using stack = await stackFolder();
      await using plain = await startPlain(stack, name, shape, { compose, images });
      const { servers } = plain;
      const { grafana } = servers;
      const before = await eventually(async () => {
        const served = await servedBy(servers, shape.password ?? 'admin');
        expect(served.targets).not.toContainEqual(expect.stringMatching(/unknown$/));
        if (shape.hasTargets !== false) expect(served.targets).not.toEqual([]);
        return served;
      }, 120_000);
      const uids = await uidsIn(grafana, shape.password ?? 'admin');
      const hasUsers = grafana !== undefined && shape.adopted?.grafana !== undefined;
      if (hasUsers) {
        const ask = clientOf(grafana, shape.password ?? '');
        await ask('/api/user/stars/dashboard/uid/host', {});
        await ask('/api/admin/users', { login: 'jo', password: 'planted-user' });
      }
      const moment = Date.now() / 1_000;

      expectFine(await stack.run('import', plain.input, '--out', 'new', '--name', stack.name));
      await stack.write('new/overlay.yml', plain.overlay);
      await plain.stop();
      const run = (...args: string[]) => stack.run(...args, '-f', 'new/stack.yml', '-f', 'new/overlay.yml');
      for (const [service, volume] of Object.entries(shape.adopted ?? {})) {
        if (service !== 'grafana' || hasUsers) {
          expectFine(await run('import', '--adopt', `${plain.project}_${volume}=${service}`));
        }
      }
      expectFine(await run('up'));

      const now = { ...servers, prometheus: servers.prometheus.replace(/(:\d+)\/.*/, '$1') };
      const password = grafana === undefined ? '' : (await run('password')).stdout.trim();
      await eventually(async () => {
        const served = await servedBy(now, password);
        // The stack always scrapes its own servers, and has datasources for them with more settings.
        const isAdded = (target: string): boolean =>
          !before.targets.includes(target) && /^(\w+) \1:\d+ \{\} up$/.test(target);
        const { datasources, ...same } = before;
        const names = datasources.map(({ name }) => name);
        const after = {
          ...served,
          targets: served.targets.filter((target) => !isAdded(target)),
          datasources: served.datasources.filter(({ name }) => names.includes(name)),
        };
        expect(after).toEqual({ ...same, datasources: after.datasources });
        expect(after.datasources).toMatchObject(datasources);
      }, 90_000);
      if (shape.adopted !== undefined) expect(await query(now.prometheus, `up @ ${moment}`)).not.toEqual([]);
      if (grafana === undefined) return;
      expect(await uidsIn(grafana, password)).toEqual(expect.arrayContaining([...uids]));
      const ask = clientOf(grafana, password);
      for (const datasource of uids.filter(({ type }) => type === 'prometheus')) {
        const queries = [{ refId: 'A', datasource, expr: 'vector(1)', instant: true }];
        await ask('/api/ds/query', { from: 'now-5m', to: 'now', queries });
      }
      if (!hasUsers) return;
      expect(await ask('/api/user/stars')).toEqual(['host']);
      const users = await ask<readonly { login: string }[]>('/api/users');
      expect(users.map(({ login }) => login)).toEqual(expect.arrayContaining(['admin', 'jo']));
    },
  );
});
