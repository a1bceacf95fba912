import { resolve } from 'node:path';
import * as z from 'zod';
import { enabledServices } from '../../../stack/services.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import {
  type ArchiveTarget,
  archiveToStdout,
  loadImages,
  openTargetFile,
  saveImages,
} from '../../engine/images/archive.ts';
import { ensureImages, findImages } from '../../engine/images/ensure.ts';
import { missingImages, missingImagesError, type RequiredImage } from '../../engine/images/outcome.ts';
import { substitutesOf } from '../../plan/substitutes.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { table } from '../print/table.ts';
import { defineCommand } from './command.ts';
import { configOrThrow, connectEngine } from './find-stack.ts';
import { lock } from './images-lock.ts';

const pull = defineCommand({
  details:
    'Gets the images from the sources that `images.source` in stack.yml allows: local images, a registry, or ' +
    "packages of this host's distribution.",
  json: imagesSchema,
  run: async (context) => {
    const config = await configOrThrow(context);
    await using engine = await connectEngine(context);
    await pullAll(context, engine, config);
    await list(context, engine, config);
    return exitCodes.fine;
  },
});

const save = defineCommand({
  details:
    'For hosts that cannot reach a registry: save the images here, copy the file, and load it there. A file whose ' +
    'name ends in .gz is compressed.',
  examples: [
    { line: 'images save stack-images.tar.gz', what: 'all images of this stack' },
    { line: 'images save - | ssh other docker load', what: 'directly to another host' },
  ],
  syntax: (command) => command.argument('<archive>', 'file to write; - for stdout'),
  json: () => z.strictObject({ archive: z.string(), saved: z.array(z.string()).describe('images') }),
  run: async (context, _options, [archive]) => {
    const config = await configOrThrow(context);
    // Opened first, since pulling images may take a while.
    await using target = await openTarget(context, archive);
    await using engine = await connectEngine(context);
    const references = await pullAll(context, engine, config);
    await saveImages(engine, references, target, context.report, context.signal);
    context.result({ archive: resolve(context.cwd, archive), saved: references });
    return exitCodes.fine;
  },
});

async function openTarget(
  { cwd, json, stdout, stdoutBytes }: Pick<Context, 'cwd' | 'json' | 'stdout' | 'stdoutBytes'>,
  archive: string,
): Promise<ArchiveTarget> {
  // Opening stdout by its path would truncate the file it is redirected to.
  if (archive !== '-' && archive !== '/dev/stdout') return openTargetFile(resolve(cwd, archive));
  if (json) throw new InputError([misuse('an archive on stdout and --json cannot be combined', 'name a file')]);
  if (!stdout.isTerminal) return archiveToStdout(stdoutBytes);
  throw new InputError([misuse('an archive cannot be written to a terminal', 'name a file, or pipe it')]);
}

const load = defineCommand({
  syntax: (command) => command.argument('<archive>', 'file written by `images save` or `docker save`'),
  json: () => z.strictObject({ loaded: z.array(z.string()).describe('images') }),
  run: async (context, _options, [archive]) => {
    await using engine = await connectEngine(context);
    const references = await loadImages(engine, resolve(context.cwd, archive), context.report, context.signal);
    context.result({ loaded: references });
    context.stdout.write(references.map((reference) => `${reference}\n`).join(''));
    return exitCodes.fine;
  },
});

export const command = defineCommand({
  details: 'Lists the images of the stack and whether the engine has them.',
  subcommands: [
    { name: 'pull', summary: 'pull all images of the stack', command: pull },
    { name: 'save', summary: 'save the images of the stack to a tar file', command: save },
    { name: 'load', summary: 'load images from a tar file', command: load },
    { name: 'lock', summary: 'pin the running images in stack.lock', command: lock },
  ],
  json: imagesSchema,
  run: async (context) => {
    const config = await configOrThrow(context);
    await using engine = await connectEngine(context);
    await list(context, engine, config);
    return exitCodes.fine;
  },
});

type Config = LoadedStack['config'];

function imagesOf(config: Config): readonly RequiredImage[] {
  return enabledServices(config).map((service) => ({
    service: service.name,
    reference: service.container(config).image,
  }));
}

async function pullAll(context: Context, engine: Engine, config: Config): Promise<readonly string[]> {
  const outcomes = await ensureImages(engine, imagesOf(config), config.images, context.report, context.signal);
  const missing = missingImages(outcomes);
  if (missing.length > 0) throw missingImagesError(missing);
  return [...new Set(outcomes.flatMap((outcome) => (outcome.kind === 'available' ? [outcome.ref] : [])))];
}

function imagesSchema() {
  return z.strictObject({
    images: z.array(
      z.strictObject({
        service: z.string(),
        image: z.string().describe('of stack.yml, or the default'),
        localImage: z.string().optional().describe('the image on the engine; absent when it is missing'),
        isSubstitute: z.boolean().describe('whether the local image was built from packages in place of the other'),
        id: z.string().optional(),
        sizeBytes: z.int().optional(),
      }),
    ),
  });
}

async function list(
  { result, stdout }: Pick<Context<z.input<ReturnType<typeof imagesSchema>>>, 'result' | 'stdout'>,
  engine: Engine,
  config: Config,
): Promise<void> {
  const references = imagesOf(config);
  const present = await findImages(engine, references, config.images);
  const substitutes = substitutesOf(references, present);
  const images = await Promise.all(
    references.map(async ({ service, reference }) => {
      const ref = present.get(reference)?.ref;
      const summary = ref === undefined ? undefined : await engine.findImage(ref);
      const substitute = substitutes.find((candidate) => candidate.service === service);
      return { service, image: reference, localImage: ref, substitute, id: summary?.id, sizeBytes: summary?.sizeBytes };
    }),
  );
  result({
    images: images.map(({ service, image, localImage, substitute, id, sizeBytes }) => ({
      service,
      image,
      localImage,
      isSubstitute: substitute !== undefined,
      id,
      sizeBytes,
    })),
  });
  const { dim, green, yellow } = stdout.colours;
  const stateOf = ({
    image,
    localImage,
    substitute,
  }: Pick<(typeof images)[number], 'image' | 'localImage' | 'substitute'>): string => {
    if (localImage === undefined) return yellow('missing');
    if (substitute === undefined) return green(localImage === image ? 'present' : `present as ${localImage}`);
    const state = `${localImage}, substitute for ${image}`;
    return substitute.isNamed ? yellow(state) : state;
  };
  const rows = images.map(({ id, sizeBytes, ...image }) => [
    image.service,
    image.image,
    stateOf(image),
    sizeBytes === undefined ? '' : sizeText(sizeBytes),
    id?.replace(/^sha256:/, '').slice(0, 12) ?? '',
  ]);
  stdout.write(table([['SERVICE', 'IMAGE', 'STATE', 'SIZE', 'ID'].map(dim), ...rows], { columns: stdout.columns() }));
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in powers of 1000, like the docker command: `98.2 MB`. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let power = 0;
  while (size >= 999.5 && power < units.length - 1) {
    size /= 1000;
    power += 1;
  }
  return `${power === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[power]}`;
}
