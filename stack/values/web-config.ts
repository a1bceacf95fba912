import type { RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import type { FileProblem } from '../service.ts';
import { configDir, flagIn } from './container.ts';
import { isMapping } from './mapping.ts';
import { parseYaml } from './parse.ts';

/** Keys of a web config that promstack's own requests, and those between the services of a stack, do not get past. */
const locks: Readonly<Record<string, string>> = {
  basic_auth_users: 'asks for a login',
  tls_server_config: 'uses TLS',
};

/** Problems of the file that a server gets by `--web.config.file`, if it is one of its rendered files. */
export function webConfigProblems(args: readonly string[], files: readonly RenderedFile[]): readonly FileProblem[] {
  const path = flagIn(args, 'web.config.file');
  const file = files.find((candidate) => `${configDir}/${candidate.path}` === path);
  const content = file === undefined ? undefined : parseYaml(contentOf(file), {});
  if (file === undefined || !isMapping(content)) return [];
  return Object.entries(locks).flatMap(([key, effect]): readonly FileProblem[] => {
    const value = content[key];
    if (!isMapping(value) || Object.keys(value).length === 0) return [];
    return [
      {
        file,
        code: 'web-config',
        path: [key],
        atKey: true,
        message: `a server that ${effect} cannot be used: promstack and the other services of the stack would be refused`,
        hint: 'remove it, and let a reverse proxy in front of the server do this',
      },
    ];
  });
}
