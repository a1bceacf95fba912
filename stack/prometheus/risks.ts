import type { ContainerSpec } from '../model.ts';
import { parseDuration } from '../values/duration.ts';
import { flagIn } from '../values/flags.ts';
import { parseSize } from '../values/size.ts';

/** Samples that a Prometheus of another spec throws away. */
export function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const flag = (spec: ContainerSpec, name: string): string | undefined => flagIn(spec.args, `storage.tsdb.${name}`);
  const [oldTime, time] = [flag(before, 'retention.time') ?? '15d', flag(after, 'retention.time') ?? '15d'];
  const [oldSize, size] = [flag(before, 'retention.size'), flag(after, 'retention.size')];
  const [oldPath, path] = [flag(before, 'path'), flag(after, 'path')];
  return [
    ...((parseDuration(time) ?? 0) < (parseDuration(oldTime) ?? 0)
      ? [`samples older than ${time} are deleted; until now they were kept for ${oldTime}`]
      : []),
    ...(size !== undefined && limit(size) < limit(oldSize)
      ? [`the oldest samples beyond ${size} are deleted; until now ${oldSize ?? 'any number of bytes'} were kept`]
      : []),
    ...(path === oldPath ? [] : [`it stores samples in ${path} and does not see those in ${oldPath}`]),
  ];
}

/** No limit, or 0, is no limit. */
function limit(size: string | undefined): number {
  return (size === undefined ? undefined : parseSize(size)) || Number.POSITIVE_INFINITY;
}
