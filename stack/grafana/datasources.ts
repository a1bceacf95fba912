import type { StackConfig } from '../config.ts';
import { Secret } from '../secret.ts';
import { uidOf } from './config.ts';

/** What dashboards need to know of a datasource to refer to it. */
export interface KnownDatasource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly isDefault: boolean;
}

/** The stack's own datasources: those that its services contribute as templates. */
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

/** Every datasource of the first organisation, which dashboards belong to. */
export function knownDatasources(config: StackConfig): readonly KnownDatasource[] {
  return [
    ...stackDatasources(config),
    ...config.grafana.datasources
      .filter(({ orgId }) => orgId === 1)
      .map((one) => ({ name: one.name, uid: uidOf(one), type: one.type, isDefault: one.isDefault })),
  ];
}

/** The stack's Prometheus is the default, unless the person made another one it: two defaults are one too many for Grafana. */
export function isPrometheusDefault(config: StackConfig): boolean {
  return !config.grafana.datasources.some(({ orgId, isDefault }) => orgId === 1 && isDefault);
}

/** The person's datasources as they go into the provisioning file. */
export function provisionedDatasources(config: StackConfig): readonly Readonly<Record<string, unknown>>[] {
  return config.grafana.datasources.map(({ secureJsonData, correlations, jsonData, ...one }) => ({
    ...one,
    uid: uidOf(one),
    ...(Object.keys(jsonData).length === 0 ? {} : { jsonData }),
    ...(Object.keys(secureJsonData).length === 0 ? {} : { secureJsonData: mapSecrets(secureJsonData) }),
    ...(correlations === undefined ? {} : { correlations }),
  }));
}

/** Grafana expands `$NAME` in secrets too (pkg/services/provisioning/values): doubled, a dollar stays one. */
function mapSecrets(secrets: Readonly<Record<string, Secret>>): Readonly<Record<string, Secret>> {
  return Object.fromEntries(
    Object.entries(secrets).map(([key, secret]) => [
      key,
      new Secret(
        secret.reveal().replaceAll('$', () => '$$'),
        secret.origin,
      ),
    ]),
  );
}

/** The version in the tag of the stack's Prometheus, by which Grafana knows what it can ask; undefined when the tag has none. */
export function prometheusVersion(config: StackConfig): string | undefined {
  return /:v?(\d+\.\d+\.\d+)/.exec(config.prometheus.image)?.[1];
}
