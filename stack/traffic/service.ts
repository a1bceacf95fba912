import { defineService } from '../service.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';

const port = 8081;

/** Traffic: a source that pushes sample metrics, so that a demo has something to show. */
export const traffic = defineService({
  name: 'traffic',
  title: 'Traffic',
  startsAfter: ['pushgateway'],
  port,
  // Nobody outside the stack has a use for it.
  hostPort: () => undefined,
  isEnabled: (config) => config.traffic.enabled,
  container: (config) => ({
    service: 'traffic',
    // busybox in the Pushgateway's image has a shell, wget and a web server: no further image is needed.
    image: config.pushgateway.image,
    user: nobody,
    entrypoint: ['/bin/sh'],
    args: [`${configDir}/push.sh`, configDir, String(port)],
    env: { TZ: config.timezone },
    ports: [],
    mounts: [{ kind: 'config', target: configMount }],
    tmpfs: [],
    resources: toResources(config.traffic.resources),
    labels: config.labels,
    stopTimeoutSeconds: 2,
  }),
  checks: () => [],
  ready: { method: 'GET', port, path: '/' },
  proofs: () => [],
});
