import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { packageRoot } from '../../scripts/util/package-root.ts';
import type { Servers } from './served.ts';
import { freePorts, type StackFolder } from './stack-folder.ts';

export type Server = 'prometheus' | 'alertmanager' | 'grafana' | 'node' | 'pushgateway';

/** A folder of test/imports, and how its servers run without promstack. */
export interface Shape {
  /** Each server by the name of its service in compose. */
  readonly servers: Readonly<Record<string, Server>>;
  /** Other services, which a server with metrics on this port stands in for. */
  readonly apps?: Readonly<Record<string, number>>;
  /** The path in front of Prometheus's API, which a stack does not have. */
  readonly prefix?: string;
  /** A compose file beside the imported folder, for a stack that ran without one. */
  readonly compose?: string;
  /** Of Grafana's admin. */
  readonly password?: string;
  /** Whether its Prometheus scrapes anything. */
  readonly hasTargets?: boolean;
  /** Volumes with data, by the services that get a copy. */
  readonly adopted?: Readonly<Partial<Record<'prometheus' | 'grafana', string>>>;
}

/** A stack that docker compose runs. */
export interface PlainStack extends AsyncDisposable {
  /** The folder to import. */
  readonly input: string;
  readonly project: string;
  readonly servers: Servers;
  /** What stack.yml needs to have the same addresses and images. */
  readonly overlay: string;
  /** Stops the servers that move to promstack; the apps go on. */
  stop(): Promise<void>;
}

const portsOf: Readonly<Record<Server, number>> = {
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
  pushgateway: 9091,
  node: 9100,
};

/** A Grafana that downloads nothing. */
const offline = {
  GF_PLUGINS_PREINSTALL_DISABLED: 'true',
  GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  GF_INSTALL_PLUGINS: '',
};

/** Runs a shape with docker compose, on free ports, with images of the engine; a server without an image is left out. */
export async function startPlain(
  stack: StackFolder,
  name: string,
  shape: Shape,
  {
    compose,
    images,
  }: { readonly compose: readonly string[]; readonly images: Readonly<Partial<Record<Server, string>>> },
): Promise<PlainStack> {
  const project = `${stack.name}-app`;
  const folder = join(stack.path, project);
  const input = shape.compose === undefined ? folder : join(folder, 'input');
  await cp(join(packageRoot(), 'test', 'imports', name, 'input'), input, { recursive: true });
  await hasten(input, project);
  if (shape.compose !== undefined) await writeFile(join(folder, 'compose.yaml'), shape.compose);
  await chmod(stack.path, 0o755);

  const all = Object.entries(shape.servers).filter(([, server]) => images[server] !== undefined);
  const [prometheus = 0, alertmanager = 0, grafana = 0] = await freePorts(3);
  const published: Readonly<Partial<Record<Server, number>>> = { prometheus, alertmanager, grafana };
  const isShared = shape.compose !== undefined;
  const portOf = (server: Server): readonly string[] =>
    published[server] === undefined ? [] : [`127.0.0.1:${published[server]}:${portsOf[server]}`];
  const files = (await readdir(folder))
    .filter((file) => /^(?:docker-)?compose(?:\.override)?\.ya?ml$/.test(file))
    .sort();
  const base = (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
  const lines = ['services:'];
  for (const [service, server] of all) {
    const shown = isShared ? (server === 'prometheus' ? all.flatMap(([, own]) => portOf(own)) : []) : portOf(server);
    lines.push(`  ${service}:`, `    image: ${images[server]}`, "    restart: 'no'");
    if (!isShared) lines.push('    container_name: !reset null');
    if (!isShared || server === 'prometheus') lines.push(`    ports: !override ${JSON.stringify(shown)}`);
    // The official image has its data below the folder in which it starts, Debian's at a place that does not exist here.
    if (server === 'prometheus' && /config\.file=\S*prom/.test(base) && !base.includes('storage.tsdb.path')) {
      lines.push("    entrypoint: ['/bin/prometheus', '--storage.tsdb.path=/prometheus']");
    }
    if (server === 'grafana') lines.push(`    environment: ${JSON.stringify(offline)}`);
  }
  // The compose file that stands for a stack without one has no images.
  if (isShared) {
    for (const [service, server] of Object.entries(shape.servers)) {
      if (images[server] === undefined) lines.push(`  ${service}: !reset null`);
    }
  }
  for (const [service, port] of Object.entries(shape.apps ?? {})) {
    lines.push(`  ${service}:`, `    image: ${images.pushgateway}`, `    command: ['--web.listen-address=:${port}']`);
    for (const key of ['container_name', 'ports', 'privileged', 'volumes']) lines.push(`    ${key}: !reset null`);
  }
  await stack.write('override.yml', `${lines.join('\n')}\n`);
  const [program = '', ...words] = compose;
  const options = [...files.map((file) => join(folder, file)), join(stack.path, 'override.yml')];
  const run = async (...args: readonly string[]): Promise<void> => {
    const given = [...words, '--progress', 'plain', ...options.flatMap((file) => ['-f', file]), ...args];
    const { exitCode, all: output } = await execa(program, given, { cwd: folder, reject: false, all: true });
    expect(exitCode, output).toBe(0);
  };
  const names = all.map(([service]) => service);
  await run('up', '-d', ...names, ...Object.keys(shape.apps ?? {}));
  const url = (server: Server): string | undefined =>
    all.some(([, own]) => own === server) ? `http://127.0.0.1:${published[server]}` : undefined;
  return {
    input,
    project,
    servers: {
      prometheus: `http://127.0.0.1:${prometheus}${shape.prefix ?? ''}`,
      alertmanager: url('alertmanager'),
      grafana: url('grafana'),
    },
    overlay: stringify({
      bind: '127.0.0.1',
      images: { source: 'auto' },
      ...Object.fromEntries(
        Object.values(shape.servers)
          .filter((server) => server !== 'node')
          .map((server) => {
            const image = images[server];
            if (image === undefined) return [server, { enabled: false }];
            return [server, { image, ...(published[server] === undefined ? {} : { port: published[server] }) }];
          }),
      ),
    }),
    stop: () => run('stop', ...names),
    [Symbol.asyncDispose]: async () => {
      // Its servers are in the networks of the project.
      await stack.run('down', '--name', stack.name, '--volumes', '--yes');
      await run('--profile', '*', 'down', '--volumes', '--timeout', '1');
    },
  };
}

/** Names of its own for what the engine has once, and short intervals. */
async function hasten(folder: string, project: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !/\.ya?ml$/.test(entry.name)) continue;
    let text = await readFile(path, 'utf8');
    if (/^services:/m.test(text)) {
      text = text.replace(/^name: .*\n/m, '').replace(/name: shop-backend/, `name: ${project}-backend`);
    }
    if (/^scrape_configs:/m.test(text)) {
      text = text.replaceAll(/((?:scrape|evaluation)_(?:interval|timeout): *)\d+[sm]/g, '$12s');
      if (!/^global:/m.test(text)) text = `global: {scrape_interval: 2s}\n${text}`;
      else if (!/scrape_interval/.test(text)) text = text.replace(/^global:\n/m, 'global:\n  scrape_interval: 2s\n');
    }
    await writeFile(path, text);
  }
  await chmod(dirname(folder), 0o755);
}
