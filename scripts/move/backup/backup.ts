import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { StackConfig } from '../../../stack/config.ts';
import type { ContainerSpec } from '../../../stack/model.ts';
import type { Service } from '../../../stack/service.ts';
import { serviceOf } from '../../../stack/services.ts';
import { flagIn } from '../../../stack/values/container.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import { crashAfter } from '../../apply/crash-point.ts';
import type { ContainerSummary, Engine } from '../../engine/engine.ts';
import { openServers, type Servers } from '../../servers/servers.ts';
import { findContainers } from '../../state/find-stack.ts';
import { takeLock } from '../../state/lock.ts';
import { names, specOf } from '../../state/names.ts';
import type { Clock } from '../../util/clock.ts';
import { durationText } from '../../util/duration-text.ts';
import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import { version } from '../../util/version.ts';
import { openVolumeHelper, removeHelpers, shellImage } from '../helper.ts';
import { type ArchiveWriter, entriesIn, writeArchive } from './archive.ts';
import { encrypt } from './encrypt.ts';
import { countSamples, keyOf, listGroups, listSilences, settledAt } from './facts.ts';
import { type BackupHeader, entryNames, format, type Manifest } from './manifest.ts';

export interface BackupOptions {
  readonly engine: Engine;
  /** Its name, and the ports and logins of its servers. */
  readonly config: StackConfig;
  readonly target: Writable;
  /** For tests that kill the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Is called once no other backup of the stack is under way. */
  onStart?(): Promise<void>;
  /** Encrypts the secrets; without it they are left out, with the revisions and the history. */
  readonly passphrase?: string | undefined;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly waitMs?: number | undefined;
}

/** What a backup has in it. */
export interface BackedUp {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
}

/** A service with data, in its container. */
interface Source {
  readonly service: Service;
  readonly container: ContainerSummary;
  readonly spec: ContainerSpec;
  readonly dataVolumes: readonly string[];
}

/** How often a copy is repeated when the data changes meanwhile, and the pause before it. */
const attempts = 20;
const pauseMs = 250;
/** How long the removal of the copies may take after a failure. */
const clearMs = 60_000;

/** Copies the data of a running stack to a stream, while its servers work on. */
export async function backUp(options: BackupOptions): Promise<BackedUp> {
  const { engine, config, env, clock, signal } = options;
  const stack = config.name;
  const sources = await findSources(engine, stack);
  await using _lock = await takeLock({ ...options, stack, command: 'backup' });
  crashAfter(env, 'backup', 'lock');
  await removeHelpers(engine, stack, 'backup');
  await options.onStart?.();
  const image = await shellImage(
    engine,
    sources.map(({ container }) => container),
  );
  const servers = await openServers(engine, config, signal);
  let copying: BackupHeader | undefined;
  try {
    const copied = sources.filter(({ service }) => service.copyData !== undefined);
    const header: BackupHeader = {
      format,
      promstack: version(),
      stack,
      at: new Date(clock.now()).toISOString(),
      volumes: copied.flatMap(({ service: { name: service }, spec, dataVolumes }) =>
        dataVolumes.map((name) => ({ name, service, image: spec.image })),
      ),
      leftOut: sources
        .filter((source) => source.dataVolumes.length > 0 && !copied.includes(source))
        .map(({ service }) => service.name),
    };
    copying = header;
    const groups = await listGroups(servers);
    await flushGroups(servers, options, copied, groups);
    const samples = await countSamples(servers, settledAt(clock.now()));
    let manifest: Manifest = { volumes: {}, samples };
    await writeArchive(
      options.target,
      async (writer) => {
        await writer.file(entryNames.header, Buffer.from(`${JSON.stringify(header, null, 2)}\n`));
        for (const source of copied) {
          for (const volume of source.dataVolumes) {
            const counts = await copyVolume(writer, { ...options, stack, image, source, volume });
            manifest = { ...manifest, volumes: { ...manifest.volumes, [volume]: counts } };
          }
        }
        crashAfter(env, 'backup', 'copy');
        if (options.passphrase !== undefined) {
          const secrets = await readConfigVolumes(engine, { stack, image, sources, signal });
          await writer.file(entryNames.secrets, encrypt(secrets, options.passphrase));
        }
        const silences = await listSilences(servers);
        // Those that were pushed to or deleted meanwhile are not the same in the copy.
        const kept = new Map((await listGroups(servers))?.map((group) => [keyOf(group), group.pushedAt]));
        manifest = {
          ...manifest,
          silences: silences?.map(({ status: _, ...silence }) => ({ ...silence, matchers: [...silence.matchers] })),
          groups: groups?.filter((group) => kept.get(keyOf(group)) === group.pushedAt),
        };
        await writer.file(entryNames.manifest, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
        crashAfter(env, 'backup', 'manifest');
      },
      signal,
    );
    crashAfter(env, 'backup', 'archive');
    await clear(options, image, header);
    copying = undefined;
    crashAfter(env, 'backup', 'clear');
    return { header, manifest };
  } finally {
    servers.close();
    if (copying !== undefined) await clearAnyway(options, image, copying);
  }
}

/** Removes the copies of a backup that failed or was interrupted; its own error is the one to report. */
async function clearAnyway(options: BackupOptions, image: string, header: BackupHeader): Promise<void> {
  try {
    // The script of one may still run: an interrupt ends what reads the copies first.
    await removeHelpers(options.engine, options.config.name, 'backup');
    await clear({ ...options, signal: AbortSignal.timeout(clearMs) }, image, header);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.report({ kind: 'warning', text: `copies are left in the volumes until the next backup: ${why}` });
  }
}

async function findSources(engine: Engine, stack: string): Promise<readonly Source[]> {
  const containers = [...(await findContainers(engine, stack)).values()];
  const sources = containers.flatMap((container): Source[] => {
    const spec = specOf(container);
    const service = spec && serviceOf(spec);
    if (spec === undefined || service === undefined) return [];
    const dataVolumes = spec.mounts.flatMap((mount) => (mount.kind === 'data' ? [mount.volume] : []));
    return [{ service, container, spec, dataVolumes }];
  });
  const down = sources.filter(({ container, dataVolumes }) => dataVolumes.length > 0 && container.state !== 'running');
  if (down.length > 0) {
    throw new StackError({
      doing: `backing up the stack ${stack}`,
      why: `${down.map(({ service }) => service.name).join(', ')} ${down.length === 1 ? 'does' : 'do'} not run`,
      tryThis: '`promstack up` first: a backup is taken from running servers, and compared with what they say',
    });
  }
  return sources.filter(({ spec }) => spec.mounts.length > 0);
}

/** Waits until the Pushgateway has written its groups to its volume: it does so some time after a push. */
async function flushGroups(
  servers: Servers,
  { report, clock, signal }: BackupOptions,
  copied: readonly Source[],
  groups: Manifest['groups'] = [],
): Promise<void> {
  const source = copied.find(({ service }) => service.name === 'pushgateway');
  const lastPush = groups.reduce((latest, { pushedAt = 0 }) => Math.max(latest, pushedAt), 0);
  const file = source && flagIn(source.spec.args, 'persistence.file');
  if (source === undefined || file === undefined || lastPush === 0) return;
  const interval = parseDuration(flagIn(source.spec.args, 'persistence.interval') ?? '') ?? 300_000;
  const [id, what] = ['flush', 'wait until the Pushgateway has written its groups to its volume'];
  const began = clock.now();
  report({ kind: 'started', id, what });
  for (;;) {
    const { exitCode, stdout } = await servers.exec('pushgateway', ['stat', '-c', '%y', file]);
    const written = exitCode === 0 ? secondsOf(stdout) : 0;
    // Times of files are some milliseconds behind, and of restored ones whole seconds; after its interval, a push is written.
    const isOver = clock.now() > lastPush * 1000 + interval + 1_000;
    if (written >= lastPush || (isOver && written >= Math.floor(lastPush))) break;
    if (clock.now() - began > interval + 10_000) {
      report({ kind: 'failed', id, what, why: `not within ${durationText(interval)}, its interval` });
      throw new StackError({
        doing: 'backing up the Pushgateway',
        why: `${file} is older than the last push`,
        tryThis: 'promstack logs pushgateway: can it write to its volume?',
      });
    }
    report({
      kind: 'progress',
      id,
      what,
      detail: `at most ${durationText(interval)}: pushgateway.persistence.interval`,
    });
    await clock.sleep(500, signal);
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
}

/** Of `2026-11-29 04:34:05.915626023 +0000`, in seconds since 1970. */
function secondsOf(text: string): number {
  const [, day, time, fraction = ''] = /^(\S+) (\d+:\d+:\d+)(\.\d+)? \+0000/.exec(text) ?? [];
  return Date.parse(`${day}T${time}Z`) / 1000 + Number(`0${fraction}`);
}

interface VolumeCopy extends BackupOptions {
  readonly stack: string;
  readonly image: string;
  readonly source: Source;
  /** Without the name of the stack. */
  readonly volume: string;
}

/** The folder of the copy in the volume: only within one volume can files be linked instead of copied. */
const copyFolder = '.promstack-backup';
const mountPoint = '/data';

async function copyVolume(writer: ArchiveWriter, options: VolumeCopy): Promise<Manifest['volumes'][string]> {
  const { engine, stack, image, source, volume, report, clock, signal } = options;
  const [id, what] = [`copy-${volume}`, `copy ${volume}`];
  const began = clock.now();
  report({ kind: 'started', id, what });
  const folder = `${mountPoint}/${copyFolder}`;
  const mounts = [{ volume: names.dataVolume(stack, volume), target: mountPoint, readOnly: false }];
  const script = `rm -rf ${folder} && mkdir -m 700 ${folder} && set -- ${mountPoint} ${folder} || exit\n${source.service.copyData}`;
  await using helper = await openVolumeHelper(engine, { stack, what: 'backup', image, script, mounts, signal });
  crashAfter(options.env, 'backup', 'helper');
  for (let attempt = 1; ; attempt++) {
    const { exitCode, output } = await helper.run();
    if (exitCode === 0) break;
    if (attempt === attempts) {
      report({ kind: 'failed', id, what, why: output });
      throw new StackError({
        doing: `copying the volume ${volume}`,
        why: `${output}; this was tried ${attempts} times`,
        tryThis: 'try again when the server has less to do; is there space on the disk?',
      });
    }
    await clock.sleep(pauseMs, signal);
  }
  crashAfter(options.env, 'backup', 'link');
  let [files, bytes, shown] = [0, 0, clock.now()];
  for await (const { header, content } of entriesIn(await engine.readArchive(helper.id, folder))) {
    const name = header.name.replace(/^[^/]*\/?/, '');
    if (name === '') {
      content.resume();
      continue;
    }
    const { type, mode, uid, gid, mtime, size, linkname } = header;
    const own = { type, mode, uid, gid, mtime, size, ...(type === 'symlink' ? { linkname } : {}) };
    await writer.entry({ ...own, name: `data/${volume}/${name}` }, content);
    if (header.type === 'file') files++;
    bytes += header.size ?? 0;
    if (clock.now() - shown < 500) continue;
    shown = clock.now();
    report({ kind: 'progress', id, what, detail: `${Math.round(bytes / 1e6)} MB` });
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
  return { files, bytes };
}

/** Removes the copies; those of a backup that was killed are removed by the next one. */
async function clear(
  { engine, config, signal }: BackupOptions,
  image: string,
  { volumes }: BackupHeader,
): Promise<void> {
  const mounts = volumes.map(({ name }) => {
    return { volume: names.dataVolume(config.name, name), target: `/volumes/${name}`, readOnly: false };
  });
  const script = `rm -rf /volumes/*/${copyFolder}`;
  await using helper = await openVolumeHelper(engine, {
    stack: config.name,
    what: 'backup',
    image,
    script,
    mounts,
    signal,
  });
  await helper.run();
}

/** The config volumes of a stack as one tar archive; they are small. */
async function readConfigVolumes(
  engine: Engine,
  {
    stack,
    image,
    sources,
    signal,
  }: {
    readonly stack: string;
    readonly image: string;
    readonly sources: readonly Source[];
    readonly signal: AbortSignal;
  },
): Promise<Buffer> {
  const mounts = sources
    .filter(({ spec }) => spec.mounts.some(({ kind }) => kind === 'config'))
    .map(({ service: { name } }) => {
      return { volume: names.configVolume(stack, name), target: `/config/${name}-config`, readOnly: true };
    });
  await using helper = await openVolumeHelper(engine, { stack, what: 'backup', image, script: ':', mounts, signal });
  return await buffer((await engine.readArchive(helper.id, '/config')) as Readable);
}
