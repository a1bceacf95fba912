import { counted } from '../../../stack/values/words.ts';
import type { Changed } from '../../apply/change-stack.ts';

const done: Readonly<Record<string, string>> = {
  create: 'created',
  start: 'started',
  reload: 'reloaded',
  recreate: 'made anew',
  remove: 'removed',
};

/** What a change came to, as a person reads it: what was done to each service and where to find it. */
export function printChanged({ plan, urls }: Pick<Changed, 'plan' | 'urls'>): string {
  const changing = plan.changes.filter(({ action }) => action !== 'none');
  const kept = plan.changes.length - changing.length;
  const head =
    plan.steps.length === 0
      ? `${plan.stack}: nothing to do, ${counted(kept, 'service')} ${kept === 1 ? 'is as it' : 'are as they'} should be (revision ${plan.revision})`
      : `${plan.stack}: ${changing.length} changed, ${kept} already as they should be (revision ${plan.revision})`;
  const width = Math.max(0, ...plan.changes.map(({ service }) => service.length));
  const lines = plan.changes.map(({ service, action }) => {
    const url = urls.find((one) => one.service === service)?.url ?? '';
    return `  ${service.padEnd(width)}  ${(done[action] ?? 'unchanged').padEnd(9)}  ${url}`.trimEnd();
  });
  return `${[head, ...lines].join('\n')}\n`;
}
