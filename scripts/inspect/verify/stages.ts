import { canaryJob, canaryLabel, canaryMetric } from '../../../stack/canary.ts';
import { pushgatewayOf } from '../../servers/pushgateway/client.ts';
import { GatewayError } from '../../servers/pushgateway/errors.ts';
import { toGroup } from '../../servers/pushgateway/group.ts';
import type { Servers } from '../../servers/servers.ts';
import { StackError } from '../../util/stack-error.ts';
import { explainClash } from '../name-clashes.ts';
import type { Stage } from './pipeline-check.ts';
import { arrival, delivery } from './stages/alertmanager.ts';
import { grafana } from './stages/grafana.ts';
import { longTerm } from './stages/long-term.ts';
import { rule, rules, scrape } from './stages/prometheus.ts';
import { receivers, route } from './stages/routes.ts';

const canaryGroup = (nonce: string) => toGroup(canaryJob, { [canaryLabel]: nonce });

/** The Pushgateway accepts a push, and exposes it on the page that Prometheus scrapes. */
const push: Stage = {
  name: 'pushgateway',
  claim: 'accepts the canary and exposes it',
  isPresent: () => true,
  probe: async ({ servers, nonce }) => {
    const text = `# TYPE ${canaryMetric} gauge\n# HELP ${canaryMetric} promstack verify is running.\n${canaryMetric} 1\n`;
    try {
      // An earlier probe may have pushed it already: pushing it again changes nothing.
      await pushgatewayOf(servers).push(canaryGroup(nonce), text, { replaces: false });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { mayPass, why, tryThis = 'promstack logs pushgateway' } = error;
      return mayPass ? { kind: 'waiting', because: why } : { kind: 'broken', why, tryThis };
    }
    const page = await servers.text('pushgateway', '/metrics');
    if (page.includes(`${canaryLabel}="${nonce}"`)) return { kind: 'passed' };
    return { kind: 'waiting', because: 'the Pushgateway accepted the push but does not expose it' };
  },
};

/** The servers reach one another: the engine's DNS gives the name of a service to its container alone. */
const network: Stage = {
  name: 'network',
  claim: 'gives each name to one container',
  isSide: true,
  isPresent: () => true,
  probe: async ({ nameClashes }) => {
    const [clash] = await nameClashes();
    return clash === undefined ? { kind: 'passed' } : { kind: 'broken', ...explainClash(clash) };
  },
};

/** The stages from a push to a delivered notification, in order. */
export const stages: readonly Stage[] = [
  network,
  route,
  push,
  scrape,
  longTerm,
  grafana,
  rule,
  rules,
  arrival,
  delivery,
  receivers,
];

/** From this age a canary cannot belong to a check that is still running. */
const abandonedSeconds = 15 * 60;

/**
 * Deletes the canary of this check, and those of checks that were killed. The alert resolves by itself once Prometheus
 * no longer scrapes the canary. Returns the reason if that fails.
 */
export async function cleanUp(servers: Servers, nonce: string): Promise<string | undefined> {
  const client = pushgatewayOf(servers);
  try {
    await client.delete(canaryGroup(nonce));
    const { groups, now } = await client.list();
    for (const { labels, pushedAt = now } of groups) {
      const isCanary = labels.get('job') === canaryJob && labels.has(canaryLabel);
      if (isCanary && now - pushedAt > abandonedSeconds) await client.delete(labels);
    }
    return undefined;
  } catch (error) {
    if (error instanceof StackError) return error.why;
    throw error;
  }
}
