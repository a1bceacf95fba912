import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import type { FileProblem } from '../service.ts';
import { isDistroless } from './busybox.ts';
import { configDir, flagIn, inConfig, withoutFlag } from './container.ts';
import { errorIn } from './exit-causes.ts';
import { type ServerFlags, triedFlags } from './flag-check.ts';
import { parseGoMessage, withKeyHints } from './go-messages.ts';
import { isMapping } from './mapping.ts';
import { parseYaml } from './parse.ts';

/** Keys of a web config that promstack's own requests, and those between the services of a stack, do not get past. */
const locks: Readonly<Record<string, string>> = {
  basic_auth_users: 'asks for a login',
  tls_server_config: 'uses TLS',
};

const flag = 'web.config.file';

const knownKeys = [...Object.keys(locks), 'http_server_config', 'http2', 'headers', 'rate_limit', 'burst', 'interval'];

/** Seconds that a server runs that accepts its web config: it reads it once it listens. */
const trySeconds = 2;

/**
 * The web config that `extra_args` name, tried by promtool or, where the image has none, by the server itself: it listens in its
 * container only, and with the config in `CONFIG`.
 */
export function webConfigChecks(flags: ServerFlags, files: readonly RenderedFile[]): readonly CheckCommand[] {
  const { program, title, extra, image } = flags;
  const path = flagIn(extra, flag) ?? '';
  const hasPromtool = program === 'prometheus';
  if (path === '' || (isDistroless(image) && !hasPromtool)) return [];
  const inConfig = path.replace(configDir, 'CONFIG');
  const explain = (output: string): readonly CheckFinding[] => explainWebConfig(output, inConfig, flags, files);
  const common = { title: `the web config of ${title}`, explain };
  if (hasPromtool) return [{ ...common, tool: 'promtool', argv: ['promtool', 'check', 'web-config', inConfig] }];
  const tried = triedFlags(flags, { '--config.file': undefined, '--web.listen-address': '127.0.0.1:0' });
  const server = [
    program,
    ...[...tried, ...withoutFlag(extra, 'enable-feature')].map((argument) => argument.replace(configDir, 'CONFIG')),
  ];
  return [
    {
      ...common,
      tool: program,
      argv: ['timeout', String(trySeconds), ...server],
      passes: (output) => refusalIn(output) === undefined,
    },
  ];
}

/** Why a server that listens ends at once, or promtool's error. */
function refusalIn(output: string): string | undefined {
  const [, promtool] = /(?:FAILED|error): (.+?)(?:, try --help)?$/s.exec(output.trim()) ?? [];
  if (promtool !== undefined) return promtool;
  const [, listening = ''] = output.split(/^.*msg="?Listening on.*$/m);
  if (/msg="?TLS is/.test(listening)) return undefined;
  return errorIn(listening.split('\n').find((line) => /level=error/i.test(line)) ?? '');
}

function explainWebConfig(
  output: string,
  path: string,
  { service, extra, title }: ServerFlags,
  files: readonly RenderedFile[],
): readonly CheckFinding[] {
  const refusal = refusalIn(output) ?? 'it exits without a message';
  const at = extra.findLastIndex((argument) => argument.includes(path.replace('CONFIG', configDir)));
  const keyOfFlag = [service, 'extra_args', at];
  if (/no such file|does not exist|is a directory|permission denied|not a directory/.test(refusal)) {
    return [
      {
        key: keyOfFlag,
        message: `${title} cannot read the file: ${refusal.replaceAll('CONFIG', configDir)}`,
        hint:
          files.length === 0
            ? 'its container has only the files of its image: remove the flag'
            : `write "files: [web.yml]" under ${service}, and the file web.yml beside stack.yml is ${configDir}/web.yml in the container`,
      },
    ];
  }
  const file = path.replace('CONFIG/', '');
  // A file of the image has no line that the user can edit.
  const key = files.some((candidate) => candidate.path === file) ? undefined : keyOfFlag;
  const lines = refusal.replace(/^yaml: unmarshal errors:\s*/, '').split(/\s{2,}(?=line \d+: )|\n\s*/);
  const findings = lines.map((line) => {
    const [, about] = /(?:HTTP header "|invalid value for )([\w-]+)/.exec(line) ?? [];
    return { path: file, key, about, ...parseGoMessage(line) };
  });
  return withKeyHints(findings, knownKeys);
}

/** The file that a server gets by `--web.config.file`, relative to the config directory. */
export function webConfigPath(args: readonly string[]): string | undefined {
  const path = flagIn(args, flag);
  return path === undefined ? undefined : inConfig(path);
}

/** Problems of the file that a server gets by `--web.config.file`, if it is one of its rendered files. */
export function webConfigProblems(args: readonly string[], files: readonly RenderedFile[]): readonly FileProblem[] {
  const path = webConfigPath(args);
  const file = files.find((candidate) => candidate.path === path);
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
        hint: 'write it under "access" in stack.yml, which all of them follow',
      },
    ];
  });
}
