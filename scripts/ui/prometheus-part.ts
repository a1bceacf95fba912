import { configDir } from '../../stack/values/container.ts';
import { sumOf } from '../../stack/values/metrics-page.ts';
import { PrometheusClient, type RunningAlert, type RunningRule, type ScrapeTarget } from '../servers/prometheus.ts';
import type { Servers } from '../servers/servers.ts';
import { idOf } from './gateway-part.ts';
import type { RuleDetails, TargetDetails } from './page-requests.ts';
import type { PageRule, PageTarget } from './page-state.ts';

/** A scrape target with what only its details show. */
export interface TargetPart {
  readonly item: PageTarget;
  readonly target: ScrapeTarget;
}

export async function readTargets(servers: Servers): Promise<readonly TargetPart[]> {
  const targets = await new PrometheusClient(servers).targets();
  return targets.map((target) => ({ item: toPageTarget(target), target }));
}

function toPageTarget({ scrapePool, scrapeUrl, health, lastError, labels }: ScrapeTarget): PageTarget {
  const job = labels['job'] ?? scrapePool;
  const states = { up: 'ok', down: 'wrong' } as const;
  return {
    id: idOf(JSON.stringify([scrapePool, scrapeUrl, Object.entries(labels).sort()])),
    ...{ job, instance: labels['instance'] ?? '', url: scrapeUrl, health },
    state: states[health as keyof typeof states] ?? 'unknown',
    error: lastError === '' ? undefined : lastError,
  };
}

export function targetDetails({ item, target }: TargetPart): TargetDetails {
  const { labels, lastScrape, lastScrapeDuration, scrapeInterval, scrapeTimeout } = target;
  return {
    ...{ target: item, labels, lastScrape: timeOf(lastScrape) },
    ...{ scrapeSeconds: lastScrapeDuration, interval: scrapeInterval, timeout: scrapeTimeout },
  };
}

/** A rule with what only its details show. */
export interface RulePart {
  readonly item: PageRule;
  readonly rule: RunningRule;
}

/** The rules of Prometheus, and all alerts of them that are pending or firing. */
export async function readRules(
  servers: Servers,
): Promise<{ readonly rules: readonly RulePart[]; readonly alerts: readonly RunningAlert[] }> {
  const rules = await new PrometheusClient(servers).rules();
  const seen = new Map<string, number>();
  return {
    alerts: rules.flatMap(({ alerts }) => alerts),
    rules: rules.map((rule) => {
      const key = JSON.stringify([rule.file, rule.group, rule.name, rule.query, Object.entries(rule.labels).sort()]);
      // Two rules of a group may be equal.
      const times = seen.get(key) ?? 0;
      seen.set(key, times + 1);
      return { rule, item: toPageRule(rule, idOf(`${key} ${times}`)) };
    }),
  };
}

function toPageRule(rule: RunningRule, id: string): PageRule {
  const { group, file, name, type, health, lastError = '', alerts } = rule;
  const kind = type === 'recording' ? 'record' : 'alert';
  const active = alerts.filter(({ state }) => state !== 'inactive');
  const isFiring = active.some(({ state }) => state === 'firing');
  const inUse = isFiring ? 'firing' : active.length > 0 ? 'pending' : 'inactive';
  const isWrong = health === 'err';
  return {
    ...{ id, group, name, kind, health, active: active.length },
    file: file.startsWith(`${configDir}/`) ? file.slice(configDir.length + 1) : file,
    state: isWrong ? 'wrong' : health === 'unknown' ? 'unknown' : active.length > 0 ? 'notice' : 'ok',
    activity: kind === 'record' ? 'recording' : inUse,
    error: lastError === '' ? undefined : lastError,
  };
}

export function ruleDetails({ item, rule }: RulePart): RuleDetails {
  const { query, labels, annotations, duration, lastEvaluation, evaluationTime } = rule;
  return {
    ...{ rule: item, expr: query, labels, annotations, forSeconds: duration },
    ...{ evaluatedAt: timeOf(lastEvaluation), tookSeconds: evaluationTime },
  };
}

/** A time of Prometheus's API; undefined for the zero of Go, which means never. */
function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

/** Counters of Prometheus since it started, and rates that it computes itself. */
export interface PrometheusCounts {
  readonly evaluations: number;
  readonly failedEvaluations: number;
  readonly alertsSent: number;
  readonly alertsFailed: number;
  /** Samples a second, those of the Pushgateway apart; undefined when they cannot be asked for. */
  readonly gatewaySamples: number | undefined;
  readonly targetSamples: number | undefined;
}

/** `windowSeconds` is the time that the rates of samples are averaged over. */
export async function readPrometheus(servers: Servers, windowSeconds: number): Promise<PrometheusCounts> {
  const client = new PrometheusClient(servers);
  const samplesOfJobs = `sum by (gateway) (label_replace(sum by (job) (sum_over_time(scrape_samples_scraped[${windowSeconds}s])), "gateway", "yes", "job", "pushgateway"))`;
  const [page, samples] = await Promise.all([
    servers.text('prometheus', '/metrics', 'reading the metrics of Prometheus'),
    servers.config.prometheus.mode === 'server' ? client.query(samplesOfJobs) : undefined,
  ]);
  const rateOf = (isGateway: boolean): number | undefined => {
    const value = samples?.find(({ labels }) => (labels['gateway'] === 'yes') === isGateway)?.value;
    return samples === undefined ? undefined : (value ?? 0) / windowSeconds;
  };
  return {
    evaluations: sumOf(page, 'prometheus_rule_evaluations_total'),
    failedEvaluations: sumOf(page, 'prometheus_rule_evaluation_failures_total'),
    alertsSent: sumOf(page, 'prometheus_notifications_sent_total'),
    alertsFailed:
      sumOf(page, 'prometheus_notifications_errors_total') + sumOf(page, 'prometheus_notifications_dropped_total'),
    gatewaySamples: rateOf(true),
    targetSamples: rateOf(false),
  };
}
