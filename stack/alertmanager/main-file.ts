import type { RenderedFile } from '../model.ts';
import { isNative, type Native } from '../values/native.ts';
import { parseYaml } from '../values/parse-yaml.ts';

/** The file that holds Alertmanager's routes and receivers. */
export const mainFile = 'alertmanager.yml';

/** What alertmanager.yml holds; undefined when it is not among the files, nothing when it cannot be read. */
export function readMainFile(files: readonly RenderedFile[]): Native | undefined {
  const file = files.find(({ path }) => path === mainFile);
  if (file === undefined) return undefined;
  const config = parseYaml(file.content);
  return isNative(config) ? config : {};
}
