import { join, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ComposeExport } from '../../move/export-compose.ts';
import type { KubernetesExport } from '../../move/kubernetes/export-kubernetes.ts';
import type { Rendering } from '../../render/rendering.ts';
import { displayPath } from '../../util/display-path.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';
import { renderOrThrow, renderToLook } from './stages.ts';

const compose = defineCommand({
  details:
    'Writes a folder that starts the same containers with plain docker compose: compose.yaml, the config files, and a ' +
    'README that lists what must exist, such as secrets. Files with secrets are not written without --with-secrets. ' +
    'Replaces only files of an earlier export that nobody has changed. Without an engine, the images that stack.yml ' +
    'names are used, else those that the engine has.',
  examples: [
    { line: 'export compose --out compose', what: 'write the folder compose, without secrets' },
    { line: 'export compose --out compose --with-secrets', what: 'ready for `docker compose up -d --wait`' },
  ],
  syntax: (blank) =>
    blank
      .requiredOption('--out <folder>', 'folder to write to')
      .option('--with-secrets', 'also write the files with secrets, readable for you and the containers'),
  json: () =>
    z.strictObject({
      folder: z.string(),
      files: z.array(z.string()).describe('paths in the folder that were written'),
      removedFiles: z.array(z.string()).describe('paths in the folder of earlier exports'),
      secrets: z
        .array(z.strictObject({ path: z.string(), values: z.array(z.string()), isWritten: z.boolean() }))
        .describe('files with secrets, which must exist'),
      images: z.array(
        z.strictObject({
          service: z.string(),
          image: z.string(),
          isLocal: z.boolean().describe('whether it was built from packages, so that no registry has it'),
        }),
      ),
      withoutHealthCheck: z.array(z.string()).describe('services whose image is not known to have wget'),
      networks: z.array(z.string()).describe('networks that must exist'),
    }),
  run: async (context, { out, withSecrets = false }) => {
    const { exportCompose } = await import('../../move/export-compose.ts');
    const { writeFolder } = await import('../../move/write-folder.ts');
    const { rendering, engine: connected } = await renderForExport(context, withSecrets);
    await using engine = connected;
    const exported = await exportCompose(rendering, engine, { withSecrets });
    const folder = resolve(context.cwd, out);
    const removed = await writeFolder(folder, exported.files);
    context.result({ folder, ...toJson(exported, withSecrets), removedFiles: [...removed] });
    print(context, folder, toJson(exported, withSecrets), removed);
    return exitCodes.fine;
  },
});

const kubernetes = defineCommand({
  details:
    'Writes a folder of Kubernetes manifests with a kustomization.yaml, by default with the objects of prometheus-operator: ' +
    'Prometheus, Alertmanager, a PrometheusRule for each rule file, a ScrapeConfig for each job. With --plain, a cluster needs no ' +
    'operator. README.md lists how to apply them, the secrets that must exist, and what is left out, changed and taken. Files ' +
    'with secrets are not written without --with-secrets. Replaces only files of an earlier export that nobody has changed.',
  examples: [
    { line: 'export kubernetes --out k8s', what: 'write the folder k8s for prometheus-operator, without secrets' },
    {
      line: 'export kubernetes --out k8s --plain --with-secrets',
      what: 'for a cluster without operators, with Secrets',
    },
  ],
  syntax: (blank) =>
    blank
      .requiredOption('--out <folder>', 'folder to write to')
      .addOption(new Option('--operator', 'with the objects of prometheus-operator (default)').conflicts('plain'))
      .option('--plain', 'without an operator: StatefulSets and ConfigMaps')
      .option('--with-secrets', 'also write the secrets, as manifests in secrets/'),
  json: () =>
    z.strictObject({
      folder: z.string(),
      namespace: z.string(),
      files: z.array(z.string()).describe('paths in the folder that were written'),
      removedFiles: z.array(z.string()).describe('paths in the folder of earlier exports'),
      objects: z.array(z.strictObject({ kind: z.string(), name: z.string() })),
      secrets: z
        .array(z.strictObject({ name: z.string(), keys: z.array(z.string()), isWritten: z.boolean() }))
        .describe('Secrets with secrets of the stack, which must exist'),
      findings: z.array(
        z.strictObject({
          fate: z.enum(['taken', 'changed', 'left']),
          what: z.string(),
          into: z.string().optional(),
          why: z.string().optional(),
        }),
      ),
      localImages: z.array(z.string()).describe('images that were built from packages, so that no registry has them'),
    }),
  run: async (context, { out, plain = false, withSecrets = false }) => {
    const { exportKubernetes } = await import('../../move/kubernetes/export-kubernetes.ts');
    const { writeFolder } = await import('../../move/write-folder.ts');
    const { rendering, engine: connected } = await renderForExport(context, withSecrets);
    await using engine = connected;
    const exported = await exportKubernetes(rendering, engine, { withSecrets, isPlain: plain });
    const folder = resolve(context.cwd, out);
    const removedFiles = await writeFolder(folder, exported.files);
    const result = { folder, ...toKubernetesJson(exported, withSecrets), removedFiles: [...removedFiles] };
    context.result(result);
    printKubernetes(context, result);
    return exitCodes.fine;
  },
});

export const command = defineCommand({
  details: 'The containers and config files of a stack run without promstack, too.',
  subcommands: [
    { name: 'compose', summary: 'write a folder for plain docker compose', command: compose },
    { name: 'kubernetes', summary: 'write a folder of Kubernetes manifests', command: kubernetes },
  ],
});

/** The stack to export; with an engine where there is one, and always for secrets that promstack has generated, which it has. */
async function renderForExport(
  context: Context,
  withSecrets: boolean,
): Promise<{ readonly rendering: Rendering; readonly engine: Engine | undefined }> {
  const connecting = connectEngine(context);
  connecting.catch(() => undefined);
  const rendering = await (withSecrets
    ? renderOrThrow(context, { connecting })
    : renderToLook(context, connecting, { compare: false }));
  const needsEngine = withSecrets && rendering.services.some(({ service }) => service.generatedSecrets !== undefined);
  return { rendering, engine: needsEngine ? await connecting : await orNone(connecting) };
}

async function orNone(connecting: Promise<Engine>): Promise<Engine | undefined> {
  try {
    return await connecting;
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}

function toJson({ files, services }: ComposeExport, withSecrets: boolean) {
  return {
    files: files.map(({ path }) => path),
    secrets: services.flatMap(({ secrets }) =>
      secrets.map(({ path, values }) => ({ path, values, isWritten: withSecrets })),
    ),
    images: services.map(({ service: { name }, spec: { image }, isLocalImage }) => {
      return { service: name, image, isLocal: isLocalImage };
    }),
    withoutHealthCheck: services.filter(({ hasWget }) => !hasWget).map(({ service: { name } }) => name),
    networks: [...new Set(services.flatMap(({ spec }) => spec.networks ?? []))],
  };
}

function print(
  { cwd, report }: Pick<Context, 'cwd' | 'report'>,
  folder: string,
  { files, secrets, images, networks, withoutHealthCheck }: ReturnType<typeof toJson>,
  removed: readonly string[],
): void {
  const shownFolder = displayPath(folder, cwd);
  const note = (text: string): void => report({ kind: 'note', isResult: true, text });
  note(`wrote ${counted(files.length, 'file')} below ${shownFolder}`);
  for (const path of removed) note(`removed ${join(shownFolder, path)}, which is no longer part of the stack`);
  const missing = secrets.filter(({ isWritten }) => !isWritten);
  if (missing.length > 0) {
    const list = missing.map(({ path, values }) => `\n  ${join(shownFolder, path)}: ${values.join(', ')}`).join('');
    note(`secrets that you must add, or write with --with-secrets:${list}`);
  }
  const local = [...new Set(images.filter(({ isLocal }) => isLocal).map(({ image }) => image))];
  if (local.length > 0) note(`images that no registry has, built from packages: ${local.join(', ')}`);
  if (networks.length > 0) note(`networks that must exist: ${networks.join(', ')}`);
  if (withoutHealthCheck.length > 0) {
    note(`without a health check, since their images are not known to have wget: ${withoutHealthCheck.join(', ')}`);
  }
  note(`next: promstack down, and then docker compose -f ${join(shownFolder, 'compose.yaml')} up -d --wait`);
}

function toKubernetesJson(exported: KubernetesExport, withSecrets: boolean) {
  const { namespace, files, objects, neededSecrets, findings, images } = exported;
  return {
    namespace,
    files: files.map(({ path }) => path),
    objects: objects.map(({ kind, metadata: { name } }) => ({ kind, name })),
    secrets: neededSecrets.map(({ name, entries }) => {
      return { name, keys: entries.map(({ key }) => key), isWritten: withSecrets };
    }),
    findings: findings.map(({ fate, what, into, why }) => ({ fate, what, into, why })),
    localImages: [...new Set(images.flatMap(({ image, isLocal }) => (isLocal ? [image] : [])))],
  };
}

function printKubernetes(
  { cwd, report }: Pick<Context, 'cwd' | 'report'>,
  {
    folder,
    namespace,
    files,
    removedFiles,
    secrets,
    findings,
    localImages,
  }: ReturnType<typeof toKubernetesJson> & {
    readonly folder: string;
    readonly removedFiles: readonly string[];
  },
): void {
  const shownFolder = displayPath(folder, cwd);
  const note = (text: string): void => report({ kind: 'note', isResult: true, text });
  note(`wrote ${counted(files.length, 'file')} below ${shownFolder}, for the namespace ${namespace}`);
  for (const path of removedFiles) note(`removed ${join(shownFolder, path)}, which is no longer part of the stack`);
  const left = findings.filter(({ fate }) => fate === 'left');
  for (const { what, why } of left) note(`left out: ${what}: ${why}`);
  const missing = secrets.filter(({ isWritten }) => !isWritten);
  if (missing.length > 0) {
    const list = missing.map(({ name, keys }) => `\n  ${name}: ${keys.join(', ')}`).join('');
    note(`Secrets that you must create as README.md says, or write with --with-secrets:${list}`);
  }
  if (localImages.length > 0) note(`images that no registry has, built from packages: ${localImages.join(', ')}`);
  note(`next: read ${join(shownFolder, 'README.md')}, and then kubectl apply --server-side -k ${shownFolder}`);
}
