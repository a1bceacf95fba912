import { rereadAccess, scriptFiles } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import { expires, ttlFile } from '../pushgateway/ttl.ts';
import { defineService } from '../service.ts';
import { busyboxProblems } from '../values/busybox.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';

const port = 8082;
const file = 'ttl';
const served = { method: 'GET', port, path: `/current/${file}` } as const;

/** Deletes the groups of the Pushgateway whose ttl has expired. */
export const pushgatewayTtl = defineService({
  name: 'pushgateway-ttl',
  path: ['pushgateway'],
  title: 'Pushgateway TTL',
  startsAfter: ['pushgateway'],
  port,
  // Nothing outside the stack uses it.
  hostPort: () => undefined,
  isEnabled: (config) => config.pushgateway.enabled && expires(config.pushgateway.ttl),
  container: (config) => ({
    service: 'pushgateway-ttl',
    // busybox in the Pushgateway's image has a shell, wget and nc, so no additional image is needed.
    image: config.pushgateway.image,
    user: nobody,
    entrypoint: ['/bin/sh'],
    args: [`${configDir}/expire.sh`, configMount, String(port)],
    env: { TZ: config.timezone },
    ports: [],
    mounts: [{ kind: 'config', target: configMount }],
    tmpfs: ['/tmp'],
    resources: toResources(config.pushgateway.resources),
    labels: config.labels,
    stopTimeoutSeconds: 2,
  }),
  files: (config) => [
    { service: 'pushgateway-ttl', path: file, content: ttlText(config), mode: 0o444, origin: 'promstack' },
    ...scriptFiles('pushgateway-ttl', 'pushgateway', config),
  ],
  problems: (config) => busyboxProblems(config, 'pushgateway.ttl'),
  checks: () => [],
  ready: served,
  // Each round reads the file again, and its web server shows the one that it reads.
  reload: served,
  isReadAtStart: (path) => path !== file && !rereadAccess.matches(path),
  proofs: ({ config }) => [
    {
      claim: 'enforces its ttl',
      request: served,
      assess: ({ body }) =>
        body === ttlText(config) ? { kind: 'proven' } : { kind: 'notYet', because: 'it serves a different ttl' },
    },
  ],
});

function ttlText({ pushgateway: { ttl = '0', extra_args: flags } }: StackConfig): string {
  return ttlFile(ttl, { hasUtf8Names: flags.includes('--push.enable-utf8-names') });
}
