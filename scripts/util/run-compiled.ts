import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, wrap } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** How many builds of the program, or versions of Node, keep their compiled code. */
const keptBuilds = 3;

/**
 * Runs a CommonJS file whose code was compiled by an earlier run, which saves a good part of what starting takes; the
 * first run of each `part` leaves its compiled code in `folder`, if any. The file is plain ASCII and ends with a line
 * `//# build=ID`; V8 refuses code of another version of itself. NODE_DISABLE_COMPILE_CACHE switches it off, as it does
 * Node's own.
 */
export function runCompiled(file: string, folder: string | undefined, part: string): void {
  const isOn = folder !== undefined && (process.env['NODE_DISABLE_COMPILE_CACHE'] ?? '') === '';
  const source = readFileSync(file, 'latin1');
  const kept = isOn ? join(folder, buildOf(source), part) : undefined;
  const cachedData = kept === undefined ? undefined : readOwn(kept);
  const script = new Script(wrap(source), {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  if (kept !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    // At the end, when all that this command needs has been compiled.
    process.once('exit', (code) => {
      if (code === 0) keep(kept, script);
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
}

/** V8 itself compares no more of the source than its length. */
function buildOf(source: string): string {
  const [, id] = /\n\/\/# build=(\w+)\n$/.exec(source.slice(-100)) ?? [];
  if (id === undefined) throw new Error('the built program does not say which build it is');
  return `${process.version}-${process.arch}-${id}`;
}

/** The compiled code in a file, where it is whole and nobody but this user could have written it: it is run, unlooked at. */
function readOwn(path: string): Buffer | undefined {
  try {
    const opened = openSync(path, 'r');
    try {
      const { uid, mode } = fstatSync(opened);
      const isOwn = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
      return isOwn ? unsealed(readFileSync(opened)) : undefined;
    } finally {
      closeSync(opened);
    }
  } catch {
    return undefined;
  }
}

/** V8 takes what it is given: a block that a power cut left empty would end the process. */
function sealed(code: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(code));
  return Buffer.concat([code, sum]);
}

function unsealed(file: Buffer): Buffer | undefined {
  if (file.length < 4) return undefined;
  const code = file.subarray(0, -4);
  return file.readUInt32LE(code.length) === crc32(code) ? code : undefined;
}

/** Keeps the compiled code for the next run, whole or not at all; it only saves time, so nothing about it ever fails. */
function keep(path: string, script: Script): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    if (mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined)
      forgetOldBuilds(dirname(dirname(path)));
    writeFileSync(unfinished, sealed(script.createCachedData()), { mode: 0o600 });
    renameSync(unfinished, path);
  } catch {
    try {
      rmSync(unfinished, { force: true });
    } catch {
      // Where no file can be, none is left behind.
    }
  }
}

function forgetOldBuilds(folder: string): void {
  const builds = readdirSync(folder).map((name) => ({ name, madeMs: statSync(join(folder, name)).mtimeMs }));
  const old = builds.toSorted((one, other) => other.madeMs - one.madeMs).slice(keptBuilds);
  for (const { name } of old) rmSync(join(folder, name), { recursive: true, force: true });
}
