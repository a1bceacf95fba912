import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { lastReload } from '../prometheus/health.ts';
import { sampleLabel, samplesOf, sumOf } from '../values/metrics-page.ts';
import { parseJson } from '../values/parse.ts';

const port = 9093;
const metricsPage = { method: 'GET', port, path: '/metrics' } as const;

export function healthIndicators(): readonly HealthIndicator[] {
  return [
    { label: 'alerts', request: { method: 'GET', port, path: '/api/v2/alerts' }, read: ({ body }) => readAlerts(body) },
    { label: 'notifications', request: metricsPage, read: ({ body }) => readNotifications(body) },
    { label: 'last reload', request: metricsPage, read: ({ body }, now) => readReload(body, now) },
  ];
}

const alerts = z.array(z.object({ status: z.object({ state: z.string() }) }));

function readAlerts(body: string): Reading | undefined {
  const parsed = alerts.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const suppressed = parsed.data.filter((alert) => alert.status.state === 'suppressed').length;
  const active = parsed.data.length - suppressed;
  return {
    text: `${active} active${suppressed > 0 ? `, ${suppressed} silenced or inhibited` : ''}`,
    values: { active, suppressed },
    tone: 'right',
  };
}

function readNotifications(page: string): Reading {
  const attempted = sumOf(page, 'alertmanager_notifications_total');
  const failures = samplesOf(page, 'alertmanager_notifications_failed_total').filter((sample) => sample.value > 0);
  const failed = failures.reduce((sum, sample) => sum + sample.value, 0);
  const failedBy = [...new Set(failures.map((sample) => sampleLabel(sample, 'integration') ?? ''))].sort();
  const sent = Math.max(0, attempted - failed);
  const values = { sent, failed, failedBy };
  if (failed === 0) return { text: `${sent} sent, none failed`, values, tone: 'right' };
  const by = failedBy.join(', ');
  return {
    text: `${sent} sent, ${failed} failed since it started (${by})`,
    values,
    tone: 'notice',
    problems: [{ message: `notifications via ${by} failed`, tryThis: 'promstack logs alertmanager' }],
  };
}

function readReload(page: string, now: number): Reading | undefined {
  const succeeded = samplesOf(page, 'alertmanager_config_last_reload_successful')[0]?.value;
  const seconds = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value;
  return succeeded === undefined || seconds === undefined ? undefined : lastReload(succeeded === 1, seconds, now);
}
