import { toSize } from '../../stack/values/units.ts';
import { restartPolicy } from '../engine/engine.ts';
import type { ObservedService } from './observed.ts';

/** The settings of a container that differ from the spec it was created from. */
export function manualChanges({ spec, details }: ObservedService, network: string): readonly string[] {
  if (spec === undefined || details === undefined) return [];
  const missing = [network, ...(spec.networks ?? [])].filter((name) => !Object.hasOwn(details.networks, name));
  return [
    ...difference('memory limit', sizeOf(spec.resources.memoryBytes), sizeOf(details.memoryBytes)),
    ...difference('cpu limit', roundCpus(spec.resources.cpus), roundCpus(details.cpus)),
    ...difference('restart policy', restartPolicy, details.restartPolicy),
    ...missing.map((name) => `it was disconnected from the network ${name} by hand`),
  ];
}

/** The engine stores CPU limits in billionths. */
const roundCpus = (cpus: number | undefined): number | undefined =>
  cpus === undefined ? undefined : Math.round(cpus * 1e9) / 1e9;

const sizeOf = (bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : toSize(bytes));

function difference(setting: string, before: string | number | undefined, now: string | number | undefined): string[] {
  return before === now ? [] : [`its ${setting} was changed by hand: ${before ?? 'unset'} -> ${now ?? 'unset'}`];
}
