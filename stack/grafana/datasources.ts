import type { StackConfig } from '../config.ts';
import { Secret } from '../secret.ts';
import { uidOf } from './config.ts';

/** The properties by which dashboards refer to a datasource. */
export interface KnownDatasource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly isDefault: boolean;
}

/** The stack's own datasources. */
export function stackDatasources(config: StackConfig): readonly KnownDatasource[] {
  return [
    ...(config.prometheus.enabled
      ? [{ name: 'Prometheus', uid: 'prometheus', type: 'prometheus', isDefault: isPrometheusDefault(config) }]
      : []),
    ...(config.alertmanager.enabled
      ? [{ name: 'Alertmanager', uid: 'alertmanager', type: 'alertmanager', isDefault: false }]
      : []),
  ];
}

/** All datasources of the main organization, to which the dashboards belong. */
export function knownDatasources(config: StackConfig): readonly KnownDatasource[] {
  return [
    ...stackDatasources(config),
    ...config.grafana.datasources
      .filter(({ orgId }) => orgId === 1)
      .map((datasource) => ({ ...datasource, uid: uidOf(datasource) }))
      .map(({ name, uid, type, isDefault }) => ({ name, uid, type, isDefault })),
  ];
}

/** The stack's Prometheus is the default datasource, unless the user set another one: Grafana rejects two. */
export function isPrometheusDefault(config: StackConfig): boolean {
  return !config.grafana.datasources.some(({ orgId, isDefault }) => orgId === 1 && isDefault);
}

/** The user's datasources as they go into the provisioning file. */
export function provisionedDatasources(config: StackConfig): readonly Readonly<Record<string, unknown>>[] {
  return config.grafana.datasources.map(({ secureJsonData, correlations, jsonData, ...datasource }) => ({
    ...datasource,
    uid: uidOf(datasource),
    ...(Object.keys(jsonData).length === 0 ? {} : { jsonData }),
    ...(Object.keys(secureJsonData).length === 0 ? {} : { secureJsonData: escapeDollars(secureJsonData) }),
    ...(correlations === undefined ? {} : { correlations }),
  }));
}

/** Grafana expands `$NAME` in secrets too (pkg/services/provisioning/values); `$$` is a literal dollar. */
function escapeDollars(secrets: Readonly<Record<string, Secret>>): Readonly<Record<string, Secret>> {
  const escaped = (secret: Secret): Secret =>
    new Secret(
      secret.reveal().replaceAll('$', () => '$$'),
      secret.origin,
    );
  return Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, escaped(secret)]));
}

/** The version in the tag of the stack's Prometheus, which tells Grafana what to query; undefined when the tag has none. */
export function prometheusVersion(config: StackConfig): string | undefined {
  return /:v?(\d+\.\d+\.\d+)/.exec(config.prometheus.image)?.[1];
}
