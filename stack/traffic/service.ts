import { defineService } from '../service.ts';
import { busyboxProblems } from '../values/busybox.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';

const port = 8081;

/** A generator that pushes sample metrics for demos. */
export const traffic = defineService({
  name: 'traffic',
  title: 'Traffic',
  startsAfter: ['pushgateway'],
  port,
  // Nothing outside the stack uses it.
  hostPort: () => undefined,
  isEnabled: (config) => config.traffic.enabled,
  container: (config) => ({
    service: 'traffic',
    // busybox in the Pushgateway's image has a shell, wget and a web server, so no additional image is needed.
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
  problems: (config) => busyboxProblems(config, 'traffic'),
  checks: () => [],
  ready: { method: 'GET', port, path: '/' },
  proofs: () => [],
});
