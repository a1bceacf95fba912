import { counted } from '../../../stack/values/words.ts';
import type { StackSummary } from '../../inspect/stacks.ts';
import { filePaths } from '../../state/origin.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

/** A line for each stack, as `docker compose ls` prints projects; `host` is this machine. */
export function printStacks(
  stacks: readonly StackSummary[],
  {
    colours,
    columns,
    host,
  }: { readonly colours: Colours; readonly columns?: number | undefined; readonly host: string },
): string {
  const heads = ['NAME', 'STATUS', 'CONFIG FILE'].map(colours.dim);
  const rows = stacks.map((stack) => [stack.name, statusText(stack), fileText(stack, host)]);
  return table([heads, ...rows], { columns });
}

/** `exited(1), running(3)`, on a swarm of its tasks; without containers, what is left. */
function statusText({ services, volumes, target }: StackSummary): string {
  if (services.length === 0) return `no containers, ${counted(volumes.length, 'volume')}`;
  const states = services.map(({ state }) => state).sort();
  const counts = [...new Set(states)].map((state) => `${state}(${states.filter((same) => same === state).length})`);
  return `${counts.join(', ')}${target === 'swarm' ? ' on the swarm' : ''}`;
}

/** The path, with its host when that is not this machine; empty when unknown. */
function fileText({ origin }: StackSummary, host: string): string {
  if (origin === undefined) return '';
  const path = filePaths(origin).join(',');
  return origin.host === host ? path : `${origin.host}:${path}`;
}
