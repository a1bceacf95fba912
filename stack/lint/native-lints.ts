import { alertmanagerSecrets } from '../alertmanager/secret-fields.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import { prometheusSecrets } from '../prometheus/secret-fields.ts';
import { Secret } from '../secret.ts';
import { endsWith, maskedFields } from '../secrets/secret-files.ts';
import { isCollection } from '../values/mapping.ts';
import { plainTextOrigin } from '../values/schemas.ts';
import type { Finding, Lint } from './lint.ts';

/** A secret that is plain text in stack.yml. */
export const plainSecret: Lint = {
  code: 'plain-secret',
  find: ({ config }) =>
    [
      ...inSections(config, 'Prometheus').filter((leaf) => isSecret(leaf, maskedFields(prometheusSecrets))),
      ...inSections(config, 'Alertmanager').filter((leaf) => isSecret(leaf, maskedFields(alertmanagerSecrets))),
      ...(config.grafana.enabled ? leavesOf(config.grafana, ['grafana']) : []).filter(
        ({ value }) => value instanceof Secret && value.origin === plainTextOrigin,
      ),
    ].map(toFinding),
};

function toFinding({ keys, path, value }: Leaf): Finding {
  const isHeader = keys.at(-1) === 'values';
  const key = keys.at(isHeader ? -2 : -1) ?? '';
  const [, bare, braced] = value instanceof Secret ? [] : (/^\$(\w+)$|\$\{(\w+)\}/.exec(String(value)) ?? []);
  const variable = bare ?? braced;
  const isWhole = /^\$(?:\w+|\{\w+\})$/.test(String(value));
  return variable === undefined
    ? {
        path,
        message: `${key} is plain text in stack.yml, where everyone can read it`,
        hint: isHeader ? 'write !env NAME under "secrets" instead' : 'write !env NAME or !file PATH instead',
      }
    : {
        path,
        message: `${key} is sent as it is written: the server does not replace variables of the environment`,
        hint: `write !env ${variable} instead${isWhole ? '' : ', with the whole text in the variable'}`,
      };
}

/** Requests that are to go through a proxy of the container's environment, which promstack does not set. */
export const proxyFromEnvironment: Lint = {
  code: 'proxy-from-environment',
  find: ({ config }) =>
    (['Prometheus', 'Alertmanager'] as const).flatMap((title) =>
      inSections(config, title)
        .filter(
          ({ keys, value }) => keys.at(-1) === 'proxy_from_environment' && /^(?:true|yes|on|y)$/i.test(String(value)),
        )
        .map(({ path }) => ({
          path,
          message: `proxy_from_environment has no effect: no HTTP_PROXY, HTTPS_PROXY or NO_PROXY is set in ${title}'s container`,
          hint: 'write "proxy_url: http://HOST:PORT" instead, and "no_proxy:" for exceptions',
        })),
    ),
};

interface Leaf {
  /** The path without list indexes. */
  readonly keys: readonly string[];
  readonly path: KeyPath;
  readonly value: unknown;
}

/** The values in the parts of stack.yml that have a server's own syntax. */
function inSections({ prometheus, alertmanager }: StackConfig, title: 'Prometheus' | 'Alertmanager'): readonly Leaf[] {
  if (title === 'Alertmanager') {
    if (!alertmanager.enabled) return [];
    return (['global', 'receivers'] as const).flatMap((key) => leavesOf(alertmanager[key], ['alertmanager', key]));
  }
  if (!prometheus.enabled) return [];
  const sections = ['scrape_configs', 'remote_write', 'remote_read'] as const;
  return sections.flatMap((key) => leavesOf(prometheus[key], ['prometheus', key]));
}

function leavesOf(value: unknown, path: KeyPath): readonly Leaf[] {
  if (isCollection(value)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  }
  return [{ keys: path.filter((step) => typeof step === 'string'), path, value }];
}

function isSecret({ keys, value }: Leaf, fields: readonly string[]): boolean {
  if (value instanceof Secret || value === undefined || value === null || String(value).trim() === '') return false;
  if (/:\/\/[^\s/:@]*:[^\s/@]+@/.test(String(value))) return true;
  const [header = '', values] = keys.slice(-2);
  if (values === 'values' && keys.at(-3) === 'http_headers') return isSecretHeader(header);
  if (!fields.some((field) => endsWith(keys, field.split('.')))) return false;
  const [parent, key = ''] = keys.slice(-2);
  // Of the headers for a proxy, most are not secret.
  if (parent === 'proxy_connect_header') return isSecretHeader(key);
  return /(?:^|_)url$/.test(key) ? isSecretUrl(String(value), key === 'url') : true;
}

const isSecretHeader = (name: string): boolean => /auth|token|key|secret/i.test(name);

/**
 * Whether a URL holds a secret: in the URL of a chat's webhook the path is one. Most other webhooks have a plain path and are in the
 * user's own network.
 */
function isSecretUrl(text: string, isOfAnyServer: boolean): boolean {
  if (/^\$\w+$|\$\{\w+\}/.test(text)) return true;
  if (!URL.canParse(text)) return false;
  const { host, username, pathname, searchParams } = new URL(text);
  if (!isOfAnyServer) return pathname !== '/' || username !== '';
  if ([...searchParams].some(([name, value]) => /token|key|secret|sign|auth|pass/i.test(name) && value !== ''))
    return true;
  const isPublic = /\.[a-z]{2,}$/i.test(host) && !/\.(?:local|internal|svc|lan|home|corp|localdomain)$/i.test(host);
  return isPublic && pathname.split('/').some((part) => /^(?=.*\d)(?=.*[A-Za-z])[\w:-]{16,}$/.test(part));
}
