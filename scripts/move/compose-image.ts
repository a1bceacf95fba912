import type { Node } from 'yaml';
import type { ComposeService } from './compose-project.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, placedAs, placeOf, stringNode } from './yaml-tree.ts';

/** The repository of an image, without its registry and its tag: `prom/prometheus`. */
export function repositoryOf(image: string): string {
  const path = image.replace(/@sha256:.*$/, '').replace(/:[\w.-]+$/, '');
  const [first = '', ...rest] = path.split('/');
  const isRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const own = isRegistry ? rest.join('/') : path;
  return own.replace(/^library\//, '').replace(/^prometheus\//, 'prom/');
}

/** The image of a service for stack.yml; undefined when it names no version, for the default of promstack. */
export function imageNode(
  service: ComposeService,
  draft: StackDraft,
  section: string,
  preset: string,
): Node | undefined {
  const node = childOf(service.node, 'image');
  const what = `services.${service.name}.image`;
  const [, version] = /(?::([\w.-]+)|@sha256:[0-9a-f]{64})$/.exec(service.image.replace(/^[^/]*:\d+\//, '')) ?? [];
  const isPinned =
    service.image.includes('@sha256:') || (version !== undefined && !/^(?:latest|main|master)$/.test(version));
  if (!isPinned) {
    draft.findings.changed(
      what,
      placeOf(node),
      `${section}.image`,
      `${service.image} names no version, so it is ${preset}`,
    );
    return undefined;
  }
  draft.findings.taken(what, placeOf(node), `${section}.image`);
  return placedAs(stringNode(service.image), node);
}
