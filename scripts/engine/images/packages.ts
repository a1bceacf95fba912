import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import { EngineError } from '../engine-error.ts';
import {
  CommandError,
  type CommandRunner,
  createRunner,
  openRepository,
  type PackageFile,
  readAptHost,
} from './apt.ts';
import type { Archive } from './apt-sources.ts';
import { basePackages, builtReference, type Recipe } from './recipes.ts';
import { layOutRoot, MissingFileError, nobody, toTarStream } from './root.ts';

/** The result of building a program's image. */
export type BuildOutcome =
  | {
      readonly kind: 'built';
      readonly reference: string;
      readonly version: string;
      readonly suite: string;
      /** The suites tried before, and why they could not be used. */
      readonly skipped: readonly string[];
    }
  | { readonly kind: 'failed'; readonly why: string };

/** Called as the build of a program's image proceeds. */
export type OnBuildProgress = (program: string, detail: string) => void;

/** Outcomes by program. */
type BuildOutcomes = ReadonlyMap<string, BuildOutcome>;

interface BuildContext {
  readonly engine: Engine;
  readonly onProgress: OnBuildProgress;
  readonly run: CommandRunner;
  readonly vendor: string | undefined;
  /** In place of the newest and the host's own. */
  readonly suites: readonly string[] | undefined;
}

/** Builds the programs' images from Debian's packages, which apt downloads and verifies; all of them share one download. */
export async function buildFromPackages(
  engine: Engine,
  requested: readonly Recipe[],
  onProgress: OnBuildProgress,
  signal: AbortSignal,
  { vendor, suites }: { readonly vendor?: string | undefined; readonly suites?: readonly string[] | undefined } = {},
): Promise<BuildOutcomes> {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-packages-'));
  try {
    return await buildBelow(folder, { engine, onProgress, run: createRunner(signal), vendor, suites }, requested);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildBelow(folder: string, context: BuildContext, requested: readonly Recipe[]): Promise<BuildOutcomes> {
  const sources = await findSources(context);
  if (typeof sources === 'string') return failAll(requested, sources);
  const outcomes = new Map<string, BuildOutcome>();
  const failures = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const missing = requested.filter((recipe) => outcomes.get(recipe.program)?.kind !== 'built');
    if (missing.length === 0) break;
    const where = `${source.suite} at ${source.archive.uri}`;
    for (const { program } of missing) context.onProgress(program, `reading the package lists of ${where}`);
    const built = await buildFrom(join(folder, String(index)), source, context, missing);
    for (const [program, outcome] of built) {
      if (outcome.kind === 'failed') failures.add(`${where}: ${outcome.why}`);
      outcomes.set(program, outcome.kind === 'built' ? { ...outcome, skipped: [...failures] } : outcome);
    }
  }
  const why = [...failures].join('; ');
  for (const [program, { kind }] of outcomes) if (kind === 'failed') outcomes.set(program, { kind, why });
  return outcomes;
}

interface PackageSource {
  readonly archive: Archive;
  readonly suite: string;
}

/** The suites to try, newest programs first, or why there are none. */
async function findSources({ engine, run, suites: named }: BuildContext): Promise<readonly PackageSource[] | string> {
  const host = await readAptHost(run);
  if (host === undefined) return 'this host has no apt; building from packages requires Debian or Ubuntu';
  const { arch } = await engine.info();
  if (debianNames[arch] !== host.architecture) {
    return `the engine runs on ${arch}, but this host's packages are for ${host.architecture}`;
  }
  if (host.archives.length === 0) return `apt's sources on this host have no archive of ${host.codename}`;
  const suites = named ?? [...new Set(['sid', 'trixie', host.codename])];
  return suites.flatMap((suite) => host.archives.map((archive) => ({ archive, suite })));
}

/** Debian's names of architectures, by Go's names. */
const debianNames: Readonly<Record<string, string>> = {
  amd64: 'amd64',
  '386': 'i386',
  arm64: 'arm64',
  arm: 'armhf',
  ppc64le: 'ppc64el',
  riscv64: 'riscv64',
  s390x: 's390x',
};

async function buildFrom(
  folder: string,
  { archive, suite }: PackageSource,
  context: BuildContext,
  requested: readonly Recipe[],
): Promise<BuildOutcomes> {
  const { onProgress, run } = context;
  const outcomes = new Map<string, BuildOutcome>();
  /** A failure caused by the suite's packages is an outcome: the next suite is tried. */
  const recordFailure = async <T>(recipe: Recipe, build: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await build();
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof MissingFileError)) throw error;
      outcomes.set(recipe.program, { kind: 'failed', why: error.message });
      return undefined;
    }
  };
  try {
    await mkdir(folder);
    const repository = await openRepository(folder, archive, suite, run);
    const base = await repository.find(basePackages);
    const resolved = await Promise.all(
      requested.map(async (recipe) => {
        const names = await recordFailure(recipe, () => repository.resolve(recipe.packages));
        return names === undefined ? [] : [{ recipe, names: new Set([...base, ...names]) }];
      }),
    );
    const builds = resolved.flat();
    if (builds.length === 0) return outcomes;
    for (const { recipe } of builds) onProgress(recipe.program, `downloading packages of ${suite}`);
    const files = await repository.download([...new Set(builds.flatMap(({ names }) => [...names]))]);
    await Promise.all(
      builds.map(({ recipe, names }) =>
        recordFailure(recipe, async () => {
          const recipeFiles = files.filter(({ name }) => names.has(name));
          outcomes.set(
            recipe.program,
            await buildOne(join(folder, recipe.program), recipeFiles, recipe, suite, context),
          );
        }),
      ),
    );
    return outcomes;
  } catch (error) {
    if (error instanceof CommandError) return failAll(requested, error.message);
    throw error;
  }
}

async function buildOne(
  root: string,
  files: readonly PackageFile[],
  recipe: Recipe,
  suite: string,
  { engine, onProgress, run, vendor }: BuildContext,
): Promise<BuildOutcome> {
  onProgress(recipe.program, 'unpacking packages');
  await mkdir(root);
  for (const { path } of files) await run('dpkg-deb', ['--extract', path, root]);
  await layOutRoot(root, recipe, run);

  onProgress(recipe.program, 'importing the image');
  const version = upstreamVersion(files.find(({ name }) => name === recipe.packages[0])?.version ?? '');
  const reference = builtReference(recipe, version, vendor);
  // Two concurrent builds would take the tag from each other and leave an untagged image.
  const temporary = `promstack/building:${randomUUID()}`;
  await engine.importImage(toTarStream(root, recipe), temporary, toChanges(recipe, files, suite, version));
  if ((await engine.findImage(reference)) === undefined) await engine.tagImage(temporary, reference);
  await removeUnlessUsed(engine, temporary);
  return { kind: 'built', reference, version, suite, skipped: [] };
}

/** `1:3.5.3+ds1-6` is 3.5.3: without the epoch, Debian's revision and its suffix for repackaged sources. */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~.](ds|dfsg|repack)[\d.]*$/, '')
    .replace(/[^\w.-]/g, '-');
}

/** The Dockerfile lines of the official image, and labels that describe the built one. */
export function toChanges(
  recipe: Recipe,
  files: readonly Pick<PackageFile, 'name' | 'version'>[],
  suite: string,
  version: string,
): readonly string[] {
  const packages = files.map((file) => `${file.name} ${file.version}`);
  const labels = {
    'dev.promstack.program': recipe.program,
    'dev.promstack.packages': packages.sort().join(', '),
    'org.opencontainers.image.title': recipe.program,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.description': `${recipe.program} from Debian ${suite}'s packages, built by promstack; not the official image`,
  };
  return [
    `USER ${nobody}`,
    `WORKDIR ${recipe.home}`,
    `EXPOSE ${recipe.port}`,
    ...(recipe.isVolume ? [`VOLUME ["${recipe.home}"]`] : []),
    `ENTRYPOINT ${JSON.stringify(recipe.entrypoint)}`,
    `CMD ${JSON.stringify(recipe.command)}`,
    ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`),
  ];
}

/** A concurrent build may be using the same image: then the temporary tag stays until that build removes it. */
async function removeUnlessUsed(engine: Engine, reference: string): Promise<void> {
  try {
    await engine.removeImage(reference);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
  }
}

function failAll(recipes: readonly Recipe[], why: string): BuildOutcomes {
  return new Map(recipes.map(({ program }) => [program, { kind: 'failed', why }]));
}
