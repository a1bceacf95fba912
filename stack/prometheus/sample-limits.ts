import { stringify } from 'yaml';
import type { StackConfig } from '../config.ts';
import { exporterServices, pagesIn } from '../exporters/services.ts';
import type { RenderedFile } from '../model.ts';
import type { Mapping } from '../values/mapping.ts';
import { memoryLimitRecords } from './memory-limits.ts';

const limitRecord = 'promstack_sample_limit';

/**
 * The limits of stack.yml as series, since Prometheus has no metric of them: the shipped alerts compare with them. The series without a job is
 * the limit of all other jobs.
 */
export function limitRules(config: StackConfig): readonly RenderedFile[] {
  const { scrape_configs: jobs, global, shipped_rules: isShipped, mode } = config.prometheus;
  const { enabled: hasGroups, group_sample_limit: groupLimit } = config.pushgateway;
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
    ...(hasGroups && groupLimit !== undefined
      ? [{ record: 'promstack_group_sample_limit', expr: `vector(${groupLimit})` }]
      : []),
    ...memoryLimitRecords(config),
  ];
  if (rules.length === 0) return [];
  const text = stringify({ groups: [{ name: 'promstack-limits', interval: '1m', rules }] });
  const content = `# Written by promstack: the limits in stack.yml.\n${text}`;
  return [{ service: 'prometheus', path: 'rules/promstack-limits.yml', content, mode: 0o444, origin: 'promstack' }];
}

/** 0 means no limit, also for a job below a limit of all jobs. */
function limitOf(value: unknown): number | undefined {
  return value === undefined || value === null || !Number.isInteger(Number(value)) ? undefined : Number(value);
}

/** Whether a shipped rule file belongs to a stack: those about a limit only where it is set. */
export function isLimitSet(path: string, config: StackConfig): boolean {
  if (path === 'contribute/rules/pushgateway-limit.yml') return config.pushgateway.group_sample_limit !== undefined;
  if (path === 'contribute/rules/memory-limit.yml') return memoryLimitRecords(config).length > 0;
  return true;
}
