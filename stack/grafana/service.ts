import { defineService } from '../service.ts';
import { configDir, configMount, toResources } from '../values/container.ts';
import { problems } from './problems.ts';
import { vitals } from './vitals.ts';

const port = 3000;
const dataDir = '/var/lib/grafana';

/** Grafana: shows what Prometheus holds. */
export const grafana = defineService({
  name: 'grafana',
  title: 'Grafana',
  startsAfter: [],
  port,
  frontDoor: 2,
  hostPort: (config) => config.grafana.port,
  isEnabled: (config) => config.grafana.enabled,
  container: (config) => ({
    service: 'grafana',
    image: config.grafana.image,
    user: '472:0',
    args: [],
    env: {
      TZ: config.timezone,
      GF_PATHS_PROVISIONING: `${configDir}/provisioning`,
    },
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
  collects: [
    { kind: 'datasources', into: 'provisioning/datasources' },
    { kind: 'dashboards', into: 'dashboards' },
  ],
  problems,
  checks: () => [],
  ready: { method: 'GET', port, path: '/api/health' },
  proofs: () => [],
  vitals,
});
