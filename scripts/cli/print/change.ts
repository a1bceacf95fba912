import { counted } from '../../../stack/values/words.ts';
import type { Changed } from '../../apply/change.ts';
import type { ServiceOutcome } from '../../apply/start-stop.ts';
import type { Action, Plan } from '../../plan/plan.ts';
import { isConfigWriter } from '../../state/names.ts';
import { durationText } from '../../util/duration-text.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Synced } from '../../watch/sync.ts';
import { hintByName } from '../globals.ts';
import type { toRemoved } from '../json/change.ts';
import { table } from './table.ts';

const done: Readonly<Record<string, string>> = {
  create: 'created',
  start: 'started',
  write: 'written',
  reload: 'reloaded',
  recreate: 'recreated',
  remove: 'removed',
  stop: 'stopped',
  restart: 'restarted',
};

/** What a change did to each service, and where to open it. */
/** A change on an engine or on a swarm. */
type AnyChanged = Pick<Changed, 'urls'> & { readonly plan: Plan<Action> };

export function printChanged({ plan, urls }: AnyChanged): string {
  const changing = plan.changes.filter(({ action }) => action !== 'none');
  const kept = plan.changes.length - changing.length;
  const head =
    plan.steps.length === 0
      ? `${plan.stack}: nothing to do, ${counted(kept, 'service')} unchanged (revision ${plan.revision})`
      : `${plan.stack}: ${changing.length} changed, ${kept} unchanged (revision ${plan.revision})`;
  const width = Math.max(0, ...plan.changes.map(({ service }) => service.length));
  const lines = plan.changes.map(({ service, action }) => {
    const url = urls.find((entry) => entry.service === service)?.url ?? '';
    return `  ${service.padEnd(width)}  ${(done[action] ?? 'unchanged').padEnd(9)}  ${url}`.trimEnd();
  });
  return `${[head, ...lines].join('\n')}\n`;
}

/** What `stop`, `start` and `restart` did to each service, and where to open it. */
export function printStartStop(stack: string, services: readonly ServiceOutcome[]): string {
  const counts = ['stop', 'start', 'restart', 'none'].flatMap((action) => {
    const count = services.filter((service) => service.action === action).length;
    return count === 0 ? [] : [`${count} ${done[action] ?? 'unchanged'}`];
  });
  const rows = services.map(({ service, action, url = '' }) => [service, done[action] ?? 'unchanged', url]);
  const isUnchanged = services.every(({ action }) => action === 'none');
  const what = isUnchanged ? `nothing to do, ${counted(services.length, 'service')} unchanged` : counts.join(', ');
  return `${stack}: ${what}\n${table(rows, { indent: '  ' })}`;
}

/** Does not count the config volume writer; `volumes` is whether to delete them, `kept` whether the stack has any left. */
export function printRemoved(
  stack: string,
  { containers, networks, volumes }: ReturnType<typeof toRemoved>,
  options: {
    readonly volumes: boolean;
    readonly kept?: boolean | undefined;
    /** Whether only a network of the stack is left. */
    readonly isStopped?: boolean | undefined;
    readonly stackName?: string | undefined;
  },
): string {
  if ([...containers, ...networks, ...volumes].length === 0) {
    if (options.kept !== true) {
      return `${stack}: ${options.isStopped === true ? 'already stopped' : 'nothing to do, the stack does not exist'}\n`;
    }
    const deletes = hintByName('promstack down --volumes', options.stackName);
    return `${stack}: already stopped; its volumes are kept; \`${deletes}\` deletes them\n`;
  }
  const visible = containers.filter((name) => !isConfigWriter(name));
  const kept = options.volumes ? `${counted(volumes.length, 'volume')} deleted` : 'its volumes are kept';
  return `${stack}: ${counted(visible.length, 'container')} removed, ${kept}\n`;
}

/** The result of one edit under watch, in one line that begins with the time of day. */
export function printSynced(synced: Synced, time: Date): string {
  const at = time.toTimeString().slice(0, 8);
  switch (synced.kind) {
    case 'live': {
      const { revision, changed, tookMs } = synced;
      if (changed === undefined) return `${at} revision ${revision} runs\n`;
      const servicesWith = (action: string): readonly string[] =>
        changed.plan.changes.filter((change) => change.action === action).map(({ service }) => service);
      const [reloaded, written] = [servicesWith('reload'), servicesWith('write')];
      const what = [
        ...(reloaded.length === 0 ? [] : [`, ${reloaded.join(' and ')} reloaded`]),
        ...(written.length === 0 ? [] : [`, files of ${written.join(' and ')} written without a reload`]),
      ].join('');
      return `${at} revision ${revision} is live after ${durationText(tookMs)}${what}\n`;
    }
    case 'wrong':
      return `${at} not applied; the previous revision keeps running\n`;
    case 'refused':
      return `${at} not applied\n`;
    case 'postponed':
      return `${at} ${synced.why}; will try again\n`;
    default:
      return unreachable(synced);
  }
}
