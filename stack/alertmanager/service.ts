import { httpClient, schemeOf } from '../access/access.ts';
import type { AlertRouting } from '../alert.ts';
import { canaryReceiver, canaryRoute, definesCanaryReceiver, hasCanary } from '../canary.ts';
import type { StackConfig } from '../config.ts';
import { heartbeatFiles, heartbeatReceivers, heartbeatRoutes } from '../heartbeat/heartbeat.ts';
import { hostFilesIn } from '../host-files.ts';
import type { ContainerSpec, Proof, RenderedFile, Verdict } from '../model.ts';
import { contentOf, Secret } from '../secret.ts';
import { defineService, namedParts, type Release } from '../service.ts';
import { clusterEntrypoint, isSwarm, withoutCluster } from '../swarm/replicas.ts';
import { configFiles, secretsReserved } from '../values/config-files.ts';
import {
  configDir,
  configMount,
  externalUrl,
  featuresIn,
  flagIn,
  goMemoryLimit,
  nobody,
  toResources,
  withoutFlag,
} from '../values/container.ts';
import { copyFiles } from '../values/copy-data.ts';
import { type ExitCause, errorIn, explainExit } from '../values/exit-causes.ts';
import { flagChecks, type ServerFlags } from '../values/flag-check.ts';
import { listOf } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import { webConfigChecks, webConfigPath, webConfigProblems } from '../values/web-config.ts';
import { alertmanagerChecks } from './checks.ts';
import {
  eventRecorder,
  recorderFeature,
  recorderMissingIn,
  recordsAlerts,
  rotateAlertLog,
  withRecorderOf,
} from './event-recorder.ts';
import { healthIndicators } from './health.ts';
import { mainFile, readMainFile } from './main-file.ts';
import { problems, unnotifiedSink } from './problems.ts';
import { parseRoute, routeOf } from './routing-tree.ts';
import { alertmanagerSecrets } from './secret-fields.ts';

const port = 9093;
const dataDir = '/alertmanager';

export const alertmanager = defineService({
  name: 'alertmanager',
  title: 'Alertmanager',
  startsAfter: [],
  looksForReplicas: true,
  port,
  hostPort: (config) => config.alertmanager.port,
  isEnabled: (config) => config.alertmanager.enabled,
  container: (config) => {
    const own = config.alertmanager;
    return {
      service: 'alertmanager',
      image: own.image,
      user: nobody,
      ...entrypointOf(config),
      args: [
        `--config.file=${configDir}/alertmanager.yml`,
        `--storage.path=${dataDir}`,
        `--data.retention=${own.retention}`,
        `--web.listen-address=:${port}`,
        // For the links in notifications; a path in it is for the user's reverse proxy, not for this server.
        `--web.external-url=${externalUrl(config, own, schemeOf(config, 'alertmanager'))}`,
        '--web.route-prefix=/',
        ...(isSwarm(config) ? [] : [withoutCluster]),
        ...(featuresOf(config).length === 0 ? [] : [`--enable-feature=${featuresOf(config).join(',')}`]),
        ...withoutFlag(own.extra_args, 'enable-feature'),
      ],
      env: { TZ: config.timezone, ...goMemoryLimit(own.resources) },
      ports: [{ bind: config.bind, host: own.port, container: port }],
      mounts: [
        { kind: 'config', target: configMount },
        { kind: 'data', volume: 'alertmanager-data', target: dataDir },
      ],
      tmpfs: [],
      resources: toResources(own.resources),
      labels: config.labels,
      stopTimeoutSeconds: 10,
    };
  },
  forImage: withRecorderOf,
  cannotRun: recorderMissingIn,
  placeholders: (config) => ({
    route: rootRoute(config),
    receivers: receiversOf(config),
    event_recorder: eventRecorder(config),
    // Relative to alertmanager.yml, so that a check before the switch reads the new templates.
    template_globs: ['templates/*.tmpl', 'templates/user/*'],
    http_client: httpClient(config, 'alertmanager'),
  }),
  userFiles: (config) => [
    ...configFiles(['alertmanager', 'files'], config.alertmanager.files, {
      reserved: {
        [mainFile]: 'set its keys under "alertmanager", or replace it with templates/alertmanager/alertmanager.yml',
        templates: 'name notification templates under "alertmanager.templates"',
        ...secretsReserved,
      },
    }),
    ...config.alertmanager.templates.map((glob, at) => ({
      key: ['alertmanager', 'templates', at],
      glob,
      into: 'templates/user',
      extensions: ['.tmpl'],
    })),
  ],
  files: heartbeatFiles,
  secretFiles: alertmanagerSecrets,
  problems,
  fileProblems: (files, config) => [
    ...unnotifiedSink(files, config),
    ...webConfigProblems(config.alertmanager.extra_args, files),
    ...hostFilesIn(
      files,
      [mainFile, webConfigPath(config.alertmanager.extra_args)],
      {
        section: 'alertmanager',
        title: 'Alertmanager',
        secretFiles: alertmanagerSecrets,
        globs: config.alertmanager.files,
      },
      config.alertmanager,
    ),
  ],
  stamp,
  checks: (config, files, tests, alerts) => {
    const flags: ServerFlags = {
      service: 'alertmanager',
      title: 'Alertmanager',
      program: 'alertmanager',
      args: [...alertmanager.container(config).args, ...(isSwarm(config) ? [withoutCluster] : [])],
      extra: config.alertmanager.extra_args,
      image: config.alertmanager.image,
      // amtool does.
      hasOtherFeatureCheck: true,
      started: /msg="?Listening on/,
      smallestConfig: 'route: {receiver: none}\nreceivers: [{name: none}]\n',
    };
    return [
      ...alertmanagerChecks(config, files, tests, alerts),
      ...flagChecks(flags),
      ...webConfigChecks(flags, files),
    ];
  },
  ready: { method: 'GET', port, path: '/-/ready' },
  upkeep: ({ args }) => (featuresIn(args).includes(recorderFeature) ? rotateAlertLog : undefined),
  reload: { method: 'POST', port, path: '/-/reload' },
  proofs,
  digestedFiles: [mainFile],
  parts: (read) => namedParts('receiver', read(mainFile), 'receivers', 'name'),
  alertRouting,
  copyData: copyFiles,
  risks,
  explainExit: (lines) => explainExit(lines, causes, otherCauses),
  healthIndicators,
});

/** Absent on an engine: it is part of the hash by which the containers of running stacks are compared. */
function entrypointOf(config: StackConfig): Pick<ContainerSpec, 'entrypoint'> {
  const entrypoint = clusterEntrypoint(config);
  return entrypoint === undefined ? {} : { entrypoint };
}

function featuresOf(config: StackConfig): readonly string[] {
  // So that a receiver that fails is not hidden by others of its kind.
  const names = namesReceivers(config.alertmanager.image) ? ['receiver-name-in-metrics'] : [];
  const own = [...names, ...(recordsAlerts(config) ? [recorderFeature] : [])];
  return [...new Set([...own, ...featuresIn(config.alertmanager.extra_args)])];
}

/** The receiver without integrations of stacks that define none: Alertmanager does not start without a receiver. */
const emptyReceiver = 'none';

/** The user's root route, or one that sends all alerts to the sink, if enabled; in front of its routes those of the stack. */
export function rootRoute(config: StackConfig): Readonly<Record<string, unknown>> {
  const receiver = config.sink.enabled ? 'sink' : emptyReceiver;
  const root = config.alertmanager.route ?? { receiver, group_by: ['alertname', 'job'] };
  const own = [...(hasCanary(config) ? [canaryRoute(config)] : []), ...heartbeatRoutes(config)];
  return own.length === 0 ? root : { ...root, routes: [...own, ...listOf(root['routes'])] };
}

/** The user's receivers, and those without integrations that routes of the stack need. */
function receiversOf(config: StackConfig): readonly unknown[] {
  const { receivers, route } = config.alertmanager;
  return [
    ...receivers,
    ...(route === undefined && !config.sink.enabled ? [{ name: emptyReceiver }] : []),
    ...(definesCanaryReceiver(config) ? [{ name: canaryReceiver }] : []),
    ...heartbeatReceivers(config),
  ];
}

/** How alertmanager.yml routes alerts; undefined when it has no valid routing tree. */
export function alertRouting(files: readonly RenderedFile[]): AlertRouting | undefined {
  const root = parseRoute(readMainFile(files)?.['route']);
  return root === undefined ? undefined : (labels) => routeOf(root, labels);
}

/** Writes the revision of all files into alertmanager.yml: Alertmanager exports the hash of that file alone. */
function stamp(files: readonly RenderedFile[], revision: string): readonly RenderedFile[] {
  // At the end, so that the line numbers of the user's file stay.
  const line = `# revision ${revision}\n`;
  const withLine = (text: string): string => (text.endsWith('\n') || text === '' ? text + line : `${text}\n${line}`);
  return files.map((file) => {
    if (file.path !== mainFile) return file;
    const { content, masked } = file;
    return {
      ...file,
      masked: masked === undefined ? undefined : withLine(masked),
      content: content instanceof Secret ? new Secret(withLine(content.reveal()), content.origin) : withLine(content),
    };
  });
}

/**
 * The value of `alertmanager_config_hash`: the first six bytes, little-endian, of the MD5 of alertmanager.yml (config/coordinator.go;
 * tested with 0.33.1).
 */
function configHash(text: string, md5: Release['md5']): number {
  return md5(text)
    .slice(0, 6)
    .reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** Alertmanager runs these files when it exports the hash of our alertmanager.yml. */
function proofs({ files, revision, md5 }: Release): readonly Proof[] {
  const file = files.find(({ path }) => path === mainFile);
  const hash = configHash(file === undefined ? '' : contentOf(file), md5);
  return [
    {
      claim: `runs the alertmanager.yml of revision ${revision}`,
      request: { method: 'GET', port, path: '/metrics' },
      assess: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its metrics page answers ${status}` };
        const running = /^alertmanager_config_hash (\S+)$/m.exec(body)?.[1];
        if (running !== undefined && Number(running) === hash) return { kind: 'proven' };
        if (/^alertmanager_config_last_reload_successful 0$/m.test(body)) {
          return { kind: 'refuted', because: 'its last reload failed; see its log' };
        }
        return { kind: 'notYet', because: `its config hash is ${running ?? 'not exported'}, expected ${hash}` };
      },
    },
  ];
}

/** Silences and notifications that an Alertmanager of another spec deletes. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const [old = '', now = ''] = [before, after].map(({ args }) => flagIn(args, 'data.retention') ?? '120h');
  if ((parseDuration(now) ?? 0) >= (parseDuration(old) ?? 0)) return [];
  return [`silences and the notification log older than ${now} are deleted (retention was ${old})`];
}

/** The last log lines of an Alertmanager that exited. Until 0.33 `msg` says what failed, since 0.34 the beginning of `err`. */
const causes: readonly ExitCause[] = [
  {
    pattern:
      /msg="(?:error loading configuration file|failed to load configuration|Loading configuration file failed|one or more config change subscribers failed).*/i,
    explain: ([line]) => `it cannot load its config: ${errorIn(line) ?? 'see its log'}`,
  },
  {
    pattern:
      /msg="alertmanager exited with error" err="(?:error loading configuration file|failed to apply initial configuration): .*/,
    explain: ([line]) => `it cannot load its config: ${errorIn(line)?.replace(/^.*? (?:file|configuration): /, '')}`,
  },
];

const otherCauses: readonly ExitCause[] = [
  { pattern: /msg="alertmanager exited with error".*/, explain: ([line]) => `it failed: ${errorIn(line)}` },
  {
    pattern: /msg="error parsing the feature flag list".*/,
    explain: ([line]) => `its flags are wrong: ${errorIn(line)}`,
  },
];

/** Before 0.27 there was no such feature, and no flag for features. */
function namesReceivers(image: string): boolean {
  const [, minor] = /:v?0\.(\d+)/.exec(image) ?? [];
  return minor === undefined || Number(minor) >= 27;
}
