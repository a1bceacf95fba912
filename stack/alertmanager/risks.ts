import type { ContainerSpec } from '../model.ts';
import { parseDuration } from '../values/duration.ts';
import { flagIn } from '../values/flags.ts';

/** Silences and notifications that an Alertmanager of another spec forgets. */
export function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const [old, now] = [before, after].map(({ args }) => flagIn(args, 'data.retention') ?? '120h');
  if (old === undefined || now === undefined || (parseDuration(now) ?? 0) >= (parseDuration(old) ?? 0)) return [];
  return [`silences and sent notifications older than ${now} are forgotten; until now they were kept for ${old}`];
}
