import type { RenderedFile } from '../model.ts';
import { isNative, type Native } from '../values/native.ts';
import { parseYaml } from '../values/parse.ts';

/** The file that holds Alertmanager's routes and receivers. */
export const mainFile = 'alertmanager.yml';

/** What alertmanager.yml holds; undefined when it is not among the files, nothing when it cannot be read. */
export function readMainFile(files: readonly RenderedFile[]): Native | undefined {
  const file = files.find(({ path }) => path === mainFile);
  if (file === undefined) return undefined;
  const config = parseYaml(file.content);
  return isNative(config) ? config : {};
}

/** A receiver of an alertmanager.yml and the ways it tells somebody. */
export interface ReceiverIntegrations {
  readonly name: string;
  /** Kinds of integrations in Alertmanager's words, such as `webhook`, once for each; none for a receiver that tells nobody. */
  readonly integrations: readonly string[];
}

/** The receivers of a parsed alertmanager.yml. */
export function receiversIn(config: unknown): readonly ReceiverIntegrations[] {
  const list = isNative(config) && Array.isArray(config['receivers']) ? config['receivers'] : [];
  return list.filter(isNative).map((receiver) => ({
    name: String(receiver['name'] ?? ''),
    integrations: Object.entries(receiver).flatMap(([key, value]) =>
      key.endsWith('_configs') && Array.isArray(value) ? value.map(() => key.slice(0, -'_configs'.length)) : [],
    ),
  }));
}
