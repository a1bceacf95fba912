import * as z from 'zod';
import { accessDatasources } from '../access/access.ts';
import type { HealthIndicator, Reading } from '../model.ts';
import { isAgent } from '../prometheus/agent.ts';
import { defineService } from '../service.ts';
import { configFiles, secretsReserved } from '../values/config-files.ts';
import { configMount, toResources } from '../values/container.ts';
import { copyFiles } from '../values/copy-data.ts';
import { type ExitCause, errorIn, explainExit } from '../values/exit-causes.ts';
import { asLogfmt } from '../values/logfmt.ts';
import { parseJson } from '../values/parse.ts';
import { dashboardFiles, dashboardsFolder, furtherFolders, markDashboards, sharedNames } from './dashboards.ts';
import {
  datasourceNames,
  hasRemoteWriteReceiver,
  isPrometheusDefault,
  ownDatasources,
  prometheusVersion,
  provisionedDatasources,
  stackDatasources,
} from './datasources.ts';
import { problems } from './problems.ts';
import { provisioningProblems } from './provisioning-problems.ts';
import { environment, generatedSecrets, hasShippedDashboards, iniFile, secretFiles } from './settings.ts';

const port = 3000;
const dataDir = '/var/lib/grafana';
const dataVolume = 'grafana-data';

/** What promstack writes to its config directory. */
const ownPaths = {
  'grafana.ini': 'set its keys under "grafana.config"',
  provisioning: 'set datasources under "grafana.datasources", or use templates/grafana/provisioning',
  dashboards: 'name dashboards under "grafana.dashboards"',
  ...secretsReserved,
};

/** Proving that its datasources and dashboards are loaded needs a login and several requests, so its driver does that (scripts/servers/grafana). */
export const grafana = defineService({
  name: 'grafana',
  title: 'Grafana',
  startsAfter: [],
  startsSlowly: true,
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
      { kind: 'data', volume: dataVolume, target: dataDir },
    ],
    tmpfs: ['/tmp', '/var/log/grafana'],
    resources: toResources(config.grafana.resources),
    labels: config.labels,
    stopTimeoutSeconds: 10,
  }),
  browserUrl: ({ env }) => {
    // Without the proxy that strips the path, its pages redirect to themselves for ever.
    const root = env['GF_SERVER_ROOT_URL'];
    return root !== undefined && /^https?:\/\/[^/]+\/+[^/]/.test(root) ? root : undefined;
  },
  placeholders: (config) => ({
    is_prometheus_default: isPrometheusDefault(config),
    prometheus_version: prometheusVersion(config),
    alertmanager_uid: stackDatasources(config).find(({ type }) => type === 'alertmanager')?.uid,
    provisioned_datasources: provisionedDatasources(config),
    datasource_names: datasourceNames(config),
    writes_recording_rules: hasRemoteWriteReceiver(config),
  }),
  ownItems: (config) => [...accessDatasources(config), ...ownDatasources(config)],
  collects: [
    { kind: 'datasources', into: 'provisioning/datasources', shipped: (config) => !isAgent(config) },
    {
      kind: 'dashboards',
      into: `${dashboardsFolder}/promstack`,
      shipped: hasShippedDashboards,
    },
  ],
  userFiles: (config) => [
    // Grafana's own formats may hold passwords, such as ldap.toml.
    ...configFiles(['grafana', 'files'], config.grafana.files, { reserved: ownPaths, areSecret: true }),
    ...dashboardFiles(config),
  ],
  isReadAtStart: (path) => !Object.hasOwn(ownPaths, path.split('/')[0] ?? ''),
  problems,
  files: (config) => [...iniFile(config), ...secretFiles(config)],
  fileProblems: (files) => [...sharedNames(files), ...provisioningProblems(files)],
  stamp: (files, _revision, config, hash) => markDashboards(files, config, hash),
  emptyFolders: ['provisioning/plugins', 'provisioning/alerting', ...furtherFolders],
  linkedFolder: dashboardsFolder,
  generatedSecrets: [
    { name: generatedSecrets.adminPassword, length: 24, given: (config) => config.grafana.admin_password },
    { name: generatedSecrets.secretKey, length: 40 },
  ],
  checks: () => [],
  ready: { method: 'GET', port, path: '/api/health' },
  reload: 'driver',
  proofs: () => [],
  copyData: copyFiles,
  healthIndicators,
  explainExit: (lines, volumes) => {
    const volume = volumes?.find((name) => name.endsWith(dataVolume));
    return explainExit(lines.map(asLogfmt).filter(isError), causes(volume === undefined ? '' : ` ${volume}`));
  },
});

function healthIndicators(): readonly HealthIndicator[] {
  return [
    {
      label: 'database',
      request: { method: 'GET', port, path: '/api/health' },
      read: ({ body }) => readHealth(body),
    },
  ];
}

const health = z.object({ database: z.string(), version: z.string().optional() });

function readHealth(body: string): Reading | undefined {
  const parsed = health.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { database, version } = parsed.data;
  const text = `${database}${version === undefined ? '' : ` (Grafana ${version})`}`;
  const values = { database, ...(version === undefined ? {} : { version }) };
  if (database === 'ok') return { text, values, tone: 'right' };
  const problems = [{ message: `its database is ${database}`, tryThis: 'promstack logs grafana' }];
  return { text, values, tone: 'wrong', problems };
}

/** The error of a line of Grafana's log, else the line itself. */
export function errorOf(line: string): string {
  const error = (errorIn(line) ?? line).replace(/^Error: \u2717 /, '').trim();
  // That of a part which fails at start is inside those of all that depend on it.
  return /^invalid service state: .*\bfailure: (.*?)\]?$/s.exec(error)?.[1] ?? error;
}

/** Grafana writes "Database locked, sleeping then retrying", with an error, at ordinary starts. */
const isError = (line: string): boolean => !/\blevel=(?:debug|info|warn)\b/.test(line);

/** The last log lines of a Grafana that exited (12.4); `volume` is the name of its data volume after a blank, if known. */
const causes = (volume: string): readonly ExitCause[] => [
  {
    pattern: /GF_PATHS_DATA='.*' is not writable|attempt to write a readonly database|unable to open database file/,
    explain: () =>
      `it cannot write to its data volume${volume}: all of it must belong to user 472; a container of any image that mounts it can run chown -R 472:0 on it`,
  },
  {
    pattern: /file is not a database|database disk image is malformed|file is encrypted or is not a database/,
    explain: () =>
      `the database grafana.db in its data volume${volume} is damaged: restore it from a backup; once it is moved away, Grafana starts with an empty one`,
  },
  {
    pattern: /Datasource provisioning error|failed to provision.* data source|datasource\.yaml config is invalid/i,
    explain: ({ input }) => `it could not provision its datasources: ${errorOf(input)}`,
  },
  {
    pattern: /Only one datasource per organization can be marked as default/,
    explain: () => 'two datasources are marked as the default',
  },
  {
    pattern:
      /failed to (?:connect to|start) (?:the )?database|could not (?:connect|create) .*database|dial tcp .*(?:5432|3306)/i,
    explain: ({ input }) => `it cannot connect to its database: ${errorOf(input)}`,
  },
  { pattern: /database is locked/, explain: () => 'its database is in use by another Grafana' },
  {
    pattern: /no space left on device|database or disk is full/,
    explain: () => `the disk of its data volume${volume} is full: free some space on it`,
  },
  {
    pattern: /preinstall.*(?:failed|error)|failed to install plugin/i,
    explain: ({ input }) => `it could not download a plugin to install at start: ${errorOf(input)}`,
  },
  { pattern: /^Error: \u2717 |level=(?:error|crit)/, explain: ({ input }) => errorOf(input) },
];
