import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { defineService } from '../service.ts';
import { configMount, toResources } from '../values/container.ts';
import { parseJson } from '../values/parse.ts';
import { dashboardFiles, dashboardsFolder, sharedNames, stampDashboards } from './dashboards.ts';
import { isPrometheusDefault, prometheusVersion, provisionedDatasources, stackDatasources } from './datasources.ts';
import { explainExit } from './explain-exit.ts';
import { problems } from './problems.ts';
import { environment, generatedSecrets, iniFile, secretFiles } from './settings.ts';

const port = 3000;
const dataDir = '/var/lib/grafana';

/**
 * Grafana: shows what Prometheus holds. That its datasources and dashboards are in place takes a login and more than one
 * question, so it has an attendant (scripts/grafana) which reloads and confirms.
 */
export const grafana = defineService({
  name: 'grafana',
  title: 'Grafana',
  startsAfter: [],
  port,
  openPriority: 2,
  hostPort: (config) => config.grafana.port,
  isEnabled: (config) => config.grafana.enabled,
  container: (config) => ({
    service: 'grafana',
    image: config.grafana.image,
    user: '472:0',
    args: [],
    env: environment(config),
    ports: [{ bind: config.bind, host: config.grafana.port, container: port }],
    mounts: [
      { kind: 'config', target: configMount },
      { kind: 'data', volume: 'grafana-data', target: dataDir },
    ],
    tmpfs: ['/tmp', '/var/log/grafana'],
    resources: toResources(config.grafana.resources),
    labels: config.labels,
    stopTimeoutSeconds: 10,
  }),
  holes: (config) => ({
    is_prometheus_default: isPrometheusDefault(config),
    prometheus_version: prometheusVersion(config),
    alertmanager_uid: stackDatasources(config).find(({ type }) => type === 'alertmanager')?.uid,
    provisioned_datasources: provisionedDatasources(config),
  }),
  collects: [
    { kind: 'datasources', into: 'provisioning/datasources' },
    {
      kind: 'dashboards',
      into: `${dashboardsFolder}/promstack`,
      shipped: (config) => config.grafana.shipped_dashboards,
    },
  ],
  userFiles: dashboardFiles,
  problems,
  files: (config) => [...iniFile(config), ...secretFiles(config)],
  fileProblems: sharedNames,
  stamp: stampDashboards,
  generatedSecrets: [
    { name: generatedSecrets.adminPassword, length: 24, given: (config) => config.grafana.admin_password },
    { name: generatedSecrets.secretKey, length: 40 },
  ],
  checks: () => [],
  ready: { method: 'GET', port, path: '/api/health' },
  reload: 'driver',
  proofs: () => [],
  healthIndicators,
  explainExit,
});

/** How Grafana is: its version, and whether its database answers. */
function healthIndicators(): readonly HealthIndicator[] {
  return [
    {
      label: 'database',
      request: { method: 'GET', port: 3000, path: '/api/health' },
      read: ({ body }) => readHealth(body),
    },
  ];
}

const health = z.object({ database: z.string(), version: z.string().optional() });

function readHealth(body: string): Reading | undefined {
  const parsed = health.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { database, version } = parsed.data;
  const values = { database, ...(version === undefined ? {} : { version }) };
  const suffix = version === undefined ? '' : ` (Grafana ${version})`;
  if (database === 'ok') return { text: `ok${suffix}`, values, tone: 'right' };
  return {
    text: `${database}${suffix}`,
    values,
    tone: 'wrong',
    problems: [{ message: `its database is ${database}`, tryThis: 'promstack logs grafana' }],
  };
}
