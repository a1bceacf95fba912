import type { ComposeProject } from '../config/loaded.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { composeLabel, projectLabel } from '../engine/labels.ts';

/** The label that says so: every later command keeps the networks. */
export function composeLabels(compose: ComposeProject | undefined): Record<string, string> {
  return compose === undefined ? {} : { [composeLabel]: JSON.stringify(compose) };
}

/** What a stack runs as, by the newest of its containers that has the label. */
export function composeProjectOf(
  containers: readonly Pick<ContainerSummary, 'labels' | 'createdAt'>[],
): ComposeProject | undefined {
  const [newest] = containers
    .filter(({ labels }) => labels[composeLabel] !== undefined)
    .toSorted((a, b) => b.createdAt - a.createdAt);
  return newest === undefined ? undefined : (JSON.parse(newest.labels[composeLabel] ?? '') as ComposeProject);
}

/**
 * The names of networks of a compose project: all that compose has created for it, or those that are named as in its file or
 * on the engine.
 */
export async function projectNetworks(
  engine: Engine,
  project: string,
  named: readonly string[] = [],
): Promise<readonly string[]> {
  const networks = await engine.listNetworks({ [projectLabel]: project });
  if (named.length === 0) return networks.map(({ name }) => name).sort();
  const ofFile = (key: string) => networks.find(({ labels }) => labels['com.docker.compose.network'] === key)?.name;
  return [...new Set(named.map((key) => ofFile(key) ?? key))].sort();
}
