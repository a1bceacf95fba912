import * as z from 'zod';
import type { HealthIndicator, Reading } from '../model.ts';
import { labelOf, samplesOf, sumOf } from '../values/metrics-page.ts';
import { parseJson } from '../values/parse.ts';
import { ago } from '../values/units.ts';

const port = 9093;
const metricsPage = { method: 'GET', port, path: '/metrics' } as const;

/** How Alertmanager is: what it holds, whether it gets through to the receivers, when it last took a config. */
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
  const by = [...new Set(failures.map((sample) => labelOf(sample, 'integration') ?? ''))].sort();
  const sent = Math.max(0, attempted - failed);
  return {
    text:
      failed === 0 ? `${sent} sent, none failed` : `${sent} sent, ${failed} failed since it started (${by.join(', ')})`,
    values: { sent, failed, failedBy: by },
    tone: failed === 0 ? 'right' : 'notice',
    ...(failed === 0
      ? {}
      : {
          problems: [{ message: `notifications by ${by.join(', ')} failed`, tryThis: 'promstack logs alertmanager' }],
        }),
  };
}

function readReload(page: string, now: number): Reading | undefined {
  const succeeded = samplesOf(page, 'alertmanager_config_last_reload_successful')[0]?.value;
  const seconds = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value;
  if (succeeded === undefined || seconds === undefined) return undefined;
  const values = { succeeded: succeeded === 1, lastSuccess: seconds };
  if (succeeded === 1) return { text: ago(seconds * 1000, now), values, tone: 'right' };
  return {
    text: `refused; the config in force is of ${ago(seconds * 1000, now)}`,
    values,
    tone: 'wrong',
    problems: [{ message: 'it refused its last reload and runs an older config', tryThis: 'promstack up' }],
  };
}
