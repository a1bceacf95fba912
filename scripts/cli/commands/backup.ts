import { createWriteStream, type WriteStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import { crashAfter } from '../../apply/crash-point.ts';
import type { BackedUp } from '../../move/backup/backup.ts';
import { displayPath } from '../../util/display-path.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { misuse } from '../../util/misuse.ts';
import { pathExists } from '../../util/path-exists.ts';
import { addSecret } from '../../util/redaction.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { configOrThrow, connectEngine } from './find-stack.ts';

export const passphraseVariable = 'PROMSTACK_BACKUP_PASSPHRASE';

export const command = defineCommand({
  details:
    'Copies the data of the running stack to one file, while its servers work on: samples, silences, the log of ' +
    'notifications, pushed groups and the database of Grafana. The file has checksums, and says what `restore` must find ' +
    'again. Secrets, revisions and the history are only in it with --with-secrets, encrypted by a passphrase. Data of ' +
    'VictoriaMetrics is left out: it has its own tools.',
  examples: [
    { line: 'backup shop.tar', what: 'write one file, which must not exist yet' },
    {
      line: 'backup backups/ --keep 7',
      what: 'a file named after the stack and the time; only the last seven are kept',
    },
    { line: 'backup - | ssh store "cat > shop.tar"', what: 'write to stdout' },
  ],
  syntax: (blank) =>
    blank
      .argument('<target>', 'file, folder, or - for stdout')
      .option('--keep <number>', 'in a folder: delete all but the newest backups of this stack')
      .option('--with-secrets', `also store secrets, revisions and history, encrypted`)
      .option('--passphrase-file <file>', `has the passphrase; default: the variable ${passphraseVariable}`)
      .option(...waitOption),
  json: () =>
    z.strictObject({
      file: z.string().nullable().describe('null for stdout'),
      at: z.string(),
      bytes: z.int(),
      volumes: z.record(z.string(), z.strictObject({ files: z.int(), bytes: z.int() })),
      leftOut: z.array(z.string()).describe('services with data that is not in the backup'),
      hasSecrets: z.boolean(),
      removedFiles: z.array(z.string()).describe('older backups that --keep removed'),
    }),
  run: async (context, { keep, withSecrets = false, passphraseFile, wait }, [target]) => {
    const waitMs = readWait(wait);
    const kept = readKeep(keep);
    if (!withSecrets && passphraseFile !== undefined) {
      throw new InputError([misuse('--passphrase-file without --with-secrets does nothing')]);
    }
    const passphrase = withSecrets ? await readPassphrase(context, passphraseFile) : undefined;
    const config = await configOrThrow(context);
    const path = await pathFor(context, target, config.name, kept);
    await using engine = await connectEngine(context);
    const { backUp } = await import('../../move/backup/backup.ts');
    const { env, report, clock, signal } = context;
    const run = { engine, config, passphrase, env, report, clock, signal, waitMs };
    let bytes = 0;
    const counting = new PassThrough();
    counting.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    let done: BackedUp;
    if (path === undefined) {
      counting.pipe(context.stdout as unknown as Writable, { end: false });
      done = await backUp({ ...run, target: counting });
    } else {
      const file = { path, target: counting, stack: config.name, env };
      done = await toFile(file, (stream, onStart) => backUp({ ...run, target: stream, onStart }));
    }
    const removed = path === undefined || kept === undefined ? [] : await removeOld(path, config.name, kept);
    const { header, manifest } = done;
    const { leftOut, at } = header;
    context.result({
      file: path ?? null,
      at,
      bytes,
      volumes: manifest.volumes,
      leftOut,
      hasSecrets: withSecrets,
      removedFiles: removed,
    });
    print(context, { path, bytes, done, removed, withSecrets });
    return exitCodes.fine;
  },
});

function readKeep(keep: string | undefined): number | undefined {
  if (keep === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(keep))
    throw new InputError([misuse(`--keep ${keep} is not a number of files`, 'such as --keep 7')]);
  return Number(keep);
}

/** The passphrase of the file, or of the variable; known to the redaction from then on. */
export async function readPassphrase(
  { cwd, env }: Pick<Context, 'cwd' | 'env'>,
  file: string | undefined,
): Promise<string> {
  const given =
    file === undefined ? env[passphraseVariable] : (await readPassphraseFile(resolve(cwd, file))).replace(/\r?\n$/, '');
  if (given === undefined || given === '') {
    const what = file === undefined ? `--with-secrets needs a passphrase` : `${file} is empty`;
    throw new InputError([misuse(what, `--passphrase-file FILE, or the variable ${passphraseVariable}`)]);
  }
  addSecret(given);
  return given;
}

async function readPassphraseFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StackError({ doing: 'reading the passphrase', why, tryThis: 'name a file that you can read', cause });
  }
}

/** The file to write, which must not exist; undefined for stdout. */
export async function pathFor(
  { cwd, clock, stdout }: Pick<Context, 'cwd' | 'clock' | 'stdout'>,
  target: string,
  stack: string,
  kept: number | undefined,
): Promise<string | undefined> {
  const at = resolve(cwd, target);
  const isFolder =
    target !== '-' &&
    (target.endsWith('/') ||
      (await stat(at).then(
        (found) => found.isDirectory(),
        () => false,
      )));
  if (kept !== undefined && !isFolder) {
    throw new InputError([misuse('--keep needs a folder', 'such as `promstack backup backups/ --keep 7`')]);
  }
  if (target === '-') {
    if ((stdout as { readonly isTTY?: boolean }).isTTY !== true) return undefined;
    throw new InputError([misuse('a backup is not text for a terminal', 'redirect it to a file or a program')]);
  }
  const path = isFolder ? join(at, fileName(stack, new Date(clock.now()))) : at;
  await refuseExisting(path, displayPath(path, cwd));
  await makeFolder(dirname(path));
  return path;
}

/** What follows the name of the stack. */
const timeInName = '-\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ\\.tar';

/** `shop-2026-11-29T04-34-05Z.tar` */
function fileName(stack: string, at: Date): string {
  return `${stack}-${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z.tar`;
}

interface FileOptions {
  readonly path: string;
  /** The bytes that are written; the caller may count them. */
  readonly target: PassThrough;
  readonly stack: string;
  readonly env: Context['env'];
}

/**
 * Writes beside the file, readable only for the user, and renames: a file of the name is always a whole backup. `write` calls `begin` when
 * no other backup of the stack is under way.
 */
export async function toFile<T>(
  { path, target, stack, env }: FileOptions,
  write: (target: PassThrough, begin: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const part = `${path}.part`;
  let file: WriteStream | undefined;
  let closed: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    await refuseExisting(path);
    await removeParts(path, stack);
    const opened = createWriteStream(part, { mode: 0o600, flags: 'wx', flush: true });
    file = opened;
    closed = new Promise<void>((done, fail) => {
      opened.once('close', done);
      opened.once('error', (error) => {
        target.destroy(error);
        fail(error);
      });
    });
    closed.catch(() => undefined);
    target.pipe(opened);
  };
  try {
    const result = await write(target, begin);
    await closed;
    crashAfter(env, 'backup', 'close');
    await rename(part, path);
    return result;
  } catch (error) {
    file?.destroy();
    await closed?.catch(() => undefined);
    if (file !== undefined) await rm(part, { force: true });
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new StackError({
      doing: `writing the backup to ${path}`,
      why: error.message,
      tryThis: 'is there space on the disk?',
      cause: error,
    });
  }
}

async function refuseExisting(path: string, shown = path): Promise<void> {
  if (!(await pathExists(path))) return;
  throw new StackError({
    doing: `writing the backup to ${shown}`,
    why: 'it exists already',
    tryThis: 'use another name, or a folder, where each backup is named after its time',
  });
}

/** How long nothing is written to what a killed backup has left; another engine may have a stack of the same name. */
const idleMs = 15 * 60_000;

/** Removes what killed backups have left: of the file, and in its folder of the stack. */
async function removeParts(path: string, stack: string): Promise<void> {
  const pattern = new RegExp(`^${stack}${timeInName}\\.part$`);
  await rm(`${path}.part`, { force: true });
  for (const name of (await readdir(dirname(path))).filter((each) => pattern.test(each))) {
    const part = join(dirname(path), name);
    const { mtimeMs } = await stat(part);
    if (Date.now() - mtimeMs > idleMs) await rm(part, { force: true });
  }
}

async function removeOld(path: string, stack: string, kept: number): Promise<readonly string[]> {
  const pattern = new RegExp(`^${stack}${timeInName}$`);
  const all = (await readdir(dirname(path))).filter((name) => pattern.test(name)).sort();
  const old = all.slice(0, Math.max(0, all.length - kept)).filter((name) => name !== basename(path));
  for (const name of old) await rm(join(dirname(path), name));
  return old.map((name) => join(dirname(path), name));
}

function print(
  { report, cwd }: Pick<Context, 'report' | 'cwd'>,
  {
    path,
    bytes,
    done: { header, manifest },
    removed,
    withSecrets,
  }: {
    readonly path: string | undefined;
    readonly bytes: number;
    readonly done: BackedUp;
    readonly removed: readonly string[];
    readonly withSecrets: boolean;
  },
): void {
  const note = (text: string): void => report({ kind: 'note', isResult: true, text });
  const { samples, silences, groups } = manifest;
  const counts = [
    ...(samples === undefined ? [] : [`${samples.series} series`]),
    ...(silences === undefined ? [] : [counted(silences.length, 'silence')]),
    ...(groups === undefined ? [] : [counted(groups.length, 'pushed group')]),
  ];
  const where = path === undefined ? 'stdout' : displayPath(path, cwd);
  note(`wrote ${(bytes / 1e6).toFixed(1)} MB to ${where}: ${counts.join(', ')}`);
  if (header.leftOut.length > 0) note(`without the data of ${header.leftOut.join(', ')}`);
  if (!withSecrets) note('without secrets, revisions and history: --with-secrets stores them, encrypted');
  for (const file of removed) note(`removed ${displayPath(file, cwd)}`);
}
