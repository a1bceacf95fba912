import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import { readAptHost } from './apt/host.ts';
import { openRepository, type PackageFile, type Repository } from './apt/repository.ts';
import { CommandError, type CommandRunner, createRun } from './apt/run.ts';
import type { Archive } from './apt/sources.ts';
import { importBuilt } from './built-image.ts';
import { basePackages, basePackagesOfSomeSuites, type Recipe } from './recipes.ts';
import { layOutRoot } from './root-layout.ts';
import { MissingFileError } from './root-tree.ts';

/** A program's image built, or why it was not. */
export type BuildOutcome =
  | {
      readonly kind: 'built';
      readonly reference: string;
      readonly version: string;
      readonly suite: string;
      /** Suites that would have come first, and why they could not be used. */
      readonly passedOver: readonly string[];
    }
  | { readonly kind: 'refused'; readonly why: string };

/** Told how far the build of a program's image is. */
export type OnBuildProgress = (program: string, detail: string) => void;

/** Builds the programs' images from Debian's own packages, which apt fetches and checks; one download serves all of them. */
export async function buildFromPackages(
  engine: Engine,
  wanted: readonly Recipe[],
  tell: OnBuildProgress,
  signal: AbortSignal,
  vendor?: string,
): Promise<ReadonlyMap<string, BuildOutcome>> {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-packages-'));
  try {
    return await buildBelow(folder, { engine, tell, run: createRun(signal), vendor }, wanted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What every step of a build works with. */
interface BuildContext {
  readonly engine: Engine;
  readonly tell: OnBuildProgress;
  readonly run: CommandRunner;
  readonly vendor: string | undefined;
}

async function buildBelow(
  folder: string,
  workshop: BuildContext,
  wanted: readonly Recipe[],
): Promise<ReadonlyMap<string, BuildOutcome>> {
  const ground = await findGround(workshop);
  if (typeof ground === 'string') return refuse(wanted, ground);
  const outcomes = new Map<string, BuildOutcome>();
  const refusals: string[] = [];
  for (const [at, place] of ground.entries()) {
    const missing = wanted.filter((recipe) => outcomes.get(recipe.program)?.kind !== 'built');
    if (missing.length === 0) break;
    const where = `${place.suite} at ${place.archive.uri}`;
    for (const recipe of missing) workshop.tell(recipe.program, `reading the package lists of ${where}`);
    const built = await buildFrom(join(folder, String(at)), place, workshop, missing);
    for (const [program, outcome] of built) {
      if (outcome.kind === 'refused') refusals.push(`${where}: ${outcome.why}`);
      outcomes.set(program, outcome.kind === 'built' ? { ...outcome, passedOver: [...new Set(refusals)] } : outcome);
    }
  }
  const why = [...new Set(refusals)].join('; ');
  for (const [program, outcome] of outcomes) if (outcome.kind === 'refused') outcomes.set(program, { ...outcome, why });
  return outcomes;
}

interface InstallTarget {
  readonly archive: Archive;
  readonly suite: string;
}

/** The archives and suites to try in turn, newest programs first, or why there are none. */
async function findGround({ engine, run }: BuildContext): Promise<readonly InstallTarget[] | string> {
  const host = await readAptHost(run);
  if (host === undefined) return 'this host has no apt; Debian and Ubuntu have';
  const { arch } = await engine.info();
  if (debianNames[arch] !== host.architecture) {
    return `the engine runs on ${arch} and this host's packages are for ${host.architecture}`;
  }
  if (host.archives.length === 0) return `apt's sources on this host name no archive of ${host.codename}`;
  const suites = [...new Set(['sid', 'trixie', host.codename])];
  return suites.flatMap((suite) => host.archives.map((archive) => ({ archive, suite })));
}

/** Debian's names of machines by Go's. */
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
  place: InstallTarget,
  workshop: BuildContext,
  wanted: readonly Recipe[],
): Promise<ReadonlyMap<string, BuildOutcome>> {
  const { tell, run } = workshop;
  try {
    await mkdir(folder);
    const repository = await openRepository(folder, place.archive, place.suite, run);
    const chosen = await choosePackages(repository, wanted);
    if (chosen.recipes.length === 0) return refuse(wanted, chosen.why);
    for (const { program } of chosen.recipes) tell(program, `downloading packages of ${place.suite}`);
    const files = await repository.download(chosen.packages);
    for (const { program } of chosen.recipes) tell(program, 'unpacking packages');
    const unpacked = await unpack(join(folder, 'root'), files, run);
    const built = await Promise.all(
      chosen.recipes.map(async (recipe): Promise<[string, BuildOutcome]> => {
        tell(recipe.program, 'importing the image');
        return [recipe.program, await buildOne(unpacked, files, recipe, place, workshop)];
      }),
    );
    const without = wanted.filter((recipe) => !chosen.recipes.includes(recipe));
    return new Map([...refuse(without, chosen.why), ...built]);
  } catch (error) {
    if (error instanceof CommandError) return refuse(wanted, error.message);
    throw error;
  }
}

/** Unpacks all packages into one folder, as they would lie on a host; nothing of them is run. */
async function unpack(root: string, files: readonly PackageFile[], run: CommandRunner): Promise<string> {
  await mkdir(root);
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      await run('dpkg-deb', ['--extract', file.path, root]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return root;
}

async function buildOne(
  unpacked: string,
  files: readonly PackageFile[],
  recipe: Recipe,
  place: InstallTarget,
  { engine, run, vendor }: BuildContext,
): Promise<BuildOutcome> {
  try {
    const entries = await layOutRoot(unpacked, recipe, run);
    const built = await importBuilt(engine, recipe, entries, { files, suite: place.suite }, vendor);
    return { kind: 'built', ...built, suite: place.suite, passedOver: [] };
  } catch (error) {
    if (error instanceof MissingFileError) return { kind: 'refused', why: error.message };
    throw error;
  }
}

function refuse(wanted: readonly Recipe[], why: string): ReadonlyMap<string, BuildOutcome> {
  return new Map(wanted.map((recipe) => [recipe.program, { kind: 'refused', why }]));
}

/** What to download of a suite. */
export interface Choice {
  /** The recipes whose packages the suite has. */
  readonly recipes: readonly Recipe[];
  /** Their packages, the base, and what those depend on. */
  readonly packages: readonly string[];
  /** What the others lack. */
  readonly why: string;
}

/** The packages that the wanted images need, as far as the suite has them. */
export async function choosePackages(repository: Pick<Repository, 'show'>, wanted: readonly Recipe[]): Promise<Choice> {
  const facts = new Map<string, readonly string[]>();
  const learn = async (names: readonly string[]) => {
    for (const told of await repository.show(names)) facts.set(told.name, told.dependsOn);
  };
  const required = (recipe: Recipe) => [...recipe.packages, ...basePackages];
  const optional = (recipe: Recipe) => [...recipe.packagesOfSomeSuites, ...basePackagesOfSomeSuites];
  await learn([...new Set(wanted.flatMap((recipe) => [...required(recipe), ...optional(recipe)]))]);

  const missing = [...new Set(wanted.flatMap(required))].filter((name) => !facts.has(name));
  const recipes = wanted.filter((recipe) => required(recipe).every((name) => facts.has(name)));
  const chosen = new Set(recipes.flatMap((recipe) => [...required(recipe), ...optional(recipe)]));
  for (let open = [...chosen]; open.length > 0; ) {
    const next = open.flatMap((name) => facts.get(name) ?? []).filter((name) => usefulDependency.test(name));
    open = [...new Set(next)].filter((name) => !chosen.has(name));
    if (open.length > 0) await learn(open);
    for (const name of open) chosen.add(name);
  }
  // Names that no package has are virtual, or a suite's own way of saying the same.
  const packages = [...chosen].filter((name) => facts.has(name));
  return { recipes, packages, why: `it has no package ${missing.join(', ')}` };
}

/** Of dependencies only libraries and fonts go into an image: the rest is for installing on a host. */
const usefulDependency = /^(lib|fonts-)/;
