import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { $, argv, glob } from 'zx';
import { commands } from '../cli/commands/index.ts';
import { outputSchemas } from '../cli/json/output-schemas.ts';
import { packageRoot } from '../util/package-root.ts';
import { testImages } from './test-images.ts';

/**
 * Builds the command and the library: `npm run build [-- --outDir DIR]`; DIR then contains nothing else.
 * The command is one file that includes its packages, since loading hundreds of small files takes longer than most commands.
 * The library imports its packages, which are listed as `dependencies`.
 */
const root = packageRoot();
const outDir = resolve(root, String(argv['outDir'] ?? 'dist'));
const fresh = mkdtempSync(join(root, '.build-'));
const types = join(fresh, 'types');
$.cwd = root;
$.preferLocal = true;

/** Other default images, for a run of the tests. */
const { PROMSTACK_TEST_IMAGES: images = '' } = process.env;
const otherImages = images === '' ? [] : [testImages(images, (path) => readFileSync(path, 'utf8'))];

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  outdir: fresh,
  logLevel: 'warning',
} as const satisfies BuildOptions;

try {
  const [compiled] = await Promise.all([
    $({ nothrow: true, stdio: 'inherit' })`tsc -p scripts/dev/tsconfig.build.json --outDir ${types}`,
    build({
      ...common,
      entryPoints: { 'scripts/index': 'scripts/index.ts' },
      format: 'esm',
      packages: 'external',
      plugins: [...otherImages],
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
    }),
    // CommonJS, since Node can cache only its compiled code.
    build({
      ...common,
      entryPoints: { 'scripts/promstack': 'scripts/launch.ts', 'scripts/program': 'scripts/main.ts' },
      external: ['cpu-features', '*.node', 'fsevents'],
      plugins: [withoutUnusedParts(), ...otherImages],
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      minifyWhitespace: true,
      minifySyntax: true,
      define: { 'import.meta.url': 'importMetaUrl' },
      banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    }),
    // The page of `promstack ui`: complete, so that it works without a network.
    build({
      ...common,
      entryPoints: [
        { in: 'scripts/ui/page/main.tsx', out: 'ui/page' },
        { in: 'scripts/ui/page/page.css', out: 'ui/page' },
        { in: 'scripts/ui/page/index.html', out: 'ui/index' },
      ],
      platform: 'browser',
      target: ['chrome111', 'firefox113', 'safari16.4'],
      format: 'esm',
      loader: { '.html': 'copy' },
      minify: true,
    }),
  ]);
  // Code with type errors is built anyway, so that it can be tried; the exit code reports them.
  if (compiled.exitCode === 0) rollUpTypes(join(types, 'scripts', 'index.d.ts'), join(fresh, 'scripts', 'index.d.ts'));
  else process.exitCode = 2;
  rmSync(types, { recursive: true });
  await writeSchemas(join(fresh, 'schemas'));
  nameBuild(join(fresh, 'scripts', 'program.cjs'));
  await replace(outDir, fresh);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Rolls up the library's declarations into one file. */
function rollUpTypes(entry: string, file: string): void {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      compiler: {
        overrideTsconfig: { extends: './tsconfig.json', include: [], files: [entry] },
      },
      dtsRollup: { enabled: true, untrimmedFilePath: file },
      apiReport: { enabled: false },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The compiler and the linter have reported problems already.
      messages: { extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } } },
    },
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== 'error' && message.logLevel !== 'warning';
    },
  });
  if (!succeeded) throw new Error('the declarations of the library could not be rolled up');
}

/** Writes the JSON Schema of each command's output: `images-save.json`. */
async function writeSchemas(folder: string): Promise<void> {
  mkdirSync(folder);
  for (const [command, schema] of await outputSchemas(commands)) {
    writeFileSync(join(folder, `${command.replaceAll(' ', '-')}.json`), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

/** Appends a line that identifies the build. `runCompiled` requires it, and only ASCII. */
function nameBuild(file: string): void {
  const code = readFileSync(file);
  const at = code.findIndex((byte) => byte > 0x7f);
  if (at !== -1) throw new Error(`write non-ASCII characters as escapes: ${code.subarray(at - 40, at + 10)}`);
  appendFileSync(file, `\n//# build=${createHash('sha256').update(code).digest('hex').slice(0, 16)}\n`);
}

/**
 * Parts of the Docker client that promstack never calls and that take half of its loading time: gRPC sessions, needed
 * only for builds of images, its own ssh client, which verifies no host keys (promstack uses the ssh program), and the
 * formatting of each request for a debug log, which happens even when that is off.
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

/** Writes new files before deleting old ones, so that a program that starts meanwhile finds a complete build. */
async function replace(folder: string, by: string): Promise<void> {
  cpSync(join(by, 'chunks'), join(folder, 'chunks'), { recursive: true });
  cpSync(by, folder, { recursive: true });
  const fresh = new Set(await glob('**', { cwd: by, onlyFiles: false }));
  const old = (await glob('**', { cwd: folder, onlyFiles: false })).filter((path) => !fresh.has(path));
  for (const path of old) rmSync(join(folder, path), { recursive: true, force: true });
}
