import type { ContainerSpec } from '../model.ts';
import { flagIn } from '../values/flags.ts';

/** Pushed metrics that a Pushgateway of another spec does not keep. */
export function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const [old, now] = [before, after].map(({ args }) => flagIn(args, 'persistence.file') ?? '');
  if (old === now) return [];
  return now === ''
    ? ['pushed metrics are kept in memory alone: the next restart loses them']
    : [`pushed metrics are kept in ${now}, and those in ${old} are not read`];
}
