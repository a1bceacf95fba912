import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { packageRoot } from '../util/package-root.ts';

/**
 * Builds the program and the library: types by the compiler, code by a bundler, since loading some four hundred small
 * files takes longer than most commands. `npm run build [-- --outDir DIR]`; DIR ends up with nothing else in it.
 */
const { values } = parseArgs({ options: { outDir: { type: 'string', default: 'dist' } } });
const root = packageRoot();
const outDir = resolve(root, values.outDir);
const fresh = mkdtempSync(join(root, 'node_modules', '.promstack-fresh-'));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  outdir: fresh,
  external: ['cpu-features', '*.node', 'fsevents'],
  plugins: [withoutUnusedParts()],
  logLevel: 'warning',
} as const satisfies BuildOptions;

try {
  // The compiler's complaints are passed on by its exit code, after the code is built: a person at work wants to run it.
  const isTyped = writeTypes(fresh);
  await build({
    ...common,
    entryPoints: { 'scripts/index': 'scripts/index.ts' },
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // CommonJS packages in an ES module need a `require` for Node's own modules.
    banner: {
      js: "import { createRequire as require_ } from 'node:module';\nconst require = require_(import.meta.url);",
    },
  });
  // The program is one CommonJS file: only of such a one can the compiled code be kept for the next run.
  await build({
    ...common,
    entryPoints: { 'scripts/promstack': 'scripts/launch.ts', 'scripts/program': 'scripts/main.ts' },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    minifyWhitespace: true,
    minifySyntax: true,
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  nameBuild(join(fresh, 'scripts', 'program.cjs'));
  replace(outDir, fresh);
  if (!isTyped) process.exitCode = 2;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** The last line tells one build from another; `runCompiled` wants that, and nothing but ASCII. */
function nameBuild(file: string): void {
  const code = readFileSync(file);
  const at = code.findIndex((byte) => byte > 0x7f);
  if (at !== -1) throw new Error(`write as an escape what is not ASCII: ${code.subarray(at - 40, at + 10)}`);
  appendFileSync(file, `\n//# build=${createHash('sha256').update(code).digest('hex').slice(0, 16)}\n`);
}

function writeTypes(folder: string): boolean {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const args = ['-p', join('scripts', 'dev', 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder];
  try {
    execFileSync(tsc, args, { cwd: root, stdio: 'inherit' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Parts of the Docker client that promstack never calls and that take half of its start: gRPC sessions, which only
 * builds of images need, and its own ssh, which checks no host key (promstack goes through the machine's ssh). And the
 * printing of each request for a debug log, which is done whether there is one or not.
 */
function withoutUnusedParts(): Plugin {
  const parts = [
    { path: /^\.\/session$/, importer: /[\\/]dockerode[\\/]/, contents: missing('sessions') },
    { path: /^\.\/ssh$/, importer: /[\\/]docker-modem[\\/]/, contents: missing('ssh') },
    {
      path: /^util$/,
      importer: /[\\/]docker-modem[\\/]/,
      contents: "exports.inherits = require('node:util').inherits; exports.inspect = () => '';",
    },
  ];
  return {
    name: 'without-unused-parts',
    setup({ onResolve, onLoad }) {
      for (const [at, { path, importer }] of parts.entries()) {
        onResolve({ filter: path }, (args) =>
          importer.test(args.importer) ? { path: String(at), namespace: 'unused' } : undefined,
        );
      }
      onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
        contents: parts[Number(path)]?.contents ?? '',
        loader: 'js',
      }));
    },
  };
}

function missing(part: string): string {
  return `module.exports = () => { throw new Error('promstack was built without ${part} of the Docker client'); };`;
}

/** Puts new files in place before old ones go, so that a program that starts meanwhile finds all of one of the two. */
function replace(folder: string, by: string): void {
  cpSync(join(by, 'chunks'), join(folder, 'chunks'), { recursive: true });
  cpSync(by, folder, { recursive: true });
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const isOurs = path.startsWith('.') || statSync(join(by, path), { throwIfNoEntry: false }) !== undefined;
    if (!isOurs) rmSync(join(folder, path), { recursive: true, force: true });
  }
}
