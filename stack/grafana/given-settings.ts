import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { configDir } from '../values/container.ts';
import { fromFile, furtherSettings, iniPath, type Setting, set, settings } from './settings.ts';

/** The environment of the container; secrets are named by the files that hold them. */
export function environment(config: StackConfig): Readonly<Record<string, string>> {
  const all = settings(config);
  const secrets = secretsOf(all);
  const entries = all.map((one): readonly [string, string] => [variableName(one.section, one.key), textOf(one)]);
  return {
    TZ: config.timezone,
    ...Object.fromEntries(entries),
    // A changed secret must make the container anew too: Grafana reads the file at its start only.
    ...(secrets.length === 0 ? {} : { PROMSTACK_SECRETS: fingerprint(secrets.map(({ value }) => value.reveal())) }),
  };
}

/**
 * One file for each secret among the settings. The admin's password is among them for the sake of the plan alone: Grafana reads
 * it at its first start only, so a changed one is a changed file, and promstack sets it when it reloads Grafana.
 */
export function secretFiles(config: StackConfig): readonly RenderedFile[] {
  const all = [...settings(config), ...set('security', 'admin_password', config.grafana.admin_password)];
  return secretsOf(all).map(({ section, key, value }) => ({
    service: 'grafana',
    path: secretPath(section, key),
    content: value,
    masked: '[secret]',
    secrets: [value],
    mode: 0o400,
    origin: value.origin,
  }));
}

/**
 * The settings of `grafana.config` as a file. Grafana takes a variable only for a key that its defaults or its config file have: without
 * the file those of plugins and other unlisted ones would be ignored without a word. The variables stay, so that a plan says what changed.
 */
export function iniFile(config: StackConfig): readonly RenderedFile[] {
  const further = furtherSettings(config.grafana);
  if (further.length === 0) return [];
  const sections = [...new Set(further.map(({ section }) => section))].map((section) => {
    const own = further.filter((one) => one.section === section);
    return [`[${section}]`, ...own.map((one) => `${one.key} = \`${textOf(one)}\``), ''].join('\n');
  });
  const content = ['# The settings of grafana.config in stack.yml.', '', ...sections].join('\n');
  return [{ service: 'grafana', path: iniPath, content, mode: 0o444, origin: 'stack.yml' }];
}

/** Grafana's own name for the variable of a setting (pkg/setting/setting.go, EnvKey): a dash stays in the name of a key. */
function variableName(section: string, key: string): string {
  return `GF_${section.replaceAll(/[.-]/g, '_')}_${key.replaceAll('.', '_')}`.toUpperCase();
}

/** A setting's value as Grafana gets it: a secret by its file. */
function textOf({ section, key, value }: Setting): string {
  return value instanceof Secret ? fromFile(`${configDir}/${secretPath(section, key)}`) : String(value);
}

function secretsOf(all: readonly Setting[]): readonly (Setting & { readonly value: Secret })[] {
  return all.filter((one): one is Setting & { readonly value: Secret } => one.value instanceof Secret);
}

function secretPath(section: string, key: string): string {
  return `secrets/${section}-${key}`;
}

/**
 * Twenty bits that change with the texts (FNV-1a): enough to notice a change, far too few to find out a secret, since the
 * container's settings show them.
 */
function fingerprint(texts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const letter of texts.join('\0')) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 20)) & 0xfffff).toString(16).padStart(5, '0');
}
