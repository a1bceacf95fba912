import type { RenderedFile } from '../model.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { parseYaml } from './parse.ts';

/** The parsed main config file of a service, if a template of the user's replaces promstack's. */
export function replacedFile(
  files: readonly RenderedFile[],
  path: string,
): { readonly file: RenderedFile; readonly config: Mapping } | undefined {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined || file.isShipped === true) return undefined;
  const config = parseYaml(file.content, { valid: true });
  // promtool and amtool report what is not a mapping.
  return isMapping(config) ? { file, config } : undefined;
}
