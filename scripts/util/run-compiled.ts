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

/** The number of builds of the program and of Node versions whose compiled code is kept. */
const keptBuilds = 3;

/**
 * Runs a CommonJS file with V8's code cache of an earlier run, which makes it start much faster; the first run of each
 * `part` saves the cache in `folder`, if any. The file is ASCII and ends with a line `//# build=ID`; V8 rejects code of
 * another V8 version. NODE_DISABLE_COMPILE_CACHE disables it, as it does Node's own cache.
 */
export function runCompiled(file: string, folder: string | undefined, part: string): void {
  const isEnabled = folder !== undefined && (process.env['NODE_DISABLE_COMPILE_CACHE'] ?? '') === '';
  const source = readFileSync(file, 'latin1');
  const cacheFile = isEnabled ? join(folder, buildOf(source), part) : undefined;
  const cachedData = cacheFile === undefined ? undefined : readOwn(cacheFile);
  const script = new Script(wrap(source), {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  if (cacheFile !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    // At exit, when everything that this command needs has been compiled.
    process.once('exit', (code) => {
      if (code === 0) save(cacheFile, script);
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
}

/** The build ID is needed because V8 compares only the length of the source. */
function buildOf(source: string): string {
  const [, id] = /\n\/\/# build=(\w+)\n$/.exec(source.slice(-100)) ?? [];
  if (id === undefined) throw new Error('the built program has no build ID');
  return `${process.version}-${process.arch}-${id}`;
}

/** The compiled code in a file, if it is intact and only this user can write it, since it is run unchecked. */
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

/** Adds a checksum: V8 would crash on code that a power loss has damaged. */
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

/** Saves the compiled code for the next run, atomically. Errors are ignored, since it only saves time. */
function save(path: string, script: Script): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    if (mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined)
      removeOldBuilds(dirname(dirname(path)));
    writeFileSync(unfinished, sealed(script.createCachedData()), { mode: 0o600 });
    renameSync(unfinished, path);
  } catch {
    try {
      rmSync(unfinished, { force: true });
    } catch {
      // There is nothing to clean up.
    }
  }
}

function removeOldBuilds(folder: string): void {
  const builds = readdirSync(folder).map((name) => ({ name, modifiedMs: statSync(join(folder, name)).mtimeMs }));
  const old = builds.toSorted((a, b) => b.modifiedMs - a.modifiedMs).slice(keptBuilds);
  for (const { name } of old) rmSync(join(folder, name), { recursive: true, force: true });
}
