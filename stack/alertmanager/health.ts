import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { lastReload } from '../prometheus/health.ts';
import { type MetricSample, sampleLabel, samplesOf, sumOf } from '../values/metrics-page.ts';
import { parseJson } from '../values/parse.ts';
import { counted } from '../values/words.ts';

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

/**
 * A notification that is retried counts as failed by its attempts: Alertmanager counts it as failed only once it gives up,
 * minutes later, and every notification as sent once it starts.
 */
function readNotifications(page: string): Reading {
  const failedOf = (metric: string) => samplesOf(page, metric).filter((sample) => sample.value > 0);
  const attempts = failedOf('alertmanager_notification_requests_failed_total');
  const final = failedOf('alertmanager_notifications_failed_total');
  const sum = (samples: readonly MetricSample[]) => samples.reduce((total, { value }) => total + value, 0);
  const failedAttempts = sum(attempts);
  const failed = sum(final);
  const sent = Math.max(0, sumOf(page, 'alertmanager_notification_requests_total') - failedAttempts);
  const failedBy = [
    ...new Set([...attempts, ...final].map((sample) => sampleLabel(sample, 'integration') ?? '')),
  ].sort();
  const values = { sent, failed, failedAttempts, failedBy };
  if (failedBy.length === 0) return { text: `${sent} sent, none failed`, values, tone: 'right' };
  const by = failedBy.join(', ');
  const failures = `${counted(failedAttempts, 'attempt')} failed, ${failed === 0 ? 'none' : failed} given up`;
  return {
    text: `${sent} sent, ${failures} since it started (${by})`,
    values,
    tone: 'notice',
    problems: [
      {
        message: `notifications via ${by} failed: ${failures} since it started`,
        tryThis: 'promstack logs alertmanager',
      },
    ],
  };
}

function readReload(page: string, now: number): Reading | undefined {
  const succeeded = samplesOf(page, 'alertmanager_config_last_reload_successful')[0]?.value;
  const seconds = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value;
  return succeeded === undefined || seconds === undefined ? undefined : lastReload(succeeded === 1, seconds, now);
}
