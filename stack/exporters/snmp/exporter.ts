import * as z from 'zod';
import type { KeyPath, Problem } from '../../diagnostic.ts';
import type { RenderedFile } from '../../model.ts';
import { isAddress } from '../../values/addresses.ts';
import { closest } from '../../values/closest.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { loginIn } from '../../values/logins.ts';
import { isMapping } from '../../values/mapping.ts';
import { quoted } from '../../values/words.ts';
import { defineExporter, type FileMismatch, settingsOf } from '../exporter.ts';
import { explainConfigCheck, moduleJobs, moduleSettings, namesIn, targetsByModule } from '../targets-by-module.ts';

const port = 9116;

const { targetsIn, problemsOf, unknownModules } = targetsByModule({
  title: 'snmp_exporter',
  keys: ['config', 'auth'],
  example: 'if_mib: [192.0.2.1]',
  further: '',
});

export const snmp = defineExporter({
  kind: 'snmp',
  title: 'snmp_exporter',
  description: 'Switches, routers and other devices that speak SNMP: targets by module, such as if_mib',
  defaultImage: defaultImages.snmp,
  debian: {
    package: 'prometheus-snmp-exporter',
    program: 'usr/bin/prometheus-snmp-exporter',
    entrypoint: 'bin/snmp_exporter',
  },
  port,
  hasWebConfig: true,
  keys: {
    config: z.string().min(1).optional().meta({
      description: 'Your snmp.yml: modules and auths. A path relative to stack.yml',
    }),
    auth: z
      .string()
      .min(1)
      .default('public_v2')
      .meta({ description: 'The auth of snmp.yml with the community or the user of the targets' }),
  },
  otherKeys: z
    .unknown()
    .meta({ title: 'list of strings', description: 'Targets of a module, such as if_mib: [192.0.2.1]' }),
  args: ({ config = '' }) => [`--config.file=${configDir}/${config}`, `--web.listen-address=:${port}`],
  userFiles: ({ config }) => (config === undefined ? [] : [{ key: 'config', path: config, isSecret: true }]),
  reservedSettings: { ...moduleSettings('/snmp', 'snmp_exporter'), 'params.auth': 'the key "auth" says which' },
  jobs: (instances) => {
    const [first] = instances;
    if (first === undefined) return [];
    const { own, address } = first;
    const settings = settingsOf(instances);
    const params = isMapping(settings['params']) ? settings['params'] : {};
    const more = { ...settings, params: { ...params, auth: [own.auth] } };
    return moduleJobs({ kind: 'snmp', path: '/snmp', targets: targetsIn(own), address, more });
  },
  problems: (own, path) => [...withoutConfig(own, path), ...problemsOf(own, path, targetProblems)],
  fileProblems: (own, path, files) => {
    const file = files.find((candidate) => candidate.path === own.config?.replace(/^\.\//, ''));
    return file === undefined ? [] : [...unknownModules(own, path, file), ...unknownAuth(own.auth, path, file)];
  },
  checks: ({ args }) => {
    const [flag = ''] = args;
    const path = flag.replace(`--config.file=${configDir}/`, '');
    return [
      {
        title: path,
        tool: 'snmp_exporter',
        argv: ['snmp_exporter', '--dry-run', `--config.file=CONFIG/${path}`],
        explain: (output) => explainConfigCheck(output, path),
      },
    ];
  },
});

function withoutConfig({ config, image }: { config?: string | undefined; image: string }, path: KeyPath) {
  if (config !== undefined) return [];
  const message =
    'snmp_exporter needs the key "config": your snmp.yml, which says what to read from each kind of device';
  const hint = `write "config: snmp.yml". The image has one for common devices: docker run --rm --entrypoint cat ${image} /etc/snmp_exporter/snmp.yml > snmp.yml; images of Debian's package have none: see docs/exporters.md`;
  return [{ code: 'missing-key', path, atKey: true, message, hint }];
}

function targetProblems(module: string, target: string, path: KeyPath): readonly Problem[] {
  if (loginIn(target) !== undefined) {
    const message = 'the target has a community or a login, which every label of its series would show';
    const hint = 'write only HOST or HOST:PORT; define an auth with it in your snmp.yml, and name that: "auth: NAME"';
    return [{ code: 'password-in-target', path, message, hint }];
  }
  const address = target.replace(/^(?:udp|tcp)6?:\/\//, '');
  if (isAddress(address) || isIpv6(address)) return [];
  const message = `the module ${quoted(module)} needs the address of a device, got ${quoted(target)}`;
  return [{ code: 'wrong-target', path, message, hint: 'write HOST or HOST:PORT, such as 192.0.2.1 or switch:161' }];
}

/** It takes an IPv6 address without a port without brackets too. */
const isIpv6 = (address: string): boolean => URL.canParse(`udp://[${address.replace(/%[\w.-]+$/, '')}]`);

function unknownAuth(auth: string, path: KeyPath, file: RenderedFile): readonly FileMismatch[] {
  const auths = namesIn(file, 'auths') ?? [];
  if (auths.includes(auth)) return [];
  const near = closest(auth, auths);
  const hint = near === undefined ? `the auths are ${auths.join(', ')}` : `did you mean "${near}"?`;
  const message = `there is no auth ${quoted(auth)} in ${file.path}`;
  return [
    {
      file,
      key: [...path, 'auth'],
      code: 'unknown-auth',
      message,
      hint: auths.length === 0 ? 'define it under "auths:" there' : hint,
    },
  ];
}
