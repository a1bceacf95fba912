import type { StackConfig } from '../config.ts';
import { datasourceName, longTermDatasource } from '../long-term/datasource.ts';
import { longTermStore, storeName } from '../long-term/store.ts';
import { isOwnAddress, type OwnItem, withoutOwn } from '../own-items.ts';
import { isAgent } from '../prometheus/agent.ts';
import type { Secret } from '../secret.ts';
import type { Mapping } from '../values/mapping.ts';
import { type Datasource, uidOf } from './config.ts';
import { escapeDollars } from './escape-dollars.ts';

/** The properties by which dashboards refer to a datasource. */
export interface KnownDatasource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly isDefault: boolean;
  /** Whether it is outside of the stack, which does not depend on whether it answers. */
  readonly isOutside?: boolean | undefined;
  /** A uid and a name that stack.yml gives the stack's own datasource: dashboards can use them too. */
  readonly aliases?: readonly string[] | undefined;
}

/** The stack's own datasources. */
export function stackDatasources(config: StackConfig): readonly KnownDatasource[] {
  const own: readonly KnownDatasource[] = [
    ...(config.prometheus.enabled && !isAgent(config)
      ? [{ name: 'Prometheus', uid: 'prometheus', type: 'prometheus', isDefault: isPrometheusDefault(config) }]
      : []),
    ...(config.alertmanager.enabled && !isAgent(config)
      ? [{ name: 'Alertmanager', uid: 'alertmanager', type: 'alertmanager', isDefault: false }]
      : []),
    ...(longTermDatasource(config) === undefined
      ? []
      : [
          {
            name: datasourceName,
            uid: storeName,
            type: 'prometheus',
            isDefault: false,
            isOutside: longTermStore(config)?.isOwn === false,
          },
        ]),
  ];
  return own.map((datasource) => {
    const meant = config.grafana.datasources.filter((candidate) => ownerOf(config, candidate) === datasource.uid);
    return { ...datasource, aliases: meant.flatMap((candidate) => [uidOf(candidate), candidate.name]) };
  });
}

/** The service of the stack whose own datasource one of stack.yml is: it has its name or uid, its type, and its address or none. */
export function ownerOf(config: StackConfig, datasource: Datasource): 'prometheus' | 'alertmanager' | undefined {
  const { orgId, name, type, url } = datasource;
  const owner = type === 'prometheus' || type === 'alertmanager' ? type : undefined;
  if (owner === undefined || !config[owner].enabled || isAgent(config) || orgId !== 1) return undefined;
  if (name.toLowerCase() !== owner && uidOf(datasource) !== owner) return undefined;
  const [, address = ''] = /^https?:\/\/([^/?#]+)\/?$/.exec(url ?? '') ?? [];
  return url === undefined || isOwnAddress(config, owner, address) ? owner : undefined;
}

/** The datasources of stack.yml that are settings of the stack's own ones. */
export function ownDatasources(config: StackConfig): readonly OwnItem[] {
  const provisioned = provisionedSettings(config);
  return config.grafana.datasources.flatMap((datasource, at): readonly OwnItem[] => {
    const owner = ownerOf(config, datasource);
    if (owner === undefined) return [];
    const {
      name: _name,
      uid: _uid,
      type: _type,
      url: _url,
      access: _access,
      orgId: _orgId,
      ...rest
    } = provisioned[at] ?? {};
    // Those that are false may be defaults of the schema, and the stack has its own.
    const settings = Object.fromEntries(
      Object.entries(rest).filter(
        ([key, value]) => value !== undefined && !(booleans.includes(key) && value === false),
      ),
    );
    const path = ['grafana', 'datasources', at];
    return [{ kind: 'datasources', identity: ['uid', owner], path, settings }];
  });
}

const booleans = ['isDefault', 'editable'];

/** All datasources of the main organization, to which the dashboards belong. */
export function knownDatasources(config: StackConfig): readonly KnownDatasource[] {
  return [
    ...stackDatasources(config),
    ...config.grafana.datasources
      .filter((datasource) => datasource.orgId === 1 && ownerOf(config, datasource) === undefined)
      .map((datasource) => ({ ...datasource, uid: uidOf(datasource) }))
      .map(({ name, uid, type, isDefault }) => ({ name, uid, type, isDefault })),
  ];
}

/** The stack's Prometheus is the default datasource, unless the user set another one: Grafana rejects two. */
export function isPrometheusDefault(config: StackConfig): boolean {
  return !config.grafana.datasources.some(
    (datasource) => datasource.orgId === 1 && datasource.isDefault && ownerOf(config, datasource) !== 'prometheus',
  );
}

/** The user's datasources as they go into the provisioning file, with holes for settings of the stack's own; then that of `long_term`. */
export function provisionedDatasources(config: StackConfig): readonly unknown[] {
  const longTerm = longTermDatasource(config);
  return [
    ...withoutOwn(provisionedSettings(config), ownDatasources(config)),
    ...(longTerm === undefined ? [] : [longTerm]),
  ];
}

/** The names of all datasources, by which Grafana deletes them: also that which stack.yml gives one of the stack's own. */
export function datasourceNames(config: StackConfig): readonly Mapping[] {
  const own = stackDatasources(config).map(({ name }) => ({ name, orgId: 1 }));
  const given = config.grafana.datasources
    .map(({ name, orgId }) => ({ name, orgId }))
    .filter(({ name, orgId }) => !own.some((other) => other.name === name && other.orgId === orgId));
  return [...own, ...given];
}

function provisionedSettings(config: StackConfig): readonly Mapping[] {
  return config.grafana.datasources.map(({ secureJsonData, correlations, jsonData, ...datasource }) => ({
    ...datasource,
    uid: uidOf(datasource),
    ...(Object.keys(jsonData).length === 0 ? {} : { jsonData }),
    ...(Object.keys(secureJsonData).length === 0 ? {} : { secureJsonData: escaped(secureJsonData) }),
    ...(correlations === undefined ? {} : { correlations }),
  }));
}

const escaped = (secrets: Readonly<Record<string, Secret>>): Readonly<Record<string, Secret>> =>
  Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, escapeDollars(secret)]));

/** Whether the stack's Prometheus takes samples by remote write. */
export function hasRemoteWriteReceiver({ prometheus }: StackConfig): boolean {
  return prometheus.extra_args.some((argument) => /^--web\.enable-remote-write-receiver(?:=true)?$/.test(argument));
}

/** The version in the tag of the stack's Prometheus, which tells Grafana what to query; undefined when the tag has none. */
export function prometheusVersion(config: StackConfig): string | undefined {
  return /:v?(\d+\.\d+\.\d+)/.exec(config.prometheus.image)?.[1];
}
