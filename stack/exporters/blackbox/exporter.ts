import * as z from 'zod';
import type { KeyPath, Problem } from '../../diagnostic.ts';
import type { CheckFinding, RenderedFile } from '../../model.ts';
import { Secret } from '../../secret.ts';
import type { SecretFiles } from '../../secrets/secret-files.ts';
import { closest } from '../../values/closest.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { errorIn } from '../../values/exit-causes.ts';
import { isMapping, type Mapping } from '../../values/mapping.ts';
import { parseYaml } from '../../values/parse.ts';
import { native } from '../../values/schemas.ts';
import { expected, quoted } from '../../values/words.ts';
import { defineExporter, type FileMismatch, intervalOf } from '../exporter.ts';

const port = 9115;
const mainFile = 'blackbox.yml';

/** Where blackbox.yml has secrets: its HTTP prober takes what Prometheus's clients take. */
const secretFiles: SecretFiles = {
  fields: {
    'basic_auth.username': 'username_file',
    'basic_auth.password': 'password_file',
    'authorization.credentials': 'credentials_file',
    bearer_token: 'bearer_token_file',
    'oauth2.client_secret': 'client_secret_file',
    'tls_config.ca': 'ca_file',
    'tls_config.cert': 'cert_file',
    'tls_config.key': 'key_file',
  },
  visible: ['basic_auth.username', 'tls_config.ca', 'tls_config.cert'],
  inlineOnly: ['headers.*', 'proxy_connect_header.*'],
  paths: 'absolute',
};

/** Targets by module. */
type Targets = readonly (readonly [module: string, targets: readonly string[]])[];

const commonKeys: ReadonlySet<string> = new Set([
  'enabled',
  'image',
  'port',
  'scrape_interval',
  'extra_args',
  'resources',
  'modules',
]);

function targetsIn(own: object): Targets {
  return Object.entries(own).flatMap(
    ([module, targets]): Targets =>
      commonKeys.has(module) || !Array.isArray(targets) ? [] : [[module, targets.map(String)]],
  );
}

export const blackbox = defineExporter({
  kind: 'blackbox',
  title: 'blackbox_exporter',
  description: 'Probes of web sites and other servers: targets by module, such as http_2xx or tcp_connect',
  defaultImage: defaultImages.blackbox,
  debian: {
    package: 'prometheus-blackbox-exporter',
    program: 'usr/bin/prometheus-blackbox-exporter',
    entrypoint: 'bin/blackbox_exporter',
  },
  port,
  hasTemplates: true,
  readyPath: '/-/healthy',
  secretFiles,
  keys: {
    modules: z
      .record(z.string().min(1), native)
      .default({})
      .meta({ description: "Further modules, or others in place of the shipped ones, in blackbox_exporter's syntax" }),
  },
  otherKeys: z.unknown(),
  args: () => [`--config.file=${configDir}/${mainFile}`, `--web.listen-address=:${port}`],
  placeholders: ({ modules }) => ({ modules }),
  jobs: (instances) => {
    const [first] = instances;
    if (first === undefined) return [];
    return [probesJob(targetsIn(first.own), first.address, intervalOf(instances)), ownJob(first.address)].filter(
      (job) => job !== undefined,
    );
  },
  problems: (own, path) => [
    ...targetsIn(own).flatMap(([module, targets]) =>
      targets.flatMap((target, at) => targetProblems(module, target, [...path, module, at])),
    ),
    ...Object.entries(own).flatMap(([module, targets]): readonly Problem[] => {
      if (commonKeys.has(module) || Array.isArray(targets)) return [];
      const near = closest(module, commonKeys);
      const hint =
        near === undefined
          ? `write a list, such as "${module}: [${typeof targets === 'string' ? targets : 'shop.example'}]"`
          : `did you mean "${near}"?`;
      return [{ code: 'wrong-type', path: [...path, module], message: expected('a list of targets', targets), hint }];
    }),
    ...noTargets(own, path),
  ],
  fileProblems: (own, path, files) => unknownModules(targetsIn(own), path, files),
  checks: () => [
    {
      title: mainFile,
      tool: 'blackbox_exporter',
      argv: ['blackbox_exporter', '--config.check', `--config.file=CONFIG/${mainFile}`],
      explain: explainCheck,
    },
  ],
});

/** The exporter probes what the parameter `target` says; the label `instance` has it too. */
function probesJob(targets: Targets, address: string, more: Mapping): Mapping | undefined {
  if (targets.every(([, list]) => list.length === 0)) return undefined;
  return {
    job_name: 'blackbox',
    ...more,
    metrics_path: '/probe',
    static_configs: targets.map(([module, list]) => ({ targets: list, labels: { module } })),
    relabel_configs: [
      { source_labels: ['module'], target_label: '__param_module' },
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: address },
    ],
  };
}

/** The exporter's own metrics. */
const ownJob = (address: string): Mapping => ({
  job_name: 'blackbox_exporter',
  static_configs: [{ targets: [address] }],
});

function noTargets(own: object, path: KeyPath): readonly Problem[] {
  if (targetsIn(own).some(([, targets]) => targets.length > 0)) return [];
  return [
    {
      code: 'no-targets',
      severity: 'warning',
      path,
      atKey: true,
      message: 'blackbox_exporter has no targets, so it probes nothing',
      hint: 'add a list of targets by module, such as "http_2xx: [https://shop.example]"',
    },
  ];
}

function targetProblems(module: string, target: string, path: KeyPath): readonly Problem[] {
  const isHttp = /^http/.test(module);
  if (/^[a-z]+:\/\/[^/?#]*:[^/?#]*@/i.test(target)) {
    const hint = `put it into a module: exporters.blackbox.modules.NAME.http.basic_auth, with "password: !env NAME"`;
    return [
      {
        code: 'password-in-target',
        path,
        message: 'the target has a password, which every label of its series would show',
        hint,
      },
    ];
  }
  if (isHttp && !/^https?:\/\/[^/\s]/i.test(target)) {
    const hint = `did you mean "https://${target.replace(/^\w*:?\/\//, '')}"?`;
    return [
      { code: 'wrong-target', path, message: `the module ${quoted(module)} needs a URL, got ${quoted(target)}`, hint },
    ];
  }
  if (!isHttp && /^(?:tcp|icmp|ssh|pop3s|irc)/.test(module) && target.includes('://')) {
    const hint = module.startsWith('icmp') ? 'write a host name or an address' : 'write HOST:PORT, such as "db:5432"';
    return [
      { code: 'wrong-target', path, message: `the module ${quoted(module)} needs no URL, got ${quoted(target)}`, hint },
    ];
  }
  return [];
}

/** Modules that the rendered blackbox.yml does not have, which may be one of the user's. */
function unknownModules(targets: Targets, path: KeyPath, files: readonly RenderedFile[]): readonly FileMismatch[] {
  const file = files.find((candidate) => candidate.path === mainFile);
  const text = file?.content instanceof Secret ? file.content.reveal() : file?.content;
  const config = text === undefined ? undefined : parseYaml(text, { valid: true });
  if (file === undefined || !isMapping(config) || !isMapping(config['modules'])) return [];
  const modules = Object.keys(config['modules']);
  return targets
    .filter(([module]) => !modules.includes(module))
    .map(([module]) => {
      const near = closest(module, [...modules, ...commonKeys]);
      const hint = `the modules are ${modules.join(', ')}; define further ones under exporters.blackbox.modules`;
      return {
        file,
        key: [...path, module],
        atKey: true,
        code: 'unknown-module',
        message: `there is no module ${quoted(module)} in ${mainFile}`,
        hint: near === undefined ? hint : `did you mean "${near}"?`,
      };
    });
}

/** Its log line about a config that it does not load: `error parsing config file: yaml: unmarshal errors: line 4: …`. */
function explainCheck(output: string): readonly CheckFinding[] {
  const error = output
    .split('\n')
    .map(errorIn)
    .find((text) => text !== undefined);
  const message = (error ?? output.trim())
    .replace(/^error parsing config file: (?:yaml: (?:unmarshal errors:)?)?/, '')
    .trim();
  const [, line, rest] = /^line (\d+): (.*)$/s.exec(message) ?? [];
  if (line === undefined) return [{ path: mainFile, message }];
  return [{ path: mainFile, line: Number(line), message: (rest ?? '').replaceAll(/ in type \S+/g, '') }];
}
