import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { defineService } from '../service.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';

const port = 8080;

/** The sink: a webhook receiver that writes each notification it gets as one line to its log. */
export const sink = defineService({
  name: 'sink',
  title: 'Sink',
  startsAfter: [],
  port,
  hostPort: (config) => config.sink.port,
  isEnabled: (config) => config.sink.enabled,
  container: (config) => ({
    service: 'sink',
    // busybox in the Pushgateway's image has a web server with CGI: no further image is needed.
    image: config.pushgateway.image,
    user: nobody,
    entrypoint: ['/bin/busybox', 'httpd'],
    args: ['-f', '-p', String(port), '-h', `${configDir}/www`],
    env: { TZ: config.timezone },
    ports: [{ bind: config.bind, host: config.sink.port, container: port }],
    mounts: [{ kind: 'config', target: configMount }],
    tmpfs: [],
    resources: toResources(config.sink.resources),
    labels: config.labels,
    // It has nothing to lose, and as the first process of its container busybox does not heed SIGTERM.
    stopTimeoutSeconds: 0,
  }),
  problems,
  checks: () => [],
  ready: { method: 'GET', port, path: '/' },
  proofs: () => [],
});

/** A sink that nothing can ever reach. */
function problems(config: StackConfig): readonly Problem[] {
  if (config.alertmanager.enabled) return [];
  return [
    {
      code: 'no-sense',
      severity: 'warning',
      path: ['sink', 'enabled'],
      message: 'the sink shows what Alertmanager sends, and this stack has no Alertmanager',
      hint: 'enable alertmanager, or switch the sink off',
    },
  ];
}
