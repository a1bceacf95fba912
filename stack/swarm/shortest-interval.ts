import type { StackConfig } from '../config.ts';
import { isMapping } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';

/** The longest time between two scrapes of the Pushgateway (templates/pushgateway/contribute/scrapes.yml). */
const pushgatewayMs = 10_000;

/** The shortest of all intervals of scrapes and rules in stack.yml, in milliseconds. */
export function shortestInterval(config: StackConfig): number {
  const { prometheus, exporters, pushgateway } = config;
  const given = [prometheus, exporters].flatMap(intervalsIn);
  return Math.min(...given, ...(pushgateway.enabled ? [pushgatewayMs] : []));
}

function intervalsIn(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.flatMap(intervalsIn);
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key !== 'scrape_interval' && key !== 'evaluation_interval') return intervalsIn(inner);
    const ms = parseDuration(String(inner)) ?? 0;
    return ms > 0 ? [ms] : [];
  });
}
