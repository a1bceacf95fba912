import * as z from 'zod';
import type { KeyPath, Problem } from '../../diagnostic.ts';
import type { SecretFiles } from '../../secrets/secret-files.ts';
import { hasPort, isHttpUrl } from '../../values/addresses.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { loginIn } from '../../values/logins.ts';
import { native } from '../../values/schemas.ts';
import { quoted } from '../../values/words.ts';
import { defineExporter, settingsOf } from '../exporter.ts';
import { explainConfigCheck, moduleJobs, moduleSettings, targetsByModule } from '../targets-by-module.ts';

const port = 9115;
const mainFile = 'blackbox.yml';

/** Where blackbox.yml has secrets: its HTTP prober takes what Prometheus's clients take. */
export const secretFiles: SecretFiles = {
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

const { targetsIn, problemsOf, unknownModules } = targetsByModule({
  title: 'blackbox_exporter',
  keys: ['modules'],
  example: 'http_2xx: [https://shop.example]',
  further: '; define further ones under exporters.blackbox.modules',
});

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
  hasWebConfig: true,
  hasTemplates: true,
  readyPath: '/-/healthy',
  secretFiles,
  keys: {
    modules: z
      .record(z.string().min(1), native)
      .default({})
      .meta({ description: "Further modules, or others in place of the shipped ones, in blackbox_exporter's syntax" }),
  },
  otherKeys: z
    .unknown()
    .meta({ title: 'list of strings', description: 'Targets of a module, such as http_2xx: [https://shop.example]' }),
  args: () => [`--config.file=${configDir}/${mainFile}`, `--web.listen-address=:${port}`],
  placeholders: ({ modules }) => ({ modules }),
  reservedSettings: moduleSettings('/probe', 'blackbox_exporter'),
  jobs: (instances) => {
    const [first] = instances;
    if (first === undefined) return [];
    const { own, address } = first;
    return moduleJobs({
      kind: 'blackbox',
      path: '/probe',
      targets: targetsIn(own),
      address,
      more: settingsOf(instances),
    });
  },
  problems: (own, path) => problemsOf(own, path, targetProblems),
  fileProblems: (own, path, files) => {
    const file = files.find((candidate) => candidate.path === mainFile);
    return file === undefined ? [] : unknownModules(own, path, file);
  },
  checks: () => [
    {
      title: mainFile,
      tool: 'blackbox_exporter',
      argv: ['blackbox_exporter', '--config.check', `--config.file=CONFIG/${mainFile}`],
      explain: (output) => explainConfigCheck(output, mainFile),
    },
  ],
});

function targetProblems(module: string, target: string, path: KeyPath): readonly Problem[] {
  const isHttp = /^http/.test(module);
  if (loginIn(target) !== undefined) {
    const hint = `put it into a module: exporters.blackbox.modules.NAME.http.basic_auth, with "password: !env NAME"`;
    return [
      {
        code: 'password-in-target',
        path,
        message: 'the target has a login, which every label of its series would show',
        hint,
      },
    ];
  }
  if (isHttp && !isHttpUrl(target)) {
    const url = `https://${target.replace(/^(?:\w*:)?\/+/, '')}`;
    const hint = isHttpUrl(url) ? `did you mean ${quoted(url)}?` : 'write it as https://shop.example';
    return [
      { code: 'wrong-target', path, message: `the module ${quoted(module)} needs a URL, got ${quoted(target)}`, hint },
    ];
  }
  if (/^(?:tcp|tls_connect$|ssh|pop3s|irc)/.test(module) && !hasPort(target)) {
    const message = `the module ${quoted(module)} needs a host and a port, got ${quoted(target)}`;
    return [{ code: 'wrong-target', path, message, hint: 'write HOST:PORT, such as "db:5432"' }];
  }
  if (module.startsWith('icmp') && /:\/\/|\s/.test(target)) {
    const message = `the module ${quoted(module)} needs a host, got ${quoted(target)}`;
    return [{ code: 'wrong-target', path, message, hint: 'write a host name or an address' }];
  }
  return [];
}
