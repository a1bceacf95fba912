import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';

/** A Grafana that has nothing to show. */
export function problems(config: StackConfig): readonly Problem[] {
  if (config.prometheus.enabled) return [];
  return [
    {
      code: 'no-sense',
      severity: 'warning',
      path: ['grafana', 'enabled'],
      message: 'Grafana shows what Prometheus holds, and this stack has no Prometheus',
      hint: 'enable prometheus, or switch Grafana off',
    },
  ];
}
