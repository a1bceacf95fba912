import type { Labels } from '../../../../stack/alertmanager/matcher.ts';
import { canaryAlert, canaryJob, canaryLabel, canaryMetric } from '../../../../stack/canary.ts';
import { logProblems, ruleFailure } from '../../../../stack/prometheus/health.ts';
import { counted } from '../../../../stack/values/words.ts';
import { PrometheusClient, type RunningRule, type ScrapeTarget } from '../../../servers/prometheus.ts';
import type { Servers } from '../../../servers/servers.ts';
import type { Cause, Stage } from '../pipeline-check.ts';

/** The expression that finds the canary. */
export const canaryQuery = (nonce: string): string => `${canaryMetric}{${canaryLabel}="${nonce}"}`;

/** Prometheus has scraped the canary, with the job it was pushed with. */
export const scrape: Stage = {
  name: 'prometheus',
  claim: 'scraped it with its labels unchanged',
  isPresent: () => true,
  probe: async ({ servers, nonce }) => {
    const client = new PrometheusClient(servers);
    const [series] = await client.series(canaryQuery(nonce));
    if (series === undefined) {
      const [target, age] = await Promise.all([gatewayTarget(servers), client.configAge()]);
      if (target === undefined && age > discoverySeconds) return { kind: 'broken', ...noJob };
      return { kind: 'waiting', because: 'Prometheus has not scraped the canary' };
    }
    if (series['job'] === canaryJob) return { kind: 'passed' };
    return { kind: 'broken', ...(series['exported_job'] === canaryJob ? notHonoured(series) : relabelled(series)) };
  },
  explain: async ({ servers }) => {
    const target = await gatewayTarget(servers);
    if (target === undefined) return noJob;
    const { health, scrapePool, lastError } = target;
    if (health === 'down') {
      return {
        why: `Prometheus cannot scrape the Pushgateway (job ${scrapePool}): ${lastError}`,
        tryThis: 'promstack logs pushgateway prometheus',
      };
    }
    if (health === 'unknown') {
      return {
        why: `Prometheus has not scraped the Pushgateway (job ${scrapePool}) yet`,
        tryThis: 'use a --timeout longer than the scrape_interval of that job',
      };
    }
    return {
      why: `Prometheus scrapes the Pushgateway (job ${scrapePool}) but does not have the canary`,
      tryThis: 'check whether its metric_relabel_configs drop it, or use a --timeout longer than its scrape_interval',
    };
  },
};

/** Prometheus lists a new job's targets within this time. */
const discoverySeconds = 12;

const noJob: Cause = {
  why: 'no scrape job of Prometheus has the Pushgateway as a target',
  tryThis:
    'add "- !spread contributed.scrapes" to scrape_configs in templates/prometheus/prometheus.yml, and keep the job in templates/pushgateway/contribute/scrapes.yml, then promstack reload',
};

function notHonoured({ job }: Labels): Cause {
  return {
    why: `the job ${job} does not honour labels: job="${canaryJob}" became job="${job}", exported_job="${canaryJob}"`,
    tryThis: 'add honor_labels: true to the job that scrapes the Pushgateway, then promstack reload',
  };
}

function relabelled({ job = '' }: Labels): Cause {
  return {
    why: `Prometheus changed job="${canaryJob}" of the canary to job="${job}"`,
    tryThis: 'check the metric_relabel_configs of the job that scrapes the Pushgateway',
  };
}

async function gatewayTarget(servers: Servers): Promise<ScrapeTarget | undefined> {
  const targets = await new PrometheusClient(servers).targets();
  return targets.find(({ scrapeUrl }) => /\/\/pushgateway(:\d+)?\//.test(scrapeUrl));
}

/** The shipped rule fires for the canary. */
export const rule: Stage = {
  name: 'rule',
  claim: `${canaryAlert} fires`,
  isPresent: () => true,
  probe: async ({ servers, nonce }) => {
    const client = new PrometheusClient(servers);
    const rules = await canaryRules(client);
    if (rules.length === 0) return { kind: 'broken', ...noRule(servers.config.prometheus.shipped_rules) };
    const alert = rules.flatMap(({ alerts }) => alerts).find(({ labels }) => labels[canaryLabel] === nonce);
    if (alert?.state === 'firing') return { kind: 'passed' };
    const failing = rules.find(({ health }) => health === 'err');
    if (failing !== undefined) {
      const why = `the rule ${canaryAlert} cannot be evaluated: ${failing.lastError ?? 'Prometheus gives no reason'}`;
      return { kind: 'broken', why, tryThis: fixRule };
    }
    if (alert !== undefined) return { kind: 'waiting', because: `${canaryAlert} is ${alert.state}` };
    // Prometheus has the canary at this stage: an expression that does not select it now never will.
    const series = await Promise.all(rules.map(({ query }) => client.series(query)));
    if (series.flat().some((labels) => labels[canaryLabel] === nonce)) {
      return { kind: 'waiting', because: `${canaryAlert} has not been evaluated` };
    }
    const query = rules.map((running) => running.query).join(' and ');
    return {
      kind: 'broken',
      why: `the expression of ${canaryAlert}, ${query}, does not select the canary`,
      tryThis: fixRule,
    };
  },
  explain: async ({ servers }) => {
    const [running] = await canaryRules(new PrometheusClient(servers));
    if (running?.health !== 'unknown') return undefined;
    return { why: 'Prometheus does not evaluate its rules', tryThis: 'promstack logs prometheus' };
  },
};

/** All rules are evaluated: one that fails never fires, though the server is healthy. */
export const rules: Stage = {
  name: 'rules',
  claim: 'are evaluated without errors',
  isSide: true,
  isPresent: () => true,
  probe: async ({ servers, startedAt }) => {
    const client = new PrometheusClient(servers);
    const all = await client.rules();
    const loadedAt = await client.configLoadedAt();
    const since = new Date(Math.max(startedAt.getTime() - recentMs, loadedAt));
    const lines = await servers.lines('prometheus', since);
    const failures = [
      ...all.filter(({ health }) => health === 'err').map(ruleFailure),
      ...logProblems(lines.map(({ text }) => text)).map(({ message }) => message),
    ];
    if (failures.length > 0) {
      const others = failures.length > 1 ? ` (and ${counted(failures.length - 1, 'more failure')})` : '';
      return {
        kind: 'broken',
        why: `${failures[0]}${others}`,
        tryThis: 'fix it in its rule file, then promstack reload; promstack status lists all',
      };
    }
    const waiting = all.filter(({ health }) => health === 'unknown').length;
    return { kind: 'passed', detail: waiting === 0 ? undefined : `${counted(waiting, 'rule')} not evaluated yet` };
  },
};

/** How far back the log is read. */
const recentMs = 15 * 60_000;

async function canaryRules(client: PrometheusClient): Promise<readonly RunningRule[]> {
  return (await client.rules('alert')).filter(({ name }) => name === canaryAlert);
}

const fixRule = 'remove or fix your templates/pushgateway/contribute/rules/verify.yml, then promstack reload';

function noRule(areShipped: boolean): Cause {
  if (areShipped) return { why: `Prometheus has no rule ${canaryAlert}`, tryThis: `promstack up; ${fixRule}` };
  return {
    why: `Prometheus has no rule ${canaryAlert}: prometheus.shipped_rules is off`,
    tryThis: 'set prometheus.shipped_rules to true, or add a copy of that rule to prometheus.rules',
  };
}
