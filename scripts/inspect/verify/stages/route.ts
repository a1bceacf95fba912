import { parseRoute, receiversFor } from '../../../../stack/alertmanager/routing-tree.ts';
import { canaryLabels, receiverOfCanary } from '../../../../stack/canary.ts';
import { readRouting } from '../../../servers/routing.ts';
import type { Stage } from '../pipeline-check.ts';

/**
 * Before anything is pushed: whom would Alertmanager tell of the canary? Nobody but the sink may hear of a drill, so
 * that it can be run on a stack that people are on call for.
 */
export const route: Stage = {
  name: 'route',
  claim: 'nobody would be told of the canary',
  isThere: ({ servers }) => servers.config.alertmanager.enabled,
  look: async ({ servers, nonce, renderedRouting }) => {
    const { config } = servers;
    const { file, receivers, isLive } = await readRouting(servers, renderedRouting);
    const root = parseRoute(file['route']);
    const labels = { ...externalLabels(config.prometheus.external_labels), ...canaryLabels(nonce) };
    const reached = root === undefined ? [] : receiversFor(root, labels);
    const wanted = receiverOfCanary(config);
    const told = reached.filter((name) => name !== wanted && tellsSomebody(name, receivers));
    if (told.length > 0) {
      return {
        kind: 'broken',
        why: `Alertmanager would send the canary to ${told.join(', ')}, so nothing was pushed`,
        tryThis: isLive
          ? 'promstack up: it gives the canary a route of its own, unless templates/alertmanager/alertmanager.yml leaves !value alertmanager.route out'
          : 'keep !value alertmanager.route in templates/alertmanager/alertmanager.yml',
      };
    }
    return { kind: 'passed', detail: config.sink.enabled ? 'only the sink' : undefined };
  },
};

function tellsSomebody(
  name: string,
  receivers: readonly { readonly name: string; readonly integrations: readonly string[] }[],
): boolean {
  return receivers.some((receiver) => receiver.name === name && receiver.integrations.length > 0);
}

function externalLabels(labels: unknown): Readonly<Record<string, string>> {
  if (typeof labels !== 'object' || labels === null) return {};
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
