import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { stackSchema } from '../../stack/config.ts';
import { enabledServices } from '../../stack/services.ts';
import { connect } from '../engine/connect.ts';
import { ensureImages } from '../engine/images/ensure.ts';
import { packageRoot } from '../util/package-root.ts';
import { bareCheck, bareConfig, bareDown, bareUp } from './bench/bare.ts';
import { findCompose, writeComposeProject } from './bench/compose.ts';
import { alternate, ratio, table } from './bench/measure.ts';
import { benchRender } from './bench/render-many.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const main = join(packageRoot(), 'dist/scripts/promstack.cjs');

await using engine = await connect({ env: process.env });
const folder = await mkdtemp(join(tmpdir(), 'promstack-bench-'));
const ports = { pushgateway: 39091, prometheus: 39090, alertmanager: 39093 };
const keys = {
  name: 'bench',
  images: { source: 'auto' as const },
  pushgateway: { port: ports.pushgateway },
  prometheus: { port: ports.prometheus },
  alertmanager: { port: ports.alertmanager },
  grafana: { enabled: false },
};
const config = stackSchema.parse(keys);
const services = enabledServices(config);
const wanted = services.map((service) => ({ service: service.name, reference: service.container(config).image }));
const outcomes = await ensureImages(engine, wanted, config.images, () => undefined, new AbortController().signal);
const imageOf = (service: string): string => {
  const found = outcomes.find((one) => one.service === service);
  if (found?.kind !== 'had') throw new Error(`there is no image for ${service}`);
  return found.ref;
};

// Each passed check is remembered by the user's cache: in one of its own, emptied of them, every `up` proves its files anew.
const cache = join(folder, 'cache');
const promstack = (args: readonly string[]) =>
  execa('node', [main, ...args], { cwd: folder, env: { XDG_CACHE_HOME: cache } });

try {
  await writeFile(join(folder, 'stack.yml'), stringify(keys));
  await promstack(['render', '--out', join(folder, 'rendered')]);
  const composeFolder = join(folder, 'rendered');
  await writeComposeProject(
    composeFolder,
    { pushgateway: imageOf('pushgateway'), prometheus: imageOf('prometheus'), alertmanager: imageOf('alertmanager') },
    ports,
  );
  const [program = '', ...before] = await findCompose();
  const compose = (args: readonly string[]) =>
    execa(program, [...before, '-p', 'benchcompose', ...args], { cwd: composeFolder });

  const specs = services.map((service) => ({
    spec: { ...service.container(config), image: imageOf(service.name) },
    readyPath: service.ready.path,
  }));
  const tools = [
    { service: 'prometheus', argv: ['promtool', 'check', 'config', 'prometheus.yml'] },
    { service: 'alertmanager', argv: ['amtool', 'check-config', 'alertmanager.yml'] },
  ] as const;
  /** As one would write it beside a compose file. */
  const dockerChecks = () =>
    Promise.all(
      tools.map(({ service, argv: [tool, ...args] }) => {
        const mount = `${join(composeFolder, service)}:/config:ro`;
        const options = ['--rm', '--network=none', '--user=65534:65534', '-v', mount, '-w', '/config'];
        return execa('docker', ['run', ...options, `--entrypoint=${tool}`, imageOf(service), ...args]);
      }),
    );
  const bareChecks = () =>
    Promise.all(
      tools.map(({ service, argv }) => {
        const one = specs.find(({ spec }) => spec.service === service);
        if (one === undefined) throw new Error(`the stack has no ${service}`);
        return bareCheck(engine, one, composeFolder, [...argv.slice(0, -1), `/current/${argv.at(-1)}`]);
      }),
    );
  const clear = async (): Promise<void> => {
    await promstack(['down', '--volumes', '--yes']);
    await compose(['down', '-v', '-t', '0']);
    await bareDown(engine, 'benchbare', specs);
  };

  const clearForBare = async (): Promise<void> => {
    await clear();
    await bareConfig(engine, 'benchbare', specs, composeFolder);
  };

  await clear();
  const up = await alternate(
    [
      { name: 'promstack up', prepare: clear, run: () => promstack(['up']) },
      {
        name: 'promstack up, nothing proven before',
        prepare: async () => {
          await clear();
          await rm(join(cache, 'promstack', 'checked'), { recursive: true, force: true });
        },
        run: () => promstack(['up']),
      },
      { name: 'docker compose up -d --wait', prepare: clear, run: () => compose(['up', '-d', '--wait']) },
      {
        name: 'docker run promtool and amtool, then docker compose up',
        prepare: clear,
        run: async () => {
          await dockerChecks();
          await compose(['up', '-d', '--wait']);
        },
      },
      { name: 'bare API limit', prepare: clearForBare, run: () => bareUp(engine, 'benchbare', specs) },
      {
        name: 'bare API limit with these checks',
        prepare: clearForBare,
        run: async () => {
          await bareChecks();
          await bareUp(engine, 'benchbare', specs);
        },
      },
    ],
    rounds,
  );
  print('up from nothing, images present, until all are ready', table(up));
  print(
    ratio(up, 'promstack up', 'docker compose up -d --wait', 0.55),
    ratio(up, 'promstack up', 'bare API limit', 1.4),
    // The others prove nothing: held against the same limits all the same, and then against the same work.
    ratio(up, 'promstack up, nothing proven before', 'docker compose up -d --wait', 0.55),
    ratio(up, 'promstack up, nothing proven before', 'bare API limit', 1.4),
    ratio(up, 'promstack up, nothing proven before', 'docker run promtool and amtool, then docker compose up', 0.55),
    ratio(up, 'promstack up, nothing proven before', 'bare API limit with these checks', 1.4),
  );

  await clear();
  await promstack(['up']);
  const memory = await execa('/usr/bin/time', ['-f', '%M', 'node', main, 'up', '--recreate'], {
    cwd: folder,
    env: { XDG_CACHE_HOME: cache },
  });
  const megabytes = Number(memory.stderr.split('\n').at(-1)) / 1024;
  const nothing = await alternate([{ name: 'promstack up', run: () => promstack(['up']) }], rounds);
  await clear();
  await compose(['up', '-d', '--wait']);
  const composeNothing = await alternate(
    [{ name: 'docker compose up -d --wait', run: () => compose(['up', '-d', '--wait']) }],
    rounds,
  );
  const both = new Map([...nothing, ...composeNothing]);
  print('up with nothing to do', table(both), ratio(both, 'promstack up', 'docker compose up -d --wait', 0.6));
  print(`peak memory of up: ${megabytes.toFixed(0)} MB (at most 150: ${megabytes <= 150 ? 'holds' : 'DOES NOT HOLD'})`);

  const version = await alternate(
    [
      { name: 'promstack --version', run: () => promstack(['--version']) },
      { name: 'node -e 0', run: () => execa('node', ['-e', '0']) },
    ],
    rounds * 3,
  );
  print('start-up', table(version), ratio(version, 'promstack --version', 'node -e 0', 2));
  await clear();
  print(await benchRender());
} finally {
  await promstack(['down', '--volumes', '--yes']);
  await rm(folder, { recursive: true, force: true });
}

function print(...lines: readonly string[]): void {
  console.log(lines.join('\n'));
}
