import { parse } from 'yaml';
import { exportKubernetes, type KubernetesExport } from '../../scripts/move/kubernetes/export-kubernetes.ts';
import type { KubernetesObject } from '../../scripts/move/kubernetes/kubernetes-draft.ts';
import { render } from '../../scripts/render/render.ts';
import type { Rendering } from '../../scripts/render/rendering.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { loadedFrom } from './loaded.ts';

// biome-ignore lint/suspicious/noExplicitAny: the objects of a cluster have a schema each, which `problemsOf` checks.
export type Json = any;

export const exportOf = (rendering: Rendering, isPlain: boolean, withSecrets = true) =>
  exportKubernetes(rendering, undefined, { withSecrets, isPlain });

export const forms = [
  ['with the operator', false],
  ['plain', true],
] as const;

export const isManifest = (path: string): boolean =>
  path.endsWith('.yaml') && !/^(?:kustomization\.yaml$|files\/|masked\/)/.test(path);

/** The objects in the files, as a cluster reads them. */
export const objectsIn = ({ files }: KubernetesExport): readonly KubernetesObject[] =>
  files.flatMap(({ path, content }) =>
    isManifest(path) ? [parse(content.toString('utf8'), { schema: 'yaml-1.1' }) as KubernetesObject] : [],
  );

export async function stackOf(text: string): Promise<Rendering> {
  const rendered = render(loadedFrom(text), await loadTemplates(undefined));
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return rendered.value;
}

/** The stack with further files of a service. */
export function withFiles(rendering: Rendering, service: string, paths: Readonly<Record<string, string>>): Rendering {
  const added = Object.entries(paths).map(
    ([path, content]): RenderedFile => ({ service, path, content, mode: 0o444, origin: path }),
  );
  const services = rendering.services.map((one) =>
    one.service.name === service ? { ...one, files: [...one.files, ...added] } : one,
  );
  return { ...rendering, services };
}

/** The content of a key of a ConfigMap or Secret. */
export function contentAt(objects: readonly KubernetesObject[], kind: string, name: string, key: string): Buffer {
  const object: Json = objects.find((one) => one.kind === kind && one.metadata.name === name);
  const text = object?.data?.[key];
  if (text !== undefined) return Buffer.from(text, kind === 'Secret' ? 'base64' : 'utf8');
  const binary = object?.binaryData?.[key];
  if (binary === undefined) throw new Error(`no key ${key} in ${kind} ${name}`);
  return Buffer.from(binary, 'base64');
}

/** The files in a projected volume. */
export function filesIn(objects: readonly KubernetesObject[], volume: Json): Map<string, Buffer> {
  return new Map(
    (volume?.projected.sources ?? []).flatMap(({ configMap, secret }: Json) => {
      const [kind, { name, items }] = configMap === undefined ? ['Secret', secret] : ['ConfigMap', configMap];
      return items.map(({ key, path }: Json) => [path, contentAt(objects, kind, name, key)]);
    }),
  );
}
