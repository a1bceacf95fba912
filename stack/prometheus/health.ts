import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { parseJson } from '../values/parse.ts';
import { ago } from '../values/units.ts';

const port = 9090;

/** How Prometheus is: whether it reaches its targets, what fires, when it last took a config. */
export function healthIndicators(): readonly HealthIndicator[] {
  return [
    {
      label: 'targets',
      request: { method: 'GET', port, path: '/api/v1/targets?state=active' },
      read: ({ body }) => readTargets(parseJson(body)),
    },
    {
      label: 'alerts',
      request: { method: 'GET', port, path: '/api/v1/alerts' },
      read: ({ body }) => readAlerts(parseJson(body)),
    },
    {
      label: 'last reload',
      request: { method: 'GET', port, path: '/api/v1/status/runtimeinfo' },
      read: ({ body }, now) => readReload(parseJson(body), now),
    },
  ];
}

const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        scrapePool: z.string(),
        scrapeUrl: z.string(),
        health: z.string(),
        lastError: z.string().default(''),
      }),
    ),
  }),
});

/** More are counted and not told one by one. */
const mostTold = 5;

function readTargets(answer: unknown): Reading | undefined {
  const parsed = targets.safeParse(answer);
  if (!parsed.success) return undefined;
  const all = parsed.data.data.activeTargets;
  const down = all.filter((target) => target.health === 'down');
  const up = all.filter((target) => target.health === 'up').length;
  const waiting = all.length - up - down.length;
  const text = [
    `${up} up`,
    ...(down.length > 0 ? [`${down.length} down`] : []),
    ...(waiting > 0 ? [`${waiting} not scraped yet`] : []),
  ].join(', ');
  const problems = down.slice(0, mostTold).map((target) => ({
    message: `the target ${target.scrapeUrl} of job ${target.scrapePool} is down: ${target.lastError}`,
  }));
  const untold = down.length - problems.length;
  return {
    text,
    values: { up, down: down.length, waiting, downUrls: down.map((target) => target.scrapeUrl) },
    tone: down.length > 0 ? 'wrong' : 'right',
    problems: [...problems, ...(untold > 0 ? [{ message: `${untold} more targets are down` }] : [])].map(
      (problem, at, { length }) =>
        at === length - 1
          ? {
              ...problem,
              tryThis:
                'see that it listens where the containers can reach it; this host is host.docker.internal to them',
            }
          : problem,
    ),
  };
}

const alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })),
  }),
});

function readAlerts(answer: unknown): Reading | undefined {
  const parsed = alerts.safeParse(answer);
  if (!parsed.success) return undefined;
  const { alerts: all } = parsed.data.data;
  const firing = all.filter((alert) => alert.state === 'firing');
  const pending = all.filter((alert) => alert.state === 'pending');
  const names = [...new Set(firing.map((alert) => alert.labels['alertname'] ?? ''))].sort();
  const firingText = firing.length === 0 ? 'none firing' : `${firing.length} firing (${names.join(', ')})`;
  return {
    text: pending.length === 0 ? firingText : `${firingText}, ${pending.length} pending`,
    values: { firing: firing.length, pending: pending.length, firingNames: names },
    tone: firing.length > 0 ? 'notice' : 'right',
  };
}

const runtimeInfo = z.object({ data: z.object({ reloadConfigSuccess: z.boolean(), lastConfigTime: z.string() }) });

function readReload(answer: unknown, now: number): Reading | undefined {
  const parsed = runtimeInfo.safeParse(answer);
  if (!parsed.success) return undefined;
  const { reloadConfigSuccess: succeeded, lastConfigTime } = parsed.data.data;
  const at = Date.parse(lastConfigTime);
  const values = { succeeded, lastSuccess: at / 1000 };
  if (succeeded) return { text: ago(at, now), values, tone: 'right' };
  return {
    text: `refused; the config in force is of ${ago(at, now)}`,
    values,
    tone: 'wrong',
    problems: [{ message: 'it refused its last reload and runs an older config', tryThis: 'promstack up' }],
  };
}
