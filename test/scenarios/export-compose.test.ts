import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findCompose } from '../../scripts/dev/bench/compose.ts';
import { eventually } from '../support/eventually.ts';
import { expectFine } from '../support/revisions.ts';
import { getJson, query } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const docker = new Docker();

/** What the servers of a stack say that they run. */
async function served(stack: StackFolder) {
  type Data<T> = { readonly data: T };
  const [prometheus, alertmanager] = [stack.url('prometheus'), stack.url('alertmanager')];
  const { data: targets } = await getJson<Data<{ activeTargets: { scrapeUrl: string; labels: object }[] }>>(
    `${prometheus}/api/v1/targets`,
  );
  const { data: rules } = await getJson<Data<{ groups: { name: string; rules: { name: string; query: string }[] }[] }>>(
    `${prometheus}/api/v1/rules`,
  );
  const status = await getJson<{ config: { original: string } }>(`${alertmanager}/api/v2/status`);
  return {
    targets: targets.activeTargets.map(({ scrapeUrl, labels }) => ({ scrapeUrl, labels })),
    rules: rules.groups.map(({ name, rules: list }) => [name, list.map((rule) => [rule.name, rule.query])]),
    receivers: await getJson(`${alertmanager}/api/v2/receivers`),
    config: status.config.original,
  };
}

/** What the engine was asked to create. */
async function created(stack: StackFolder) {
  const list = await docker.listContainers({ filters: { name: [`^/${stack.name}-`] } });
  const running = list.filter(({ Names }) => !Names[0]?.endsWith('-carrier'));
  const details = await Promise.all(running.map(({ Id }) => docker.getContainer(Id).inspect()));
  return Object.fromEntries(
    details.map(({ Name, Config: config, HostConfig: host, Mounts: mounts }) => [
      Name,
      {
        image: config.Image,
        config: [config.User, config.Hostname, config.Cmd, config.Entrypoint, [...config.Env].sort()],
        healthCheck: {
          ...config.Healthcheck,
          Test: config.Healthcheck?.Test?.map((word) => word.replace(/.*\/wget$/, 'wget')),
        },
        hardening: [host.CapDrop, host.SecurityOpt, host.PidsLimit, host.ReadonlyRootfs, host.Tmpfs, host.ExtraHosts],
        limits: [host.Memory, host.NanoCpus, host.LogConfig, host.RestartPolicy],
        ports: host.PortBindings,
        volumes: mounts.flatMap(({ Type, Name: name, Destination }) =>
          Type === 'volume' && !name?.endsWith('-config') ? [`${name} ${Destination}`] : [],
        ),
        network: host.NetworkMode,
      },
    ]),
  );
}

const whyNot = 'takes as long as the health checks of an old engine: only npm run test:full runs it';

describe('a stack exported to docker compose', () => {
  it('must run as before, on its data, and again with promstack', { timeout: 180_000 }, async (context) => {
    if (!isFull) return context.skip(whyNot);
    const tools = await mkdtemp(join(tmpdir(), 'promstack-compose-'));
    await using stack = await stackFolder({
      prometheus: {
        scrape_interval: '1s',
        rules: ['rules/*.yml'],
        resources: { memory: '512M', cpus: 1.5 },
        scrape_configs: [
          {
            job_name: 'own',
            basic_auth: { username: 'a', password: 'planted' },
            static_configs: [{ targets: ['alertmanager:9093'] }],
          },
        ],
      },
      alertmanager: { receivers: [{ name: 'team' }], route: { receiver: 'sink', routes: [{ receiver: 'team' }] } },
    });
    await stack.write('rules/own.yml', 'groups: [{name: own, rules: [{alert: Own, expr: "vector(1)"}]}]\n');
    const [program = '', ...words] = await findCompose(tools);
    const compose = async (...args: readonly string[]): Promise<void> => {
      const options = { cwd: join(stack.path, 'out'), reject: false, all: true } as const;
      const { exitCode, all } = await execa(program, [...words, '--progress', 'plain', ...args], options);
      expect(exitCode, all).toBe(0);
    };
    try {
      expectFine(await stack.run('up'));
      await eventually(async () => expect(await query(stack.url('prometheus'), 'up == 1')).not.toEqual([]));
      const earlier = stack.url('prometheus', `/api/v1/query?query=up&time=${Math.floor(Date.now() / 1_000)}`);
      const samples = await getJson(earlier);
      const [before, containers] = [await served(stack), await created(stack)];
      expectFine(await stack.run('export', 'compose', '--out', 'out', '--with-secrets'));
      expectFine(await stack.run('down'));
      await compose('up', '-d', '--wait');
      await eventually(async () => expect(await served(stack)).toEqual(before));
      expect(await created(stack)).toEqual(containers);
      expect(await getJson(earlier)).toEqual(samples);
      await compose('down');
      expectFine(await stack.run('up'));
      await eventually(async () => expect(await served(stack)).toEqual(before));
    } finally {
      await compose('down').catch(() => undefined);
      await rm(tools, { recursive: true, force: true });
    }
  });
});
