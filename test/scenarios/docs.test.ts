import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { findCompose } from '../../scripts/dev/bench/compose.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { systemClock } from '../../scripts/util/clock.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { type Block, blocksOf, commandsIn, isAsShown, masked } from '../support/page.ts';
import { binary, freePorts } from '../support/stack-folder.ts';
import { imageOf } from '../support/tools.ts';

// What README and docs show is run here: files of `title=`, and the commands of `console` blocks with their output.

const pages = [
  'README.md',
  ...readdirSync(join(packageRoot(), 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((page) => blocksOf(page).some(({ language }) => language === 'console'));

/** The ports that the pages show. */
const shownPorts = { pushgateway: 9091, prometheus: 9090, alertmanager: 9093, grafana: 3000, sink: 9095 } as const;
const shownName = 'shop';

describe.each(pages)('%s', (page) => {
  test('must be as printed', async () => {
    await using folder = await pageFolder(page);
    for (const block of blocksOf(page)) {
      if (block.file !== undefined) await folder.write(block.file, block.text);
      else if (block.language === 'console') await folder.run(page, block);
    }
    expect(folder.commands).toBeGreaterThan(0);
  }, 400_000);
});

/** A folder in which a page is run: with a name and ports of its own, and images that this machine can get. */
async function pageFolder(page: string) {
  const path = await mkdtemp(join(tmpdir(), 'promstack-docs-'));
  const name = `test-${randomBytes(4).toString('hex')}`;
  const ports = await freePorts(Object.keys(shownPorts).length);
  const pairs = Object.values(shownPorts).map((port, at) => [String(port), String(ports[at])] as const);
  const bin = join(path, '.bin');
  await mkdir(bin);
  await writeFile(join(bin, 'promstack'), `#!/bin/sh\nexec ${process.execPath} ${binary} "$@"\n`);
  await chmod(join(bin, 'promstack'), 0o755);
  const busybox = blocksOf(page).some(({ text }) => text.includes('docker compose')) ? await installCompose(bin) : '';
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: path, XDG_CACHE_HOME: join(path, '.cache') };
  // Inside of networks, ports are as shown.
  const toReal = (text: string): string =>
    pairs
      .reduce(
        (all, [shown, real]) => all.replaceAll(new RegExp(`(?<!${shownName}-\\w+):${shown}`, 'g'), `:${real}`),
        text,
      )
      .replaceAll(`-p ${shownName}`, `-p ${name}`)
      .replaceAll(new RegExp(`\\b${shownName}(_default|-pushgateway)`, 'g'), `${name}$1`);
  const toShown = (text: string): string =>
    pairs.reduce((all, [shown, real]) => all.replaceAll(`:${real}`, `:${shown}`), text).replaceAll(name, shownName);

  const sh = async (command: string): Promise<string> => {
    const { all } = await execa('sh', ['-c', command], {
      cwd: path,
      env,
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
    });
    return toShown(all)
      .split('\n')
      .filter((line) => !/^warning: \S+ is used in place of /.test(line))
      .join('\n');
  };
  return {
    commands: 0,
    async write(file: string, text: string): Promise<void> {
      await mkdir(dirname(join(path, file)), { recursive: true });
      const ofCompose = (): string =>
        text
          .replace(`name: ${shownName}`, `name: ${name}`)
          .replaceAll(/^( +)image: busybox$/gm, `$1image: ${busybox}\n$1entrypoint: []`);
      // `config` prints every key.
      const printsKeys = blocksOf(page).some(({ text }) => text.includes('$ promstack config'));
      const ofStack = (): string => (printsKeys ? text : withOwn(toReal(text), name, ports));
      const real = { 'stack.yml': ofStack, 'compose.yaml': ofCompose }[file] ?? (() => toReal(text));
      await writeFile(join(path, file), real());
    },
    async run(page: string, block: Block): Promise<void> {
      for (const { command, output } of commandsIn(block)) {
        this.commands++;
        const end = Date.now() + 90_000;
        let actual = await sh(toReal(command));
        // Servers scrape, evaluate and notify in their own time.
        while (!isAsShown(actual, output) && isLooking(command) && Date.now() < end) {
          await systemClock.sleep(1_000);
          actual = await sh(toReal(command));
        }
        if (!isAsShown(actual, output))
          expect(masked(actual), `${page}:${block.line} $ ${command}`).toBe(masked(output));
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (busybox !== '') await sh('docker compose down -v');
      await sh(`promstack down -p ${name} --volumes --yes`);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Makes `docker compose` available, if this host has none; returns an image with busybox. */
async function installCompose(bin: string): Promise<string> {
  const command = await findCompose(bin);
  const script = `[ "$1" != compose ] || { shift; exec ${command.join(' ')} "$@"; }`;
  await writeFile(join(bin, 'docker'), `#!/bin/sh\n${script}\nPATH=\${PATH#*:} exec docker "$@"\n`, { mode: 0o755 });
  await using engine = await connect({ env: process.env });
  return await imageOf(engine, 'pushgateway');
}

/** Whether a command may be run again. */
function isLooking(command: string): boolean {
  return /^(?:promstack (?:-p \w+ )?(?:status|groups|logs|alert test|history|silence list)|curl -s )/.test(command);
}

/** A page's stack.yml with the name, the ports and the source of images of this run. Tags such as !env stay as they are. */
function withOwn(text: string, name: string, ports: readonly number[]): string {
  const document = parseDocument(text, { logLevel: 'silent' });
  document.setIn(['name'], name);
  document.setIn(['images', 'source'], 'auto');
  for (const [at, service] of Object.keys(shownPorts).entries()) document.setIn([service, 'port'], ports[at]);
  return String(document);
}
