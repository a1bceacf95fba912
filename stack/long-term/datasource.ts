import { accessDatasource } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import { escapeDollars } from '../grafana/escape-dollars.ts';
import { Secret } from '../secret.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { longTermStore, storeName } from './store.ts';

export const datasourceName = 'Long-term storage';

/** The store as a datasource in Grafana's provisioning syntax; undefined when it has no address for queries. */
export function longTermDatasource(config: StackConfig): Mapping | undefined {
  const store = longTermStore(config);
  if (store?.read === undefined) return undefined;
  const { basic_auth, authorization, headers = {}, tls_config: tls } = store.remote ?? {};
  const token =
    authorization === undefined
      ? []
      : [['Authorization', prefixed(`${authorization.type} `, authorization.credentials)] as const];
  const all = [...Object.entries(headers), ...token];
  const secrets: readonly (readonly [string, string | Secret | undefined])[] = [
    ['basicAuthPassword', basic_auth?.password],
    ['tlsCACert', tls?.ca],
    ['tlsClientCert', tls?.cert],
    ['tlsClientKey', tls?.key],
    ...all.map(([, value], at) => [`httpHeaderValue${at + 1}`, value] as const),
  ];
  const given = secrets.flatMap(([key, value]) => (value === undefined ? [] : [[key, escapeDollars(value)] as const]));
  const { jsonData: ownJson, ...ownRest } = (store.isOwn && accessDatasource(config, 'victoriametrics')) || {};
  return {
    name: datasourceName,
    uid: storeName,
    type: 'prometheus',
    access: 'proxy',
    url: store.read,
    isDefault: false,
    editable: false,
    ...(basic_auth === undefined ? {} : { basicAuth: true, basicAuthUser: escapeDollars(basic_auth.username) }),
    ...ownRest,
    jsonData: {
      httpMethod: 'POST',
      timeInterval: config.prometheus.global?.scrape_interval ?? config.prometheus.scrape_interval,
      ...(isMapping(ownJson) ? ownJson : {}),
      ...(tls?.ca === undefined ? {} : { tlsAuthWithCACert: true }),
      ...(tls?.cert === undefined ? {} : { tlsAuth: true }),
      ...(tls?.server_name === undefined ? {} : { serverName: tls.server_name }),
      ...(tls?.insecure_skip_verify === true ? { tlsSkipVerify: true } : {}),
      ...Object.fromEntries(all.map(([name], at) => [`httpHeaderName${at + 1}`, name])),
    },
    ...(given.length === 0 ? {} : { secureJsonData: Object.fromEntries(given) }),
  };
}

const prefixed = (prefix: string, secret: Secret): Secret => new Secret(`${prefix}${secret.reveal()}`, secret.origin);
