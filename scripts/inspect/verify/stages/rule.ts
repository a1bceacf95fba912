import { canaryAlert, canaryLabel } from '../../../../stack/canary.ts';
import { findSeries, queryPath, type RunningRule, readRules } from '../../../servers/prometheus-api.ts';
import type { Stage } from '../pipeline-check.ts';

/** The shipped rule fires on the canary. */
export const rule: Stage = {
  name: 'rule',
  claim: `${canaryAlert} fires`,
  isThere: () => true,
  look: async ({ servers, nonce }) => {
    const held = (await readRules(servers)).filter(({ name }) => name === canaryAlert);
    if (held.length === 0) return { kind: 'broken', ...missing(servers.config.prometheus.shipped_rules) };
    const alert = held.flatMap(({ alerts }) => alerts).find(({ labels }) => labels[canaryLabel] === nonce);
    if (alert?.state === 'firing') return { kind: 'passed' };
    const failing = held.find(({ health }) => health === 'err');
    if (failing !== undefined) {
      const why = `the rule ${canaryAlert} cannot be evaluated: ${failing.lastError ?? 'Prometheus does not say why'}`;
      return { kind: 'broken', why, tryThis: ownFile };
    }
    if (alert !== undefined) return { kind: 'waiting', because: `${canaryAlert} is ${alert.state}` };
    // Prometheus has the canary by now, so an expression that does not find it never will.
    const found = await Promise.all(held.map(({ query }) => findSeries(servers, queryPath(query))));
    if (found.flat().some((labels) => labels[canaryLabel] === nonce)) {
      return { kind: 'waiting', because: `${canaryAlert} has not been evaluated` };
    }
    return { kind: 'broken', ...blind(held) };
  },
  explain: async ({ servers }) => {
    const held = (await readRules(servers)).find(({ name }) => name === canaryAlert);
    if (held?.health !== 'unknown') return undefined;
    return { why: 'Prometheus does not evaluate its rules', tryThis: 'promstack logs prometheus' };
  },
};

const file = 'templates/pushgateway/contribute/rules/verify.yml';
const ownFile = `remove or mend your ${file}, then promstack reload`;

function missing(areShipped: boolean): { why: string; tryThis: string } {
  if (areShipped) return { why: `Prometheus has no rule ${canaryAlert}`, tryThis: `promstack up; ${ownFile}` };
  return {
    why: `Prometheus has no rule ${canaryAlert}: prometheus.shipped_rules is off`,
    tryThis: 'switch prometheus.shipped_rules on, or name a copy of that rule in prometheus.rules',
  };
}

function blind(held: readonly RunningRule[]): { why: string; tryThis: string } {
  const query = held.map((one) => one.query).join(' and ');
  return { why: `the rule ${canaryAlert} asks for ${query}, which does not find the canary`, tryThis: ownFile };
}
