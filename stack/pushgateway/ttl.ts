import { parseDuration } from '../values/units.ts';

/** `pushgateway.ttl` of stack.yml: how long a group is kept after its last push. */
type Ttl =
  | string
  | { readonly default?: string | undefined; readonly jobs?: Readonly<Record<string, string>> | undefined };

/** The age in seconds above which groups of a job are deleted; undefined means never. */
export type AgeLimit = (job: string) => number | undefined;

/** The fraction of the ttl by which groups live longer, so that a job that pushes once per ttl does not lose its group. */
const grace = 0.05;

/** The age limit of a job according to `ttl`: its own, else the default, else none. */
export function ageLimitOf(ttl: Ttl): AgeLimit {
  const { general, jobs } = limitsOf(ttl);
  return (job) => {
    const seconds = jobs.get(job) ?? general;
    return seconds === 0 ? undefined : seconds;
  };
}

/** Whether the groups of any job expire. */
export function expires(ttl: Ttl | undefined): boolean {
  if (ttl === undefined) return false;
  const { general, jobs } = limitsOf(ttl);
  return [general, ...jobs.values()].some((seconds) => seconds > 0);
}

/** The ttl as the program that deletes expired groups reads it; `job` lines have the name as metrics pages escape it. */
export function ttlFile(ttl: Ttl, { hasUtf8Names }: { readonly hasUtf8Names: boolean }): string {
  const { general, jobs } = limitsOf(ttl);
  const lines = [...jobs].map(([job, seconds]) => `job ${seconds} ${escapeLabel(job)}`);
  return [
    `names ${hasUtf8Names ? 'utf8' : 'legacy'}`,
    `every ${pauseSeconds([general, ...jobs.values()])}`,
    `default ${general}`,
    ...lines,
    '',
  ].join('\n');
}

/** Seconds; 0 means forever, so that a job can be exempt from the default. */
function limitsOf(ttl: Ttl): { readonly general: number; readonly jobs: ReadonlyMap<string, number> } {
  const { default: general, jobs = {} } = typeof ttl === 'string' ? { default: ttl } : ttl;
  const seconds = (text: string | undefined): number => {
    const ms = text === undefined ? 0 : (parseDuration(text) ?? 0);
    return Math.round(ms * (1 + grace)) / 1000;
  };
  return { general: seconds(general), jobs: new Map(Object.entries(jobs).map(([job, text]) => [job, seconds(text)])) };
}

/** The pause between two rounds: a tenth of the shortest ttl, between one second and one minute. */
function pauseSeconds(limits: readonly number[]): number {
  const shortest = Math.min(...limits.filter((seconds) => seconds > 0));
  return Math.min(60, Math.max(1, Math.round(shortest / 10)));
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
