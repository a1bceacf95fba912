import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { $ } from 'zx';
import { stackSchema } from '../../../stack/config.ts';
import { enabledServices } from '../../../stack/services.ts';
import { connect } from '../../engine/connect.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import type { RunningStack } from '../../library/running-stack.ts';
import { startStack } from '../../library/start-stack.ts';
import { packageRoot } from '../../util/package-root.ts';
import { freePort } from '../../util/ports.ts';
import { type BareService, bareCheck, bareConfig, bareDown, bareUp, untilReady } from './bare.ts';
import { type Compose, openCompose, writeComposeProject } from './compose.ts';
import { alternate, budget, type Contender, median, printTable, promstack, ratio } from './measure.ts';

const ports = {
  pushgateway: await freePort('127.0.0.1'),
  prometheus: await freePort('127.0.0.1'),
  alertmanager: await freePort('127.0.0.1'),
};
const keys = {
  name: 'bench',
  images: { source: 'auto' as const },
  pushgateway: { port: ports.pushgateway },
  prometheus: { port: ports.prometheus },
  alertmanager: { port: ports.alertmanager },
  grafana: { enabled: false },
};

/** `up` of three servers whose images are present, next to docker compose and the bare Docker API. */
export async function benchUp(): Promise<void> {
  await using engine = await connect({ env: process.env });
  const folder = await mkdtemp(join(tmpdir(), 'promstack-bench-'));
  // Passed checks are cached per user; a separate cache can be emptied.
  const env = { XDG_CACHE_HOME: join(folder, 'cache') };
  // The stack of the library has other files, whose checks stay cached as those of the command do.
  const libraryEnv = { ...process.env, XDG_CACHE_HOME: join(folder, 'library-cache') };
  const run = (...args: readonly string[]) => promstack(args, { cwd: folder, env });
  try {
    await writeFile(join(folder, 'stack.yml'), stringify(keys));
    const rendered = join(folder, 'rendered');
    await run('render', '--out', rendered);
    const imageOf = await findImages(engine, keys);
    await writeComposeProject(rendered, imageOf, ports);
    const compose = await openCompose(rendered);

    const config = stackSchema.parse(keys);
    const services = enabledServices(config).map((service) => ({
      spec: { ...service.container(config), image: imageOf(service.name) },
      readyPath: service.ready.path,
    }));
    const bareChecks = () =>
      Promise.all(
        services.flatMap(({ spec }) => {
          const argv = checks[spec.service];
          return argv === undefined ? [] : [bareCheck(engine, spec, rendered, argv)];
        }),
      );
    let started: RunningStack | undefined;
    const clear = async (): Promise<void> => {
      await started?.down();
      started = undefined;
      await run('down', '--volumes', '--yes');
      await compose('down', '-v', '-t', '0');
      await bareDown(engine, 'benchbare', services);
    };
    const clearForBare = async (): Promise<void> => {
      await clear();
      await bareConfig(engine, 'benchbare', services, rendered);
    };

    const up = await alternate([
      {
        name: 'promstack up, nothing validated before',
        prepare: async () => {
          await clear();
          await rm(join(env.XDG_CACHE_HOME, 'promstack', 'checked'), { recursive: true, force: true });
        },
        run: () => run('up'),
      },
      { name: 'promstack up', prepare: clear, run: () => run('up') },
      {
        name: 'startStack of the library',
        prepare: clear,
        run: async () => {
          started = await startStack({ images: keys.images, sink: { enabled: false } }, { env: libraryEnv });
        },
      },
      composeUp(compose, services, clear),
      { name: 'bare API', prepare: clearForBare, run: () => bareUp(engine, 'benchbare', services) },
      {
        name: 'bare API with these checks',
        prepare: clearForBare,
        run: async () => {
          await bareChecks();
          await bareUp(engine, 'benchbare', services);
        },
      },
    ]);
    printTable('up from nothing, images present, until all are ready', up);
    ratio(up, 'promstack up', 'bare API', 1.4);
    ratio(up, 'promstack up', 'docker compose up -d, then polling', 1.1);
    ratio(up, 'startStack of the library', 'bare API', 1.4);
    ratio(up, 'startStack of the library', 'promstack up', 1.1);
    ratio(up, 'promstack up, nothing validated before', 'bare API with these checks', 1.4);

    await clear();
    await run('up');
    const unchanged = await alternate([{ name: 'promstack up', run: () => run('up') }]);
    const memory = await $({ cwd: folder, env: { ...process.env, ...env }, quiet: true })`
      /usr/bin/time -f %M node ${join(packageRoot(), 'dist/scripts/promstack.cjs')} up --recreate`;
    await clear();
    const withHealth = ['-f', 'compose.yaml', '-f', 'health.yaml', 'up', '-d'];
    await compose(...withHealth, '--wait');
    const composeUnchanged = await alternate([
      { name: 'docker compose up -d --wait', run: () => compose(...withHealth, '--wait') },
      { name: 'docker compose up -d', run: () => compose(...withHealth) },
    ]);
    const nothing = new Map([...unchanged, ...composeUnchanged]);
    printTable('up with nothing to do', nothing);
    ratio(nothing, 'promstack up', 'docker compose up -d --wait', 0.4);
    budget('promstack up', median(nothing.get('promstack up') ?? []), 250, ' ms');
    budget('peak memory of up', Number(memory.stderr.trim().split('\n').at(-1)) / 1024, 120, ' MB');
    await clear();
  } finally {
    await run('down', '--volumes', '--yes');
    await rm(folder, { recursive: true, force: true });
  }
}

/** `up` of all four servers with this image of Grafana, next to docker compose with the same polling. */
export async function benchGrafana(image: string): Promise<void> {
  await using engine = await connect({ env: process.env });
  const folder = await mkdtemp(join(tmpdir(), 'promstack-bench-'));
  const env = { XDG_CACHE_HOME: join(folder, 'cache') };
  const run = (...args: readonly string[]) => promstack(args, { cwd: folder, env });
  const four = { ...keys, grafana: { image, port: await freePort('127.0.0.1') } };
  try {
    await writeFile(join(folder, 'stack.yml'), stringify(four));
    const rendered = join(folder, 'rendered');
    await run('render', '--out', rendered);
    const imageOf = await findImages(engine, keys);
    const withGrafana = (service: string): string => (service === 'grafana' ? image : imageOf(service));
    await writeComposeProject(rendered, withGrafana, { ...ports, grafana: four.grafana.port });
    const compose = await openCompose(rendered);
    const config = stackSchema.parse(four);
    const services = enabledServices(config).map((service) => {
      return { spec: service.container(config), readyPath: service.ready.path };
    });
    const clear = async (): Promise<void> => {
      await run('down', '--volumes', '--yes');
      await compose('down', '-v', '-t', '0');
    };
    const up = await alternate([
      { name: 'promstack up', prepare: clear, run: () => run('up') },
      composeUp(compose, services, clear),
    ]);
    printTable('up of all four servers from nothing, images present, until all are ready', up);
    ratio(up, 'promstack up', 'docker compose up -d, then polling', 1.1);
    await clear();
  } finally {
    await run('down', '--volumes', '--yes');
    await rm(folder, { recursive: true, force: true });
  }
}

function composeUp(compose: Compose, services: readonly BareService[], prepare: () => Promise<void>): Contender {
  return {
    name: 'docker compose up -d, then polling',
    prepare,
    run: async () => {
      await compose('up', '-d');
      await Promise.all(services.map(untilReady));
    },
  };
}

/** The checks that promstack runs before it starts the servers. */
const checks: Readonly<Record<string, readonly string[]>> = {
  prometheus: ['promtool', 'check', 'config', '/current/prometheus.yml'],
  alertmanager: ['amtool', 'check-config', '/current/alertmanager.yml'],
};

/** The images of the stack by service, pulled or built if they are missing. */
export async function findImages(engine: Engine, stack: object): Promise<(service: string) => string> {
  const config = stackSchema.parse(stack);
  const images = enabledServices(config).map((service) => ({
    service: service.name,
    reference: service.container(config).image,
  }));
  const outcomes = await ensureImages(engine, images, config.images, () => undefined, new AbortController().signal);
  return (service) => {
    const outcome = outcomes.find((image) => image.service === service);
    if (outcome?.kind !== 'available') throw new Error(`no image for ${service}`);
    return outcome.ref;
  };
}
