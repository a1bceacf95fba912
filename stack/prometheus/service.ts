import { defineService } from '../service.ts';
import { configDir, configMount, nobody, toResources } from '../values/container.ts';
import { externalUrl } from '../values/external-url.ts';
import { alerts } from './alerts.ts';
import { prometheusChecks } from './checks.ts';
import { explainPrometheusExit } from './exit-causes.ts';
import { vitals } from './health.ts';
import { problems } from './problems.ts';
import { proofs, revisionRules } from './proofs.ts';
import { risks } from './risks.ts';
import { prometheusSecrets } from './secret-fields.ts';
import { starting } from './starting.ts';
import { unreadRules } from './unread-rules.ts';

const port = 9090;
const dataDir = '/prometheus';

/** Prometheus: scrapes, stores, evaluates the rules and hands alerts on. */
export const prometheus = defineService({
  name: 'prometheus',
  title: 'Prometheus',
  keepsState: true,
  startsAfter: [],
  port,
  frontDoor: 1,
  hostPort: (config) => config.prometheus.port,
  isEnabled: (config) => config.prometheus.enabled,
  container: (config) => {
    const own = config.prometheus;
    return {
      service: 'prometheus',
      image: own.image,
      user: nobody,
      args: [
        `--config.file=${configDir}/prometheus.yml`,
        `--storage.tsdb.path=${dataDir}`,
        `--storage.tsdb.retention.time=${own.retention.time}`,
        ...(own.retention.size === undefined ? [] : [`--storage.tsdb.retention.size=${own.retention.size}`]),
        `--web.listen-address=:${port}`,
        // The links in notifications; a path in them is for the proxy that people come through, not for this server.
        `--web.external-url=${externalUrl(config, own)}`,
        '--web.route-prefix=/',
        '--web.enable-lifecycle',
        ...own.extra_args,
      ],
      env: { TZ: config.timezone },
      ports: [{ bind: config.bind, host: own.port, container: port }],
      mounts: [
        { kind: 'config', target: configMount },
        { kind: 'data', volume: 'prometheus-data', target: dataDir },
      ],
      tmpfs: [],
      resources: toResources(own.resources),
      labels: config.labels,
      stopTimeoutSeconds: 30,
    };
  },
  collects: [{ kind: 'rules', into: 'rules', shipped: (config) => config.prometheus.shipped_rules }],
  userFiles: (config) =>
    config.prometheus.rules.map((glob, at) => ({
      key: ['prometheus', 'rules', at],
      glob,
      into: 'rules/user',
      extensions: ['.yml', '.yaml'],
      // Loaded only when there are rules to read: the grammar of PromQL is large.
      problems: async (content) => (await import('./rule-file.ts')).ruleFileProblems(content),
    })),
  secretFiles: prometheusSecrets,
  problems,
  fileProblems: unreadRules,
  stamp: (files, revision) => [...files, revisionRules(revision)],
  checks: prometheusChecks,
  ready: { method: 'GET', port, path: '/-/ready' },
  starting,
  reload: { method: 'POST', port, path: '/-/reload' },
  slowReload:
    'it may be sending what it still has for a changed remote_write, which takes two minutes when that is away',
  proofs,
  alerts,
  risks,
  explainExit: explainPrometheusExit,
  vitals,
});
