import { defineService } from '../service.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';
import { externalUrl } from '../values/external-url.ts';
import { alertRouting } from './alert-routing.ts';
import { alertmanagerChecks } from './checks.ts';
import { explainAlertmanagerExit } from './exit-causes.ts';
import { vitals } from './health.ts';
import { problems } from './problems.ts';
import { proofs, stamp } from './proofs.ts';
import { risks } from './risks.ts';
import { ownReceivers, rootRoute } from './routing.ts';
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
  vitals,
});
