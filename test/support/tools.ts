import { randomBytes } from 'node:crypto';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine, ExecResult } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { stackSchema } from '../../stack/config.ts';
import { nobody } from '../../stack/values/container.ts';

/** The services whose images have the tools. */
export type ToolService = 'pushgateway' | 'prometheus' | 'alertmanager';

/** A file to work on: its content, or its text and permission bits. */
type ToolFile = string | Buffer | { readonly text: string; readonly mode: number };

/** A running container of a service's image, without network, in which its programs work over files. */
export interface Tools extends AsyncDisposable {
  /** Runs a program of the image; the files lie below `/files`. */
  run(...argv: readonly string[]): Promise<ExecResult>;
  /** What the container itself has written so far, line by line. */
  logs(): Promise<readonly string[]>;
}

/** The options of the container. */
export interface ToolsOptions {
  readonly service: ToolService;
  /** By path below `/files`. */
  readonly files?: Readonly<Record<string, ToolFile>>;
  /** What runs in it meanwhile; nothing by default. */
  readonly command?: readonly string[];
}

/** Starts a container of the image a stack would run by default. */
export async function openTools({ service, files = {}, command = asleep }: ToolsOptions): Promise<Tools> {
  const engine = await connect({ env: process.env });
  const [entrypoint = '', ...args] = command;
  const id = await engine.createHelper({
    name: `test-tools-${randomBytes(4).toString('hex')}`,
    image: await imageOf(engine, service),
    user: nobody,
    entrypoint: [entrypoint],
    args,
    labels: {},
    mounts: [],
  });
  const close = async (): Promise<void> => {
    await engine.removeContainer(id);
    await engine[Symbol.asyncDispose]();
  };
  try {
    await engine.putFiles(id, '/', entriesOf(files));
    await engine.startContainer(id);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    run: (...argv) => engine.exec(id, argv),
    logs: async () => {
      const lines: string[] = [];
      for await (const { text } of engine.logs(id, {})) lines.push(text);
      return lines;
    },
    [Symbol.asyncDispose]: close,
  };
}

const asleep = ['/bin/busybox', 'sleep', '3600'];

/** The reference by which the default image of a service can be run on this engine. */
export async function imageOf(engine: Engine, service: ToolService): Promise<string> {
  const config = stackSchema.parse({ images: { source: 'auto' } });
  const wanted = [{ service, reference: config[service].image }];
  const [outcome] = await ensureImages(engine, wanted, config.images, () => {}, AbortSignal.timeout(240_000));
  if (outcome?.kind !== 'available')
    throw new Error(`the image ${config[service].image} is not available: ${JSON.stringify(outcome)}`);
  return outcome.ref;
}

/** A tree below `/files` that the tools' user owns, since servers write beside their files. */
function entriesOf(files: Readonly<Record<string, ToolFile>>): Parameters<Engine['putFiles']>[2] {
  const owner = { uid: 65534, gid: 65534 };
  const paths = Object.keys(files).map((path) => `files/${path}`);
  const folders = new Set(['files', ...paths.flatMap(parentsOf)]);
  return [
    ...[...folders].sort().map((path) => ({ kind: 'directory' as const, path, mode: 0o755, ...owner })),
    ...Object.entries(files).map(([path, file]) => {
      const { text, mode } = typeof file === 'string' || Buffer.isBuffer(file) ? { text: file, mode: 0o444 } : file;
      return { kind: 'file' as const, path: `files/${path}`, content: Buffer.from(text), mode, ...owner };
    }),
  ];
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
