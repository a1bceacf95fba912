import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { defineService } from '../service.ts';
import { busyboxProblems } from '../values/busybox.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';

const port = 8080;

/** A webhook receiver that logs each notification as a line. */
export const sink = defineService({
  name: 'sink',
  title: 'Sink',
  startsAfter: [],
  port,
  hostPort: (config) => config.sink.port,
  isEnabled: (config) => config.sink.enabled,
  container: (config) => ({
    service: 'sink',
    // busybox in the Pushgateway's image has a web server with CGI, so no additional image is needed.
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
    // It has no data, and busybox ignores SIGTERM as the first process of a container.
    stopTimeoutSeconds: 0,
  }),
  problems,
  checks: () => [],
  ready: { method: 'GET', port, path: '/' },
  proofs: () => [],
});

function problems(config: StackConfig): readonly Problem[] {
  if (config.alertmanager.enabled) return busyboxProblems(config, 'sink');
  return [
    ...busyboxProblems(config, 'sink'),
    {
      code: 'sink-without-alertmanager',
      severity: 'warning',
      path: ['sink', 'enabled'],
      message: 'the sink shows the notifications of Alertmanager, which is disabled',
      hint: 'enable alertmanager, or disable the sink',
    },
  ];
}
