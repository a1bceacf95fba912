import type { ContainerSummary } from '../engine/engine.ts';
import type { StackError } from '../util/stack-error.ts';

/** Why nothing answers for a service whose container does not run, and what starts it. */
export function notRunning(
  service: string,
  container: Pick<ContainerSummary, 'name' | 'state'> | undefined,
): Pick<StackError, 'why'> & { readonly tryThis: string } {
  if (container === undefined) return { why: 'it has no container', tryThis: 'promstack up' };
  const why = `its container is ${words[container.state] ?? container.state}`;
  return { why, tryThis: remedy(service, container) };
}

function remedy(service: string, { name, state }: Pick<ContainerSummary, 'name' | 'state'>): string {
  switch (state) {
    case 'exited':
      return `promstack start ${service}`;
    case 'paused':
      return `docker unpause ${name}`;
    case 'restarting':
      return `promstack logs ${service}`;
    default:
      return 'promstack up';
  }
}

const words: Readonly<Record<string, string>> = { exited: 'stopped', created: 'not started', dead: 'stopped' };
