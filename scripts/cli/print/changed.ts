import { counted } from '../../../stack/values/words.ts';
import type { Changed } from '../../apply/change.ts';

const done: Readonly<Record<string, string>> = {
  create: 'created',
  start: 'started',
  reload: 'reloaded',
  recreate: 'recreated',
  remove: 'removed',
};

/** What a change did to each service, and where to open it. */
export function printChanged({ plan, urls }: Pick<Changed, 'plan' | 'urls'>): string {
  const changing = plan.changes.filter(({ action }) => action !== 'none');
  const kept = plan.changes.length - changing.length;
  const head =
    plan.steps.length === 0
      ? `${plan.stack}: nothing to do, ${counted(kept, 'service')} unchanged (revision ${plan.revision})`
      : `${plan.stack}: ${changing.length} changed, ${kept} unchanged (revision ${plan.revision})`;
  const width = Math.max(0, ...plan.changes.map(({ service }) => service.length));
  const lines = plan.changes.map(({ service, action }) => {
    const url = urls.find((one) => one.service === service)?.url ?? '';
    return `  ${service.padEnd(width)}  ${(done[action] ?? 'unchanged').padEnd(9)}  ${url}`.trimEnd();
  });
  return `${[head, ...lines].join('\n')}\n`;
}
