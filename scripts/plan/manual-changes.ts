import { toSize } from '../../stack/values/units.ts';
import { restartPolicy } from '../engine/engine.ts';
import type { ObservedService } from './observed.ts';

/** What was changed about a container since it was made: what its spec says and what the engine has now. */
export function manualChanges({ spec, details }: ObservedService, network: string): readonly string[] {
  if (spec === undefined || details === undefined) return [];
  return [
    ...difference('memory limit', sizeOf(spec.resources.memoryBytes), sizeOf(details.memoryBytes)),
    ...difference('cpu limit', kept(spec.resources.cpus), kept(details.cpus)),
    ...difference('restart policy', restartPolicy, details.restartPolicy),
    ...(details.networks.includes(network) ? [] : [`it was disconnected from the network ${network} by hand`]),
  ];
}

/** As the engine keeps it, in billionths. */
const kept = (cpus: number | undefined): number | undefined =>
  cpus === undefined ? undefined : Math.round(cpus * 1e9) / 1e9;

const sizeOf = (bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : toSize(bytes));

function difference(what: string, made: string | number | undefined, now: string | number | undefined): string[] {
  return made === now ? [] : [`its ${what} was changed by hand: ${made ?? 'unset'} -> ${now ?? 'unset'}`];
}
