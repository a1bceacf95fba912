import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import * as z from 'zod';
import { andList } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import { findNewer, imagePath, type NewerVersions, readTarget, type UpgradeTarget } from '../../move/upgrade/newer.ts';
import {
  editImages,
  endInterrupted,
  findShellImage,
  refuseRemovedFlags,
  requireUnchanged,
  validateAfter,
} from '../../move/upgrade/prepare.ts';
import { check, upgrade } from '../../move/upgrade/upgrade.ts';
import { withValue } from '../../render/render.ts';
import type { Rendering } from '../../render/rendering.ts';
import { findContainers } from '../../state/find-stack.ts';
import { lockFilePath, readLockFile, writeLockFile } from '../../state/lock-file.ts';
import { filePaths } from '../../state/origin.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { changedSchema, toJsonChanged } from '../json/change.ts';
import { printChanged } from '../print/change.ts';
import { table } from '../print/table.ts';
import { readDuration, readWait, waitOption } from './arguments.ts';
import { pathFor, toFile } from './backup.ts';
import { defineCommand } from './command.ts';
import { pinsOf } from './images-lock.ts';
import { renderAndConnect, renderOrThrow } from './stages.ts';
import { printStage } from './verify.ts';

const noteSchema = () => z.strictObject({ since: z.string().describe('version'), text: z.string() });

export const command = defineCommand({
  details:
    'Without --to, lists the newer versions that promstack knows, and what changes with them. With --to, takes a backup, ' +
    'validates the files with the new image, changes the image in stack.yml, and replaces the server. Then the pipeline must work ' +
    'as `verify` says, and all samples, silences and groups must still be there: else the image and the data of before return. An ' +
    'upgrade that was killed is ended by the next one.',
  examples: [
    { line: 'upgrade', what: 'list newer versions' },
    { line: 'upgrade --to prometheus', what: 'to the newest version of the same major version' },
    { line: 'upgrade --to prometheus=v3.14.0 alertmanager=v0.34.0', what: 'two services at once' },
  ],
  syntax: (blank) =>
    blank
      .option('--to <service=tag...>', 'services to upgrade; without a tag, to the newest of the same major version')
      .option('--backup <target>', 'file or folder of the backup (default: backups/ beside stack.yml)')
      .option('--no-backup', 'take no backup first')
      .option('--no-verify', 'do not test the pipeline before and after')
      .option('--deadline <duration>', 'go back when the new images are not verified by then', '5m')
      .option('--yes', 'after an interrupted upgrade: go back although the servers run')
      .option(...waitOption),
  json: () =>
    changedSchema()
      .partial()
      .extend({
        services: z.array(
          z.strictObject({
            service: z.string(),
            image: z.string().describe('of stack.yml, or the default'),
            version: z.string().optional().describe('that runs'),
            patch: z.string().optional().describe('newest of the same minor version'),
            minor: z.string().optional().describe('newest of the same major version'),
            major: z.string().optional().describe('newest of all'),
            notes: z.array(noteSchema()).describe('what changes up to the newest'),
          }),
        ),
        upgraded: z.array(
          z.strictObject({ service: z.string(), from: z.string(), to: z.string(), notes: z.array(noteSchema()) }),
        ),
        backup: z.string().optional().describe('file'),
        interrupted: z.string().optional().describe('what became of an earlier upgrade that was killed'),
      }),
  run: async (context, { to, backup, verify, deadline, wait, yes = false }) => {
    const waitMs = readWait(wait);
    const deadlineMs = readDuration('--deadline', deadline);
    const { report, stdout } = context;
    const connected = await renderAndConnect(context, { needsSecrets: to !== undefined });
    await using engine = connected.engine;
    let { rendering: before } = connected;
    const stack = before.config.name;
    const containers = await findContainers(engine, stack);
    const image = await findShellImage(engine, before, containers);
    const { env, clock, signal } = context;
    const run = { engine, env, report, clock, signal, waitMs };
    const withImages = (images: readonly { readonly service: string; readonly image: string }[]) =>
      renderWithImages(context, before, images);
    const interrupted = await endInterrupted({
      ...{ ...run, rendering: before, image, yes, withImages },
      editBack: ({ targets }) => editImages(withPaths(targets, before), before, context.cwd),
    });
    if (interrupted !== undefined) {
      report({ kind: 'note', isResult: true, text: interrupted });
      before = await renderOrThrow(context, { connecting: Promise.resolve(engine) });
    }
    const running = await findContainers(engine, stack);
    const imageOf = (service: string): string | undefined => running.get(service)?.image;
    const newer = findNewer(before, imageOf);
    const services = newer.map(({ notes, ...service }) => ({ ...service, notes: [...notes] }));
    if (to === undefined) {
      context.result({ services, upgraded: [], interrupted });
      stdout.write(printNewer(newer, stdout));
      return exitCodes.fine;
    }
    const targets = to.map((text) => readTarget(text, before, newer, imageOf));
    const names = targets.map(({ service }) => service.name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new InputError([misuse(`--to names ${twice} twice`, 'name it once')]);
    // Everything that can be refused is, before anything is touched.
    refuseRemovedFlags(targets, before);
    const edit = await editImages(targets, before, context.cwd);
    const after = await withImages(targets.map(({ service, to: next }) => ({ service: service.name, image: next })));
    for (const target of targets) requireImage(after, target);
    await requireUnchanged(engine, before);
    await validateAfter(run, after, targets);
    for (const { service, notes } of targets) {
      for (const { since, text } of notes) report({ kind: 'note', text: `${service.title} ${since}: ${text}` });
    }
    const onStage = (stage: Parameters<typeof printStage>[0]): void => {
      stdout.write(printStage(stage, stdout.colours));
    };
    const restoreStack = edit.undo;
    const options = {
      ...run,
      targets,
      before,
      after,
      image,
      deadlineMs,
      verifies: verify,
      onStage,
      writeStack: edit.apply,
      restoreStack,
    };
    await check({ ...options, backup: undefined }, before, signal);
    const file = backup === false ? undefined : await takeBackup(context, engine, before, { target: backup, waitMs });
    const changed = await upgrade({ ...options, backup: file });
    await relock(context, engine, after);
    const upgraded = targets.map(({ service, from, to: next, notes }) => ({
      service: service.name,
      from,
      to: next,
      notes: [...notes],
    }));
    context.result({ ...toJsonChanged(changed), services, upgraded, interrupted, backup: file });
    stdout.write(printChanged(changed));
    const texts = upgraded.map(({ service, to: next }) => `${service} to ${next}`);
    report({
      kind: 'note',
      isResult: true,
      text: `upgraded ${andList(texts, '')}, in ${andList(
        edit.files.map((path) => displayPath(path, context.cwd)),
        '',
      )}`,
    });
    return exitCodes.fine;
  },
});

/** The stack with other images, as if stack.yml had them. */
async function renderWithImages(
  context: Context<never>,
  { services }: Rendering,
  images: readonly { readonly service: string; readonly image: string }[],
): Promise<Rendering> {
  const overrides = images.reduce<Record<string, unknown>>((keys, { service: name, image }) => {
    const service = services.find((rendered) => rendered.service.name === name)?.service;
    return service === undefined ? keys : withValue(keys, imagePath(service), image);
  }, {});
  return renderOrThrow({ ...context, report: () => undefined }, { overrides });
}

function withPaths(
  targets: readonly { readonly service: string; readonly from: string; readonly to: string }[],
  { services }: Rendering,
): readonly Pick<UpgradeTarget, 'path' | 'from' | 'to'>[] {
  return targets.flatMap(({ service: name, from, to }) => {
    const service = services.find((rendered) => rendered.service.name === name)?.service;
    // It goes back.
    return service === undefined ? [] : [{ path: imagePath(service), from: to, to: from }];
  });
}

/** Throws an InputError for a service whose image is not set by its own key. */
function requireImage({ services }: Rendering, { service, to }: UpgradeTarget): void {
  if (services.find((rendered) => rendered.service.name === service.name)?.container.image === to) return;
  const hint = 'set its image in stack.yml, and run `promstack up`';
  throw new InputError([misuse(`--to ${service.name}: its image is not set by a key of its own`, hint)]);
}

async function takeBackup(
  context: Context<never>,
  engine: Engine,
  { config, origin }: Rendering,
  { target, waitMs }: { readonly target: string | true | undefined; readonly waitMs: number | undefined },
): Promise<string | undefined> {
  const [first = ''] = origin === undefined ? [] : filePaths(origin);
  const given = typeof target === 'string' ? target : `${join(dirname(first), 'backups')}/`;
  if (given === '-') throw new InputError([misuse('the backup of an upgrade is a file', 'name a file or a folder')]);
  const path = await pathFor(context, given, config.name, undefined);
  if (path === undefined) return undefined;
  const { backUp } = await import('../../move/backup/backup.ts');
  const { env, report, clock, signal } = context;
  const run = { engine, config, env, report, clock, signal, waitMs };
  const file = { path, target: new PassThrough(), stack: config.name, env };
  await toFile(file, (stream, onStart) => backUp({ ...run, target: stream, onStart }));
  report({ kind: 'note', isResult: true, text: `the backup of before is ${displayPath(path, context.cwd)}` });
  return path;
}

/** Rewrites stack.lock, if there is one. */
async function relock(context: Context<never>, engine: Engine, after: Rendering): Promise<void> {
  if (after.origin === undefined) return;
  const path = lockFilePath(after.origin);
  if ((await readLockFile(path, context.cwd)) === undefined) return;
  await writeLockFile(path, await pinsOf(engine, after));
  context.report({ kind: 'note', isResult: true, text: `wrote ${displayPath(path, context.cwd)}` });
}

function printNewer(newer: readonly NewerVersions[], { colours, columns }: Context['stdout']): string {
  const rows = newer.map(({ service, version, patch, minor, major }) => [
    service,
    version ?? 'unknown',
    patch ?? '',
    minor ?? '',
    major ?? '',
  ]);
  const heading = ['SERVICE', 'RUNS', 'NEWEST PATCH', 'NEWEST MINOR', 'NEWEST MAJOR'].map(colours.dim);
  const list = table([heading, ...rows], { columns: columns() || undefined });
  const notes = newer.flatMap(({ service, notes: own }) =>
    own.map(({ since, text }) => `${service} ${since}: ${text}\n`),
  );
  const next = newer.flatMap(({ service, patch, minor }) =>
    patch === undefined && minor === undefined ? [] : [service],
  );
  const hint = next.length === 0 ? '' : `\npromstack upgrade --to ${next.join(' ')}\n`;
  return `${list}${notes.length === 0 ? '' : `\n${notes.join('')}`}${hint}`;
}
