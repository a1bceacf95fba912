import { stringify } from 'yaml';
import type { StackConfig } from '../config.ts';
import { exporterServices, pagesIn } from '../exporters/services.ts';
import type { RenderedFile } from '../model.ts';
import type { Mapping } from '../values/mapping.ts';

const limitRecord = 'promstack_sample_limit';
/** The fraction of a limit from which on an alert says that it is near. */
const near = 0.8;

/**
 * The limits of stack.yml as series, since Prometheus has no metric of them: the shipped alerts compare with them. The series without a job is
 * the limit of all other jobs.
 */
export function limitRules(config: StackConfig): readonly RenderedFile[] {
  const { scrape_configs: jobs, global, shipped_rules: isShipped, mode } = config.prometheus;
  if (!isShipped || mode !== 'server') return [];
  const contributed = [...exporterServices(config), ...pagesIn(config)].flatMap((from) => from.scrapes?.(config) ?? []);
  const limits = new Map<string, number>();
  for (const job of [...contributed, ...jobs] as readonly Mapping[]) {
    const limit = limitOf(job['sample_limit']);
    if (limit !== undefined) limits.set(String(job['job_name']), limit);
  }
  const general = limitOf(global?.['sample_limit']) ?? 0;
  const records = [...limits].map(([job, limit]) => ({
    record: limitRecord,
    expr: `vector(${limit})`,
    labels: { job },
  }));
  const rules = [
    ...records,
    ...(general > 0 ? [{ record: limitRecord, expr: `vector(${general})` }] : []),
    ...groupRules(config),
  ];
  if (rules.length === 0) return [];
  const text = stringify({ groups: [{ name: 'promstack-limits', interval: '1m', rules }] });
  const content = `# Written by promstack: the limits on samples in stack.yml.\n${text}`;
  return [{ service: 'prometheus', path: 'rules/promstack-limits.yml', content, mode: 0o444, origin: 'promstack' }];
}

/** 0 means no limit, also for a job below a limit of all jobs. */
function limitOf(value: unknown): number | undefined {
  return value === undefined || value === null || !Number.isInteger(Number(value)) ? undefined : Number(value);
}

/** All series are looked at, so this rule exists only where a limit is set. */
function groupRules({ pushgateway: { enabled, group_sample_limit: limit } }: StackConfig): readonly Mapping[] {
  if (!enabled || limit === undefined) return [];
  return [
    {
      alert: 'PushgatewayGroupNearLimit',
      expr: `count by (job, instance) ({__name__!~"ALERTS|ALERTS_FOR_STATE|push_time_seconds|push_failure_time_seconds", job!=""} and on (job, instance) push_time_seconds) > ${near} * ${limit}`,
      for: '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The pushed groups of {{ $labels.job }} have many samples',
        description: `The pushed groups with this job and instance have {{ $value }} samples; pushgateway.group_sample_limit is ${limit}. The Pushgateway itself accepts more.`,
        runbook:
          '1. Find the metrics that have most series: promstack groups --job JOB.\n2. Push fewer of them, or fewer label values, and delete the group once: promstack groups rm.\n3. If that many are meant, raise pushgateway.group_sample_limit.\n',
      },
    },
  ];
}
