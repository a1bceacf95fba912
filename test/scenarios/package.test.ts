import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { blocksOf } from '../support/page.ts';
import { scriptedGateway } from '../support/scripted-gateway.ts';

const consumer = `
import {
  createPusher,
  loadStack,
  loadTemplates,
  render,
  startStack,
  type Engine,
  type Report,
  type StackConfig,
} from 'promstack';
const loaded = await loadStack({ cwd: process.cwd(), env: process.env });
if (!loaded.ok) throw new Error('stack.yml is not valid');
const rendering = render(loaded.value, await loadTemplates(undefined));
if (!rendering.ok) throw new Error('stack.yml does not render');
const revision: string = rendering.value.revision;
const config: StackConfig = loaded.value.config;
// @ts-expect-error A type that came out as any would accept this.
const port: string = config.prometheus.port;
// @ts-expect-error An engine has no such method.
export const wrong = (engine: Engine) => engine.explode();
export const start = () => startStack({ prometheus: { scrape_interval: '5s', global: { query_log_file: '/x' } } });
// @ts-expect-error No section has such a key.
export const misspelled = () => startStack({ prometheus: { scrape_intervall: '5s' } });
const report: Report = (event) => event.kind === 'diagnostic' && console.log(event.diagnostic.message);
export const reload = async (): Promise<string | undefined> => {
  const stack = await startStack({}, { report });
  await stack.reload({ config: { sink: { enabled: true } }, files: { 'rules/a.yml': undefined } });
  // @ts-expect-error A section of a reload has the same keys.
  await stack.reload({ config: { sink: { enable: true } } });
  return stack.urls['sink'];
};
createPusher({ url: 'http://127.0.0.1:9', job: 'backup', registry: { metrics: async () => '' } });
console.log(revision.length, typeof port);
`;

it('the packed tarball must install, run as npx promstack, and be usable as a typed library', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-pack-'));
  const run = (file: string, args: readonly string[]) =>
    execa(file, [...args], { cwd: folder, env: { NO_COLOR: '1' } });
  try {
    // The tests' set-up has built dist/; building it again under running tests would take it away from them.
    await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: packageRoot() });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    const tarball = join(folder, 'promstack-0.1.0.tgz');
    await run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', '--prefer-offline', tarball]);

    expect((await run('npx', ['promstack', '--version'])).stdout).toBe('0.1.0');
    await run('npx', ['promstack', 'init']);
    const rendered = await run('npx', ['promstack', 'render']);
    expect(rendered.stdout).toContain('job_name: pushgateway');
    const demo = join('node_modules', 'promstack', 'stack', 'demo', 'stack.yml');
    expect((await run('npx', ['promstack', 'render', '-f', demo])).stdout).toContain('alert: RaidDegraded');

    const printed = JSON.parse((await run('npx', ['promstack', 'render', '--json'])).stdout) as object;
    const schema = await readSchema(folder, 'render');
    expect(schema.safeParse(printed).error).toBeUndefined();
    expect(schema.safeParse({ ...printed, format: 2 }).success).toBe(false);
    expect(schema.safeParse({ ...printed, other: 1 }).success).toBe(false);
    await readSchema(folder, 'images-save');

    const blocks = blocksOf('docs/library.md').filter(({ language }) => language === 'js');
    // The others are run by library-recipes.test.ts.
    const shown = blocks.filter(({ text }) => !text.startsWith('// shop.'));
    expect(shown).toHaveLength(2);
    await using gateway = await scriptedGateway(...Array.from({ length: 4 }, () => ({ status: 200 })));
    for (const { text, line } of shown) {
      const example = join(folder, `library-${line}.mjs`);
      await writeFile(example, text.replace('http://localhost:9091', gateway.url));
      const { stdout } = await run('node', [example]);
      expect(stdout).toMatch(text.includes('withPush') ? /^$/ : /^prometheus \d+$/m);
    }
    expect(gateway.received.map(({ path }) => path)).toContain('/metrics/job/backup');

    await writeFile(join(folder, 'use.ts'), consumer);
    const typescript = join(packageRoot(), 'node_modules', '.bin', 'tsc');
    const types = join(packageRoot(), 'node_modules', '@types');
    const flags = ['--strict', '--target', 'es2023', '--types', 'node', '--typeRoots', types];
    await run(typescript, [...flags, '--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit', 'use.ts']);
    await run(typescript, [...flags, '--module', 'nodenext', 'use.ts']);
    expect((await run('node', ['use.js'])).stdout).toBe('12 number');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);

it('the packages that the built library imports must be its dependencies, and no others', async () => {
  const imported = new Set<string>();
  const files = new Set([join(packageRoot(), 'dist', 'scripts', 'index.js')]);
  // A set is visited with what is added on the way.
  for (const file of files) {
    const code = await readFile(file, 'utf8');
    for (const [, name = ''] of code.matchAll(/(?:^\} from |^import .*from |^import |import\()["']([^"']+)["']/gm)) {
      if (name.startsWith('.')) files.add(resolve(dirname(file), name));
      else if (!isBuiltin(name)) imported.add(name);
    }
  }
  const { dependencies } = await readManifest(packageRoot());
  const peers = await Promise.all(
    [...imported].map(async (name) => {
      const { peerDependencies = {} } = await readManifest(join(packageRoot(), 'node_modules', name));
      return Object.keys(peerDependencies);
    }),
  );
  expect(files.size).toBeGreaterThan(1);
  expect(Object.keys(dependencies ?? {}).sort()).toEqual([...new Set([...imported, ...peers.flat()])].sort());
});

/** The schema of a command's output, as the package that is installed in the folder exports it. */
async function readSchema(folder: string, command: string): Promise<z.ZodType> {
  const path = createRequire(join(folder, 'package.json')).resolve(`promstack/schemas/${command}.json`);
  return z.fromJSONSchema(JSON.parse(await readFile(path, 'utf8')));
}

async function readManifest(
  folder: string,
): Promise<Partial<Record<'dependencies' | 'peerDependencies', Record<string, string>>>> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
