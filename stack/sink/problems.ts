import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';

/** A sink that nothing can ever reach. */
export function problems(config: StackConfig): readonly Problem[] {
  if (config.alertmanager.enabled) return [];
  return [
    {
      code: 'no-sense',
      severity: 'warning',
      path: ['sink', 'enabled'],
      message: 'the sink shows what Alertmanager sends, and this stack has no Alertmanager',
      hint: 'enable alertmanager, or switch the sink off',
    },
  ];
}
