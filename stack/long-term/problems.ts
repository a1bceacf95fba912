import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { prometheusSecrets } from '../prometheus/secret-fields.ts';
import type { Secret } from '../secret.ts';
import { secretProblems } from '../secrets/secret-files.ts';
import { quoted } from '../values/words.ts';
import { storeName } from './store.ts';

const section: KeyPath = ['long_term'];
const remotePath: KeyPath = [...section, 'remote'];

/** Problems of `long_term` that need more than one of its keys. */
export function longTermProblems(config: StackConfig): readonly Problem[] {
  const { long_term: own, prometheus } = config;
  if (own === undefined) return [];
  const { victoriametrics, remote } = own;
  const hasOne = victoriametrics !== undefined || remote !== undefined;
  const taken = prometheus.remote_write.findIndex(({ name }) => name === storeName);
  const problems: readonly (Problem | false)[] = [
    !hasOne && {
      code: 'no-store',
      path: section,
      atKey: true,
      message: 'long_term names no store',
      hint: 'add "victoriametrics: {retention: 2y}", or "remote: {write: URL, read: URL}"',
    },
    victoriametrics?.enabled === true &&
      remote !== undefined && {
        code: 'two-stores',
        path: remotePath,
        atKey: true,
        message: 'long_term has two stores, and promstack sends samples to one',
        hint: 'remove one of them; prometheus.remote_write takes any number of further ones',
        related: [{ path: [...section, 'victoriametrics'], message: 'the other is here' }],
      },
    hasOne &&
      !prometheus.enabled && {
        code: 'no-prometheus',
        path: section,
        atKey: true,
        message: 'the samples for the store come from Prometheus, which is disabled',
        hint: 'enable prometheus, or remove long_term',
      },
    hasOne &&
      taken !== -1 && {
        code: 'name-taken',
        path: ['prometheus', 'remote_write', taken, 'name'],
        message: `the name ${quoted(storeName)} is in use by the store of long_term`,
        hint: 'use another name',
      },
  ];
  return [...problems.filter((problem) => problem !== false), ...remoteProblems(config)];
}

function remoteProblems({ long_term: own }: StackConfig): readonly Problem[] {
  const remote = own?.remote;
  if (remote === undefined) return [];
  const { write, read, basic_auth, authorization, headers, tls_config: tls } = remote;
  const { fields } = prometheusSecrets;
  const [half, missing] = tls?.cert === undefined ? (['key', 'cert'] as const) : (['cert', 'key'] as const);
  const logins = [
    ...(basic_auth === undefined ? [] : [['basic_auth']]),
    ...(authorization === undefined ? [] : [['authorization']]),
    ...Object.keys(headers)
      .filter((name) => name.toLowerCase() === 'authorization')
      .map((name) => ['headers', name]),
  ];
  const [first, second] = logins;
  return [
    ...(first === undefined || second === undefined
      ? []
      : [
          {
            code: 'two-logins',
            path: [...remotePath, ...second],
            atKey: true,
            message: 'there are two ways to authenticate, and Prometheus takes one',
            hint: 'remove one of them',
            related: [{ path: [...remotePath, ...first], message: 'the first is here' }],
          },
        ]),
    ...(first?.[0] === 'headers'
      ? [
          {
            code: 'reserved-header',
            path: [...remotePath, ...first],
            atKey: true,
            message: 'Prometheus does not take the header Authorization from here',
            hint: 'write "authorization: {credentials: !env NAME}" instead, or basic_auth',
          },
        ]
      : []),
    ...Object.entries(headers).flatMap(([name, value]) => headerProblems(name, value)),
    ...(authorization?.type.toLowerCase() === 'basic'
      ? [
          {
            code: 'wrong-value',
            path: [...remotePath, 'authorization', 'type'],
            message: 'Prometheus does not take this type here',
            hint: 'write "basic_auth: {username: NAME, password: !env NAME}" instead',
          },
        ]
      : []),
    ...(tls?.[half] === undefined || tls[missing] !== undefined
      ? []
      : [
          {
            code: 'half-certificate',
            path: [...remotePath, 'tls_config', half],
            atKey: true,
            message: `a client certificate has both a cert and a key, and ${quoted(missing)} is missing`,
            hint: `add "${missing}: !file PATH.pem"`,
          },
        ]),
    ...urlProblems('write', write),
    ...furtherParts('write', write, /#/),
    ...(read === undefined ? [] : [...urlProblems('read', read), ...furtherParts('read', read, /[?#]/)]),
    ...pathProblems(remote),
    ...(read !== undefined && /\/api\/v1(?:\/|$)/.test(new URL(read).pathname)
      ? [
          {
            code: 'wrong-read',
            path: [...remotePath, 'read'],
            message: `${quoted(new URL(read).pathname)} is part of the query API, and read is what comes before it`,
            hint: `write ${read.replace(/\/api\/v1(?:\/.*)?$/, '')}`,
          },
        ]
      : []),
    ...secretProblems(remote, remotePath, 'Prometheus', {
      ...prometheusSecrets,
      fields: { ...fields, 'headers.*': 'files' },
    }),
  ];
}

/** Headers that Prometheus takes from nobody in `http_headers` (3.5 to 3.14). */
const reservedHeaders = [
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'user-agent',
  'www-authenticate',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-prometheus-remote-read-version',
  'x-prometheus-remote-write-version',
  'x-prometheus-scrape-timeout-seconds',
];

function headerProblems(name: string, value: string | Secret): readonly Problem[] {
  const path = [...remotePath, 'headers', name];
  if (reservedHeaders.includes(name.toLowerCase())) {
    const message = `Prometheus does not take the header ${name} from here`;
    return [{ code: 'reserved-header', path, atKey: true, message, hint: 'remove it' }];
  }
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    const message = `${quoted(name)} is not the name of a header`;
    return [{ code: 'wrong-header', path, atKey: true, message, hint: 'write letters, digits and -' }];
  }
  if (typeof value !== 'string' || !/[^\P{Cc}\t]/u.test(value)) return [];
  const message = `the value of the header ${name} has a line break or another control character`;
  return [{ code: 'wrong-header', path, message, hint: 'write it on one line' }];
}

/** The paths that remote write usually has, and where the same server has its query API. */
const usualPaths: readonly (readonly [write: RegExp, read: string])[] = [
  [/\/api\/v1\/push\/?$/, '/prometheus'],
  [/\/api\/prom\/push\/?$/, '/api/prom'],
];

/** Paths that are probably forgotten; the proof of `up` shows what the store says. */
function pathProblems({ write, read }: { readonly write: string; readonly read?: string | undefined }) {
  const problem = (key: string, message: string, hint: string): Problem => ({
    code: 'no-path',
    severity: 'warning',
    path: [...remotePath, key],
    message,
    hint,
  });
  if (new URL(write).pathname === '/') {
    const message = 'the address has no path, and remote write usually has one';
    return [problem('write', message, 'such as /api/v1/write of Prometheus, or /api/v1/push of Mimir')];
  }
  const base = usualPaths.find(([pattern]) => pattern.test(new URL(write).pathname))?.[1];
  if (read === undefined || base === undefined || new URL(read).pathname !== '/') return [];
  const message = `the address has no path, and the query API of a server with ${new URL(write).pathname} usually has one`;
  return [problem('read', message, `did you mean ${new URL(base, read).href}?`)];
}

function urlProblems(key: 'write' | 'read', text: string): readonly Problem[] {
  const { username, password, hostname } = new URL(text);
  const path = [...remotePath, key];
  if (username !== '' || password !== '') {
    return [
      {
        code: 'password-in-url',
        path,
        message: 'the address has a login in it, which would be shown wherever the address is',
        hint: 'remove it, and write "basic_auth: {username: NAME, password: !env NAME}"',
      },
    ];
  }
  if (!/^(?:(?:.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/.test(hostname)) return [];
  return [
    {
      code: 'loopback-target',
      severity: 'warning',
      path,
      message: `Prometheus runs in a container, where ${quoted(hostname)} is the container itself`,
      hint: `for a server on this host, write ${onHost(text)}`,
    },
  ];
}

/** Parts of an address that are not sent, or would be within the path. */
function furtherParts(key: 'write' | 'read', text: string, from: RegExp): readonly Problem[] {
  const at = text.search(from);
  if (at === -1) return [];
  const message = `an address cannot have ${text[at] === '#' ? 'a fragment' : 'parameters'} here`;
  return [{ code: 'wrong-url', path: [...remotePath, key], message, hint: `remove what begins with ${text[at]}` }];
}

function onHost(text: string): string {
  const url = new URL(text);
  url.hostname = 'host.docker.internal';
  return url.href;
}
