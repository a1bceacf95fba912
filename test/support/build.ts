import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const marker = join(root, 'dist', '.built');
/** Beside dist/, so that a file moves from one to the other in one step. */
const fresh = join(root, 'node_modules', '.promstack-build');
const lock = join(root, 'node_modules', '.promstack-build-lock');

/** The built `promstack`: `bin` in package.json. */
export const promstackBin = join(root, 'dist', 'scripts', 'promstack.cjs');

/** Default images of this run in place of the program's own; empty for these. */
const images = process.env['PROMSTACK_TEST_IMAGES'] ?? '';

/** Vitest calls it once before any test: builds dist/ when a source is newer, so that tests run what is written. */
export async function setup(): Promise<void> {
  await buildWith(images);
}

/** Vitest calls it after all tests: leaves the program with its own default images. */
export async function teardown(): Promise<void> {
  if (images !== '') await buildWith('');
}

async function buildWith(images: string): Promise<void> {
  if (isCurrent(images)) return;
  await holdingLock(() => {
    if (!isCurrent(images)) build(images);
  });
}

function build(images: string): void {
  const startedAt = new Date();
  const args = ['run', '-s', 'build', '--', '--outDir', fresh];
  const env = { ...process.env, PROMSTACK_TEST_IMAGES: images };
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', env });
  if (status !== 0) {
    // The compiler writes its output all the same. `npm run check` is what refuses types that do not fit, and CI does here too.
    const message = `dist/ was built with errors:\n${stdout}${stderr}`;
    if ((process.env['CI'] ?? '') !== '') throw new Error(message);
    process.stderr.write(message);
  }
  moveChanged();
  writeFileSync(marker, images);
  // A source that was written during the build counts as newer.
  utimesSync(marker, startedAt, startedAt);
}

/** Puts each file that changed in its place at once: another run may be reading dist/ just now. */
function moveChanged(): void {
  for (const path of readdirSync(fresh, { recursive: true, encoding: 'utf8' })) {
    const [from, to] = [join(fresh, path), join(root, 'dist', path)];
    if (statSync(from).isDirectory()) mkdirSync(to, { recursive: true });
    else if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) renameSync(from, to);
  }
  rmSync(fresh, { recursive: true, force: true });
}

function isCurrent(images: string): boolean {
  const built = modifiedMs(marker);
  if (built === undefined || modifiedMs(promstackBin) === undefined) return false;
  if (readFileSync(marker, 'utf8') !== images) return false;
  const folders = ['stack', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(root, folder, path)),
  );
  const sources = [...folders, join(root, 'package.json'), join(root, 'tsconfig.json')];
  return sources.every((path) => (modifiedMs(path) ?? 0) < built);
}

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

const staleMs = 120_000;

/** Several test runs of one checkout build one after the other; a lock that a dead run left behind is taken over. */
async function holdingLock(work: () => void): Promise<void> {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (Date.now() - (modifiedMs(lock) ?? Date.now()) > staleMs) rmSync(lock, { recursive: true, force: true });
      await sleep(100);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
