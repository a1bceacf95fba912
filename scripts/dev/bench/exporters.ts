import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { stackSchema } from '../../../stack/config.ts';
import { exporterServices } from '../../../stack/exporters/services.ts';
import { connect } from '../../engine/connect.ts';
import { freePort } from '../../util/ports.ts';
import { bareConfig, bareDown, bareUp } from './bare.ts';
import { alternate, printTable, promstack, ratio } from './measure.ts';
import { findImages } from './up.ts';

const before = {
  name: 'benchexporters',
  images: { source: 'auto' as const },
  pushgateway: { enabled: false },
  prometheus: { port: await freePort('127.0.0.1') },
  alertmanager: { enabled: false },
  grafana: { enabled: false },
};
/** Exporters start without their servers. Ports are published for the polling of the bare containers. */
const after = {
  ...before,
  exporters: {
    node: { port: await freePort('127.0.0.1') },
    blackbox: { port: await freePort('127.0.0.1'), tcp_connect: ['prometheus:9090'] },
    postgres: { port: await freePort('127.0.0.1'), dsn: 'postgresql://nobody/bench' },
    redis: { port: await freePort('127.0.0.1'), address: 'nobody:6379' },
    nginx: { port: await freePort('127.0.0.1'), url: 'http://nobody/stub_status' },
  },
};

/** `up` that adds five exporters to a running stack, next to the start of their containers by the bare Docker API. */
export async function benchExporters(): Promise<void> {
  await using engine = await connect({ env: process.env });
  const folder = await mkdtemp(join(tmpdir(), 'promstack-bench-'));
  const env = { XDG_CACHE_HOME: join(folder, 'cache') };
  const run = (...args: readonly string[]) => promstack(args, { cwd: folder, env });
  const write = (stack: object) => writeFile(join(folder, 'stack.yml'), stringify(stack));
  try {
    await write(after);
    const rendered = join(folder, 'rendered');
    await run('render', '--out', rendered);
    const imageOf = await findImages(engine, after);
    const config = stackSchema.parse(after);
    const services = exporterServices(config).map((service) => ({
      spec: { ...service.container(config), image: imageOf(service.name) },
      readyPath: service.ready.path,
    }));
    const clear = async (): Promise<void> => {
      await run('down', '--volumes', '--yes');
      await bareDown(engine, 'benchbare', services);
    };
    const series = await alternate([
      {
        name: 'promstack up',
        prepare: async () => {
          await clear();
          await write(before);
          await run('up');
          await write(after);
        },
        run: () => run('up'),
      },
      {
        name: 'bare API',
        prepare: async () => {
          await clear();
          await bareConfig(engine, 'benchbare', services, rendered);
        },
        run: () => bareUp(engine, 'benchbare', services),
      },
    ]);
    printTable('up that adds five exporters, images present, until all are ready', series);
    ratio(series, 'promstack up', 'bare API', 1.4);
    await clear();
  } finally {
    await run('down', '--volumes', '--yes');
    await rm(folder, { recursive: true, force: true });
  }
}
