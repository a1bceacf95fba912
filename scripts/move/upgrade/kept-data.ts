import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { copyFiles } from '../../../stack/values/copy-data.ts';
import type { Engine } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { Rendering } from '../../render/rendering.ts';
import { names } from '../../state/names.ts';
import { StackError } from '../../util/stack-error.ts';
import { manifestSchema } from '../backup/manifest.ts';
import { openVolumeHelper } from '../helper.ts';

/** The folder of a data volume with the data of before an upgrade, and a file that says what was upgraded. */
const folder = '.promstack-upgrade';
const stateFile = 'state.json';
const root = '/volumes';

const stateSchema = z.object({
  format: z.literal(1),
  /** ISO 8601, UTC. */
  at: z.string(),
  targets: z.array(z.object({ service: z.string(), from: z.string(), to: z.string() })),
  backup: z.string().optional(),
  /** What the servers had before. */
  manifest: manifestSchema,
});

/** What an upgrade was about to do. */
export type UpgradeState = z.infer<typeof stateSchema>;

/** Exists while the data in its place may be of the new image. */
const touchedFile = 'touched';

/** A data volume of a stack, and the script that copies its data. */
export interface DataVolume {
  readonly service: string;
  /** Without the name of the stack. */
  readonly name: string;
  readonly script: string;
}

export interface KeptDataOptions {
  readonly engine: Engine;
  readonly stack: string;
  /** An image with a shell. */
  readonly image: string;
  readonly volumes: readonly DataVolume[];
  readonly signal: AbortSignal;
}

/** The data volumes of a stack that exist. */
export async function findDataVolumes(engine: Engine, { config, services }: Rendering): Promise<readonly DataVolume[]> {
  const present = new Set((await engine.listVolumes({ [stackLabel]: config.name })).map(({ name }) => name));
  return services.flatMap(({ service, container }) =>
    container.mounts.flatMap((mount): DataVolume[] => {
      if (mount.kind !== 'data' || !present.has(names.dataVolume(config.name, mount.volume))) return [];
      return [{ service: service.name, name: mount.volume, script: service.copyData ?? copyFiles }];
    }),
  );
}

/** Reads what an upgrade that did not end has left; undefined when there is nothing. */
export async function findKeptData({
  engine,
  ...options
}: KeptDataOptions): Promise<(UpgradeState & { readonly isTouched: boolean }) | undefined> {
  if (options.volumes.length === 0) return undefined;
  // It is never started: its volumes are read through it.
  await using helper = await open(engine, options, '');
  for (const { name } of options.volumes) {
    const [entry] = (await engine.getFiles(helper.id, `${root}/${name}/${folder}/${stateFile}`)) ?? [];
    if (entry?.kind !== 'file') continue;
    const state = stateSchema.safeParse(JSON.parse(entry.content.toString('utf8')));
    const touched = await engine.getFiles(helper.id, `${root}/${name}/${folder}/${touchedFile}`);
    if (state.success) return { ...state.data, isTouched: touched !== undefined };
  }
  return undefined;
}

/** Copies the data of stopped servers beside it. Files that never change are linked. */
export async function keepData({ engine, ...options }: KeptDataOptions, state: UpgradeState): Promise<void> {
  const part = `${folder}-part-${randomBytes(4).toString('hex')}`;
  const script = options.volumes.map(
    ({ name, script }) => `cd ${root}/${name}
rm -rf ${folder}
mkdir ${part}/data
( set -- ${root}/${name} ${root}/${name}/${part}/data
${script} )
mv ${part} ${folder}`,
  );
  // What a killed upgrade has left is incomplete, and nothing needs it.
  const clear = `rm -rf ${root}/*/${folder}-part-*`;
  await using helper = await open(engine, options, `set -e\n${script.join('\n')}\n${clear}`);
  const content = Buffer.from(JSON.stringify(state));
  for (const { name } of options.volumes) {
    await engine.putFiles(helper.id, `${root}/${name}`, [
      { kind: 'directory', path: part, mode: 0o700, uid: 0, gid: 0 },
      { kind: 'file', path: `${part}/${stateFile}`, content, mode: 0o600, uid: 0, gid: 0 },
    ]);
  }
  await mustSucceed(helper, 'copying the data');
}

/** Notes that the new image gets the data. */
export async function markTouched({ engine, ...options }: KeptDataOptions): Promise<void> {
  if (options.volumes.length === 0) return;
  await using helper = await open(engine, options, '');
  const file = { kind: 'file', path: touchedFile, content: Buffer.alloc(0), mode: 0o600, uid: 0, gid: 0 } as const;
  for (const { name } of options.volumes) await engine.putFiles(helper.id, `${root}/${name}/${folder}`, [file]);
}

/** Replaces the data of stopped servers by a copy of the data of before, which stays as it is. */
export async function putBackData({ engine, ...options }: KeptDataOptions): Promise<void> {
  const script = options.volumes.map(
    ({ name, script }) => `cd ${root}/${name}
if [ -d ${folder}/data ]; then
find . -mindepth 1 -maxdepth 1 ! -name '.promstack-*' ! -name lost+found -exec rm -rf {} ';'
( set -- ${root}/${name}/${folder}/data ${root}/${name}
${script} )
rm -f ${folder}/${touchedFile}
fi`,
  );
  await using helper = await open(engine, options, `set -e\n${script.join('\n')}`);
  await mustSucceed(helper, 'putting back the data of before');
}

/** Deletes the data of before. */
export async function dropKeptData({ engine, ...options }: KeptDataOptions): Promise<void> {
  if (options.volumes.length === 0) return;
  await using helper = await open(engine, options, `rm -rf ${root}/*/${folder} ${root}/*/${folder}-part-*`);
  await mustSucceed(helper, 'deleting the copy of the data');
}

type Helper = Awaited<ReturnType<typeof openVolumeHelper>>;

function open(
  engine: Engine,
  { stack, image, volumes, signal }: Omit<KeptDataOptions, 'engine'>,
  script: string,
): Promise<Helper> {
  const mounts = volumes.map(({ name }) => ({
    volume: names.dataVolume(stack, name),
    target: `${root}/${name}`,
    readOnly: false,
  }));
  return openVolumeHelper(engine, { stack, what: 'upgrade', image, script, mounts, signal });
}

async function mustSucceed(helper: Helper, doing: string): Promise<void> {
  const { exitCode, output } = await helper.run();
  if (exitCode === 0) return;
  const why = output === '' ? `its script ended with exit code ${exitCode}` : output;
  throw new StackError({ doing, why, tryThis: 'is there space on the disk of the engine?' });
}
