import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connect } from '../../../scripts/engine/connect.ts';
import { packEntries } from '../../../scripts/engine/docker/tar.ts';
import type { ArchiveEntry, Engine } from '../../../scripts/engine/engine.ts';

/** The stand-in as an image with a unique name; disposing it removes the image. */
export interface StandInImage extends AsyncDisposable {
  readonly reference: string;
}

/**
 * Makes an image that looks from outside as grafana/grafana:12.4.0 does (user, folders and their owners, environment, entrypoint), of this
 * host's Node and the stand-in. With `mayGain`, it also starts where it may gain privileges, as services of an old swarm may.
 */
export async function buildStandInImage(
  engine: Engine,
  { mayGain = false }: { readonly mayGain?: boolean } = {},
): Promise<StandInImage> {
  const reference = `promstack/grafana-stand-in:12.4.0-${randomBytes(4).toString('hex')}`;
  await engine.importImage(Readable.from(await packEntries(await rootFileSystem())), reference, [
    'USER 472',
    'WORKDIR /usr/share/grafana',
    'EXPOSE 3000',
    'ENTRYPOINT ["/run.sh"]',
    'ENV PATH=/usr/share/grafana/bin:/bin',
    'ENV GF_PATHS_CONFIG=/etc/grafana/grafana.ini',
    'ENV GF_PATHS_DATA=/var/lib/grafana',
    'ENV GF_PATHS_HOME=/usr/share/grafana',
    'ENV GF_PATHS_LOGS=/var/log/grafana',
    'ENV GF_PATHS_PLUGINS=/var/lib/grafana/plugins',
    'ENV GF_PATHS_PROVISIONING=/etc/grafana/provisioning',
    ...(mayGain ? ['ENV STAND_IN_MAY_GAIN=yes'] : []),
  ]);
  return {
    reference,
    [Symbol.asyncDispose]: async () => {
      await using again = await connect({ env: process.env });
      await again.removeImage(reference);
    },
  };
}

async function rootFileSystem(): Promise<readonly ArchiveEntry[]> {
  const program = Buffer.from(`#!/bin/node\n${await bundle()}`);
  const files: readonly (readonly [string, Buffer, number])[] = [
    ['bin/node', readFileSync(process.execPath), 0o755],
    ...librariesOf(process.execPath).map((path) => [path.slice(1), readFileSync(realpathSync(path)), 0o755] as const),
    ['run.sh', program, 0o755],
    ['usr/share/grafana/bin/grafana', program, 0o755],
    ['etc/grafana/grafana.ini', Buffer.from('# every setting has its default\n'), 0o644],
    [
      'etc/passwd',
      Buffer.from('root:x:0:0:root:/root:/bin/sh\ngrafana:x:472:0::/usr/share/grafana:/bin/false\n'),
      0o644,
    ],
  ];
  const open = ['var/lib/grafana', 'var/log/grafana', 'usr/share/grafana', 'tmp'];
  const folders = new Set([...files.map(([path]) => path), ...open.map((path) => `${path}/x`)].flatMap(parentsOf));
  return [
    ...[...folders].sort().map((path): ArchiveEntry => {
      const isOpen = open.includes(path);
      return { kind: 'directory', path, mode: isOpen ? 0o777 : 0o755, uid: isOpen ? 472 : 0, gid: 0 };
    }),
    ...files.map(([path, content, mode]): ArchiveEntry => ({ kind: 'file', path, content, mode, uid: 0, gid: 0 })),
  ];
}

const parentsOf = (path: string): readonly string[] => {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
};

/** Every library and the loader, as the loader itself finds them. */
function librariesOf(program: string): readonly string[] {
  const output = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

interface Bundler {
  build(options: Readonly<Record<string, unknown>>): Promise<{ outputFiles: readonly { text: string }[] }>;
}

/** One script without imports, by the bundler that tsx comes with. */
async function bundle(): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('tsx/package.json'));
  const { build } = require('esbuild') as Bundler;
  const entry = fileURLToPath(new URL('program.ts', import.meta.url));
  const options = {
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    write: false,
  };
  const [file] = (await build(options)).outputFiles;
  if (file === undefined) throw new Error('the bundler wrote nothing');
  return file.text;
}
