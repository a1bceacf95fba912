import type { AlertRouting } from '../alert.ts';
import type { ContainerSpec, RenderedFile } from '../model.ts';
import { defineService } from '../service.ts';
import { configDir, configMount, externalUrl, flagIn, nobody, toResources } from '../values/container.ts';
import { type ExitCause, errIn, explainExit } from '../values/exit-causes.ts';
import { parseDuration } from '../values/units.ts';
import { alertmanagerChecks } from './checks.ts';
import { healthIndicators } from './health.ts';
import { readMainFile } from './main-file.ts';
import { problems } from './problems.ts';
import { proofs, stamp } from './proofs.ts';
import { ownReceivers, rootRoute } from './routing.ts';
import { alertRouteOf, parseRoute } from './routing-tree.ts';
import { alertmanagerSecrets } from './secret-fields.ts';

const port = 9093;
const dataDir = '/alertmanager';

/** Alertmanager: groups, routes and silences alerts and tells the receivers. */
export const alertmanager = defineService({
  name: 'alertmanager',
  title: 'Alertmanager',
  startsAfter: [],
  port,
  hostPort: (config) => config.alertmanager.port,
  isEnabled: (config) => config.alertmanager.enabled,
  container: (config) => {
    const own = config.alertmanager;
    return {
      service: 'alertmanager',
      image: own.image,
      user: nobody,
      args: [
        `--config.file=${configDir}/alertmanager.yml`,
        `--storage.path=${dataDir}`,
        `--data.retention=${own.retention}`,
        `--web.listen-address=:${port}`,
        // The links in notifications; a path in them is for the proxy that people come through, not for this server.
        `--web.external-url=${externalUrl(config, own)}`,
        '--web.route-prefix=/',
        '--cluster.listen-address=',
        ...own.extra_args,
      ],
      env: { TZ: config.timezone },
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
  holes: (config) => ({
    route: rootRoute(config),
    receivers: ownReceivers(config),
    // Relative to alertmanager.yml, so that a check before the switch reads the templates that come with it.
    template_globs: ['templates/*.tmpl', 'templates/user/*'],
  }),
  userFiles: (config) =>
    config.alertmanager.templates.map((glob, at) => ({
      key: ['alertmanager', 'templates', at],
      glob,
      into: 'templates/user',
      extensions: ['.tmpl'],
    })),
  secretFiles: alertmanagerSecrets,
  problems,
  stamp,
  checks: alertmanagerChecks,
  ready: { method: 'GET', port, path: '/-/ready' },
  reload: { method: 'POST', port, path: '/-/reload' },
  proofs,
  alertRouting,
  risks,
  explainExit: explainAlertmanagerExit,
  healthIndicators,
});

/** Whom alerts reach by the routing tree of alertmanager.yml; undefined when there is none that can be read. */
export function alertRouting(files: readonly RenderedFile[]): AlertRouting | undefined {
  const root = parseRoute(readMainFile(files)?.['route']);
  return root === undefined ? undefined : (labels) => alertRouteOf(root, labels);
}

/** Silences and notifications that an Alertmanager of another spec forgets. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const [old, now] = [before, after].map(({ args }) => flagIn(args, 'data.retention') ?? '120h');
  if (old === undefined || now === undefined || (parseDuration(now) ?? 0) >= (parseDuration(old) ?? 0)) return [];
  return [`silences and sent notifications older than ${now} are forgotten; until now they were kept for ${old}`];
}

/** What an Alertmanager that died says last (0.33.1). */
const causes: readonly ExitCause[] = [
  {
    pattern:
      /msg="(?:error loading configuration file|failed to load configuration|Loading configuration file failed).*/i,
    say: ([line]) => `it cannot read its config: ${errIn(line) ?? 'its log says why'}`,
  },
];

/** The likely cause of an Alertmanager's end. */
function explainAlertmanagerExit(lines: readonly string[]): string | undefined {
  return explainExit(lines, causes);
}
