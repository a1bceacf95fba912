import type { RenderedFile } from '../model.ts';
import { isMapping, type Mapping, mappingsIn } from '../values/mapping.ts';
import { parseYaml } from '../values/parse.ts';

/** The file of Alertmanager's routes and receivers. */
export const mainFile = 'alertmanager.yml';

/** The parsed alertmanager.yml; undefined when there is none, empty when it is not valid YAML. */
export function readMainFile(files: readonly RenderedFile[]): Mapping | undefined {
  const file = files.find(({ path }) => path === mainFile);
  if (file === undefined) return undefined;
  const config = parseYaml(file.content);
  return isMapping(config) ? config : {};
}

export interface ReceiverIntegrations {
  readonly name: string;
  /** The kind of each integration, such as `webhook`; none for a receiver that notifies nobody. */
  readonly integrations: readonly string[];
}

/** The receivers of a parsed alertmanager.yml. */
export function receiversIn(config: unknown): readonly ReceiverIntegrations[] {
  return mappingsIn(isMapping(config) ? config['receivers'] : undefined, []).map(({ value: receiver }) => ({
    name: String(receiver['name'] ?? ''),
    integrations: Object.entries(receiver).flatMap(([key, value]) =>
      key.endsWith('_configs') && Array.isArray(value) ? value.map(() => key.slice(0, -'_configs'.length)) : [],
    ),
  }));
}
