import { z } from 'zod';
import { toMetricType } from '../../stack/exposition/family.ts';
import type { HeldFamily, HeldGroup } from '../../stack/exposition/held.ts';
import type { Labels } from '../../stack/exposition/identity.ts';

const labels = z.record(z.string(), z.string());
const family = z.object({
  type: z.string(),
  help: z.string().optional(),
  metrics: z.array(z.object({ labels, value: z.string().optional() })),
});
const answer = z.object({ data: z.array(z.record(z.string(), z.unknown())).optional() });

/** The groups in an answer to `GET /api/v1/metrics`; undefined when it is none. */
export function readHeldGroups(json: string): readonly HeldGroup[] | undefined {
  const parsed = answer.safeParse(parseJson(json));
  return parsed.success ? (parsed.data.data ?? []).map(toGroup) : undefined;
}

/**
 * Metrics stand beside `labels` and `last_push_successful`, so a metric that is called `labels` hides the labels of its
 * group; `push_time_seconds`, which every group has, bears them too.
 */
function toGroup(entry: Readonly<Record<string, unknown>>): HeldGroup {
  const families = new Map<string, HeldFamily>();
  let pushedAt: number | undefined;
  let failedAt: number | undefined;
  let pushedLabels: Labels = new Map();
  for (const [name, value] of Object.entries(entry)) {
    const parsed = family.safeParse(value);
    if (!parsed.success) continue;
    const { type, help = '', metrics } = parsed.data;
    const [first] = metrics;
    if (name === 'push_time_seconds') {
      pushedAt = toTime(first?.value);
      pushedLabels = withoutEmptyInstance(first?.labels ?? {});
    } else if (name === 'push_failure_time_seconds') {
      failedAt = toTime(first?.value);
    } else {
      const series = metrics.map((metric) => new Map(Object.entries(metric.labels)));
      families.set(name, { type: toMetricType(type), help, series });
    }
  }
  const told = labels.safeParse(entry['labels']);
  const group = told.success ? new Map(Object.entries(told.data)) : pushedLabels;
  return { labels: jobFirst(group), families, pushedAt, failedAt };
}

function toTime(value: string | undefined): number | undefined {
  const seconds = Number(value ?? 0);
  return seconds > 0 ? seconds : undefined;
}

function withoutEmptyInstance(all: Readonly<Record<string, string>>): Labels {
  return new Map(Object.entries(all).filter(([name, value]) => name !== 'instance' || value !== ''));
}

function jobFirst(group: Labels): Labels {
  const others = [...group].filter(([name]) => name !== 'job').sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map([['job', group.get('job') ?? ''], ...others]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
