import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { prometheusSecrets } from '../prometheus/secret-fields.ts';
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
  const { write, read, basic_auth, authorization, headers } = remote;
  const { fields } = prometheusSecrets;
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
    ...urlProblems('write', write),
    ...(read === undefined ? [] : urlProblems('read', read)),
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
  if (!/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return [];
  return [
    {
      code: 'loopback-target',
      severity: 'warning',
      path,
      message: `Prometheus runs in a container, where ${quoted(hostname)} is the container itself`,
      hint: `for a server on this host, write ${text.replace(hostname, 'host.docker.internal')}`,
    },
  ];
}
