import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import type { FileProblem } from '../service.ts';
import { isCollection, type Mapping, mappingsIn } from '../values/mapping.ts';
import { parseYaml } from '../values/parse.ts';
import { quoted } from '../values/words.ts';

type Check = (item: Mapping, path: KeyPath) => readonly Problem[];

/** The lists in Grafana's provisioning files, by folder, and what is wrong with an item. */
const checks: Readonly<Record<string, readonly [list: string, check: Check]>> = {
  datasources: ['datasources', datasourceProblems],
  dashboards: ['providers', providerProblems],
};

/** Mistakes in provisioning files of the user's own templates over which Grafana would not start. */
export function provisioningProblems(files: readonly RenderedFile[]): readonly FileProblem[] {
  return files.flatMap((file): readonly FileProblem[] => {
    const [, folder = ''] = /^provisioning\/(\w+)\/[^/]+\.ya?ml$/.exec(file.path) ?? [];
    const [list, check] = checks[folder] ?? [];
    if (list === undefined || check === undefined || file.isShipped === true) return [];
    const content = parseYaml(file.content, { valid: true });
    const items = isCollection(content) ? mappingsIn((content as Mapping)[list], [list]) : [];
    return items.flatMap(({ value, path }) => check(value, path).map((problem) => ({ ...problem, file })));
  });
}

const flags = ['isDefault', 'basicAuth', 'withCredentials', 'editable'];
const texts = ['name', 'type', 'uid', 'url', 'access', 'user', 'database', 'basicAuthUser'];

function datasourceProblems(item: Mapping, path: KeyPath): readonly Problem[] {
  const missing = ['name', 'type'].find((key) => item[key] === undefined || item[key] === null || item[key] === '');
  if (missing !== undefined) {
    const hint = missing === 'type' ? 'add one, such as "type: prometheus"' : 'add one';
    return [{ code: 'missing-key', path, message: `the datasource has no ${missing}`, hint }];
  }
  const wrong = (key: string, what: string): Problem => ({
    code: 'wrong-type',
    path: [...path, key],
    message: `expected ${what}`,
    hint: 'Grafana loads no datasource at all while one is invalid',
  });
  return [
    ...flags.filter((key) => !isFlag(item[key])).map((key) => wrong(key, 'true or false')),
    ...texts.filter((key) => isCollection(item[key])).map((key) => wrong(key, 'a string')),
  ];
}

/** As Go reads it, after variables were replaced. */
function isFlag(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return true;
  return !isCollection(value) && /^(?:1|t|true|0|f|false)$|\$/i.test(String(value));
}

function providerProblems({ type, options }: Mapping, path: KeyPath): readonly Problem[] {
  if (type !== undefined && type !== null && type !== '' && type !== 'file') {
    const message = `Grafana has no provider of dashboards of the type ${quoted(String(type))}`;
    return [{ code: 'unknown-value', path: [...path, 'type'], message, hint: 'write "type: file", or remove it' }];
  }
  const { path: folder, folder: deprecated } = isCollection(options) ? (options as Mapping) : {};
  if (folder !== undefined || deprecated !== undefined) return [];
  const hint = 'add "options: {path: /etc/promstack/FOLDER}"';
  return [{ code: 'missing-key', path, message: 'the provider of dashboards has no options.path', hint }];
}
