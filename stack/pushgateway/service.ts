import { defineService } from '../service.ts';
import { nobody, toResources } from '../values/container.ts';
import { explainExit } from '../values/exit-causes.ts';
import { vitals } from './health.ts';
import { risks } from './risks.ts';

const port = 9091;
const dataDir = '/pushgateway';

/** Pushgateway: keeps what short-lived sources push until Prometheus scrapes it. It has no config file, so nothing to reload. */
export const pushgateway = defineService({
  name: 'pushgateway',
  title: 'Pushgateway',
  startsAfter: [],
  port,
  hostPort: (config) => config.pushgateway.port,
  isEnabled: (config) => config.pushgateway.enabled,
  container: (config) => {
    const own = config.pushgateway;
    return {
      service: 'pushgateway',
      image: own.image,
      user: nobody,
      args: [
        `--web.listen-address=:${port}`,
        // A path in --web.external-url is for the proxy that people come through, not for this server.
        '--web.route-prefix=/',
        `--persistence.file=${dataDir}/metrics.store`,
        `--persistence.interval=${own.persistence.interval}`,
        ...(own.admin_api ? ['--web.enable-admin-api'] : []),
        ...own.extra_args,
      ],
      env: { TZ: config.timezone },
      ports: [{ bind: config.bind, host: own.port, container: port }],
      mounts: [{ kind: 'data', volume: 'pushgateway-data', target: dataDir }],
      tmpfs: [],
      resources: toResources(own.resources),
      labels: config.labels,
      stopTimeoutSeconds: 10,
    };
  },
  checks: () => [],
  ready: { method: 'GET', port, path: '/-/ready' },
  proofs: () => [],
  risks,
  explainExit: (lines) => explainExit(lines),
  vitals,
});
