import * as z from 'zod';
import { canaryLabel, canaryMetric } from '../../stack/canary.ts';
import { NoAnswerError, type Servers } from './servers.ts';

const service = 'prometheus';

const labelSet = z.record(z.string(), z.string());
const vector = z.object({ data: z.object({ result: z.array(z.object({ metric: labelSet })) }) });
const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({ scrapeUrl: z.string(), scrapePool: z.string(), health: z.string(), lastError: z.string() }),
    ),
  }),
});
const rules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            query: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            alerts: z.array(z.object({ labels: labelSet, state: z.string() })).default([]),
          }),
        ),
      }),
    ),
  }),
});
const runtimeInfo = z.object({ data: z.object({ lastConfigTime: z.string() }) });
const scalar = z.object({ data: z.object({ result: z.tuple([z.number(), z.string()]) }) });
const alertmanagers = z.object({
  data: z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }),
});

/** A target of Prometheus. */
export type ScrapeTarget = z.infer<typeof targets>['data']['activeTargets'][number];

/** An alert rule as Prometheus holds it. */
export type RunningRule = z.infer<typeof rules>['data']['groups'][number]['rules'][number];

/** The path of an instant query for the canary; its labels tell how it came. */
export function canaryQuery(nonce: string): string {
  return queryPath(`${canaryMetric}{${canaryLabel}="${nonce}"}`);
}

/** The series in the answer to an instant query, by their labels; undefined when it is no such answer. */
export function seriesIn(answer: unknown): readonly Readonly<Record<string, string>>[] | undefined {
  const parsed = vector.safeParse(answer);
  return parsed.success ? parsed.data.data.result.map(({ metric }) => metric) : undefined;
}

/** The series an instant query finds. */
export async function findSeries(servers: Servers, path: string): Promise<readonly Readonly<Record<string, string>>[]> {
  return seriesIn(await servers.json(service, path)) ?? unread(path);
}

/** The path of an instant query. */
export function queryPath(expr: string): string {
  return `/api/v1/query?query=${encodeURIComponent(expr)}`;
}

/** What Prometheus scrapes. */
export async function readTargets(servers: Servers): Promise<readonly ScrapeTarget[]> {
  const path = '/api/v1/targets?state=active';
  const parsed = targets.safeParse(await servers.json(service, path));
  return parsed.success ? parsed.data.data.activeTargets : unread(path);
}

/** Seconds since Prometheus took its config, by its own clock; its list of targets comes up to 5 s later. */
export async function configAge(servers: Servers): Promise<number> {
  const path = '/api/v1/status/runtimeinfo';
  const [info, time] = await Promise.all([servers.json(service, path), servers.json(service, queryPath('time()'))]);
  const parsed = { info: runtimeInfo.safeParse(info), time: scalar.safeParse(time) };
  if (!parsed.info.success || !parsed.time.success) return unread(path);
  return parsed.time.data.data.result[0] - Date.parse(parsed.info.data.data.lastConfigTime) / 1000;
}

/** The alert rules Prometheus has loaded. */
export async function readRules(servers: Servers): Promise<readonly RunningRule[]> {
  const path = '/api/v1/rules?type=alert';
  const parsed = rules.safeParse(await servers.json(service, path));
  return parsed.success ? parsed.data.data.groups.flatMap((group) => group.rules) : unread(path);
}

/** The Alertmanagers Prometheus sends alerts to. */
export async function readAlertmanagers(servers: Servers): Promise<readonly string[]> {
  const path = '/api/v1/alertmanagers';
  const parsed = alertmanagers.safeParse(await servers.json(service, path));
  return parsed.success ? parsed.data.data.activeAlertmanagers.map(({ url }) => url) : unread(path);
}

function unread(path: string): never {
  const why = `its answer to ${path} is not what Prometheus answers`;
  throw new NoAnswerError({ service, why, tryThis: 'see prometheus.image in stack.yml', isDown: false });
}
