import * as z from 'zod';
import type { HealthIndicator, HttpResponse, Reading } from '../model.ts';
import { lastReload } from '../prometheus/health.ts';
import { sampleLabel, samplesOf, sumOf } from '../values/metrics-page.ts';
import { parseJson } from '../values/parse.ts';
import { counted } from '../values/words.ts';

const port = 9093;
const metricsPage = { method: 'GET', port, path: '/metrics' } as const;

export function healthIndicators(): readonly HealthIndicator[] {
  return [
    { label: 'alerts', request: { method: 'GET', port, path: '/api/v2/alerts' }, read: ({ body }) => readAlerts(body) },
    {
      label: 'notifications',
      request: metricsPage,
      query: { method: 'GET', port: 9090, path: `/api/v1/query?query=${encodeURIComponent(earlierFailures)}` },
      read: ({ body }, _now, _startedAt, queried) => readNotifications(body, queried),
    },
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

const failureCounters = ['alertmanager_notification_requests_failed_total', 'alertmanager_notifications_failed_total'];

/** How far back a failed notification counts, in minutes, where Prometheus knows the counters of that time. */
const recentMinutes = 15;

/** The failures until then, by counter and integration. */
const earlierFailures = `sum by (kind, integration) (label_replace({__name__=~"${failureCounters.join('|')}", job="alertmanager"} offset ${recentMinutes}m, "kind", "$1", "__name__", "(.*)"))`;

const vector = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.object({ kind: z.string(), integration: z.string() }),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

/**
 * A notification that is retried counts as failed by its attempts: Alertmanager counts it as failed only once it gives up,
 * minutes later, and every notification as sent once it starts.
 */
function readNotifications(page: string, queried: HttpResponse | undefined): Reading {
  const earlier = queried === undefined ? undefined : vector.safeParse(parseJson(queried.body)).data?.data.result;
  const [attempts = [], final = []] = failureCounters.map((kind) => failuresIn(page, kind, earlier));
  const sum = (failures: readonly Failures[], count: 'all' | 'recent') =>
    failures.reduce((total, failure) => total + failure[count], 0);
  const failedAttempts = sum(attempts, 'all');
  const failed = sum(final, 'all');
  const sent = Math.max(0, sumOf(page, 'alertmanager_notification_requests_total') - failedAttempts);
  const named = (count: 'all' | 'recent') => {
    const failing = [...attempts, ...final].filter((failure) => failure[count] > 0);
    return [...new Set(failing.map(({ integration }) => integration))].sort();
  };
  const [failedBy, recentlyFailedBy] = [named('all'), named('recent')];
  const values = { sent, failed, failedAttempts, failedBy, recentlyFailedBy };
  if (failedBy.length === 0) return { text: `${sent} sent, none failed`, values, tone: 'right' };
  const failures = (count: 'all' | 'recent'): string => {
    const givenUp = sum(final, count);
    return `${counted(sum(attempts, count), 'attempt')} failed, ${givenUp === 0 ? 'none' : givenUp} given up`;
  };
  const since = earlier === undefined ? 'since it started' : `in the last ${recentMinutes} minutes`;
  if (recentlyFailedBy.length === 0) {
    const before = `before that: ${failures('all')} (${failedBy.join(', ')})`;
    return { text: `${sent} sent, none failed ${since}; ${before}`, values, tone: 'right' };
  }
  const by = recentlyFailedBy.join(', ');
  return {
    text: `${sent} sent, ${failures('recent')} ${since} (${by})`,
    values,
    tone: 'notice',
    problems: [
      {
        message: `notifications via ${by} failed: ${failures('recent')} ${since}`,
        tryThis: 'promstack logs alertmanager',
      },
    ],
  };
}

/** The failures of one integration since Alertmanager started, and since the time of the earlier ones. */
interface Failures {
  readonly integration: string;
  readonly all: number;
  readonly recent: number;
}

function failuresIn(
  page: string,
  kind: string,
  earlier: z.infer<typeof vector>['data']['result'] = [],
): readonly Failures[] {
  const totals = new Map<string, number>();
  for (const sample of samplesOf(page, kind)) {
    const integration = sampleLabel(sample, 'integration') ?? '';
    totals.set(integration, (totals.get(integration) ?? 0) + sample.value);
  }
  return [...totals].map(([integration, all]) => {
    const before = earlier.find(({ metric }) => metric.kind === kind && metric.integration === integration);
    const previous = Number(before?.value[1] ?? 0);
    // A lower counter has started again since.
    return { integration, all, recent: previous > all ? all : all - previous };
  });
}

function readReload(page: string, now: number): Reading | undefined {
  const succeeded = samplesOf(page, 'alertmanager_config_last_reload_successful')[0]?.value;
  const seconds = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value;
  return succeeded === undefined || seconds === undefined ? undefined : lastReload(succeeded === 1, seconds, now);
}
