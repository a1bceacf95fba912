import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { parseJson } from '../values/parse.ts';
import { ago } from '../values/units.ts';

const port = 9090;

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

/** More targets than this are counted instead of listed. */
const maxListed = 5;

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
  const messages = down
    .slice(0, maxListed)
    .map((target) => `the target ${target.scrapeUrl} of job ${target.scrapePool} is down: ${target.lastError}`);
  if (down.length > maxListed) messages.push(`${down.length - maxListed} more targets are down`);
  const tryThis =
    'check that it listens on an address the containers can reach; this host is host.docker.internal to them';
  return {
    text,
    values: { up, down: down.length, waiting, downUrls: down.map((target) => target.scrapeUrl) },
    tone: down.length > 0 ? 'wrong' : 'right',
    problems: messages.map((message, at) => (at === messages.length - 1 ? { message, tryThis } : { message })),
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
  const { reloadConfigSuccess, lastConfigTime } = parsed.data.data;
  return lastReload(reloadConfigSuccess, Date.parse(lastConfigTime) / 1000, now);
}

/** Whether a server accepted its last reload, and when it last accepted one, in seconds since 1970. */
export function lastReload(succeeded: boolean, lastSuccess: number, now: number): Reading {
  const values = { succeeded, lastSuccess };
  const time = ago(lastSuccess * 1000, now);
  if (succeeded) return { text: time, values, tone: 'right' };
  return {
    text: `failed; the running config was loaded ${time}`,
    values,
    tone: 'wrong',
    problems: [{ message: 'its last reload failed, and it runs an older config', tryThis: 'promstack up' }],
  };
}
