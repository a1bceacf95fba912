import * as z from 'zod';
import type { Reading } from '../model.ts';
import { maxListed, notYet } from './problem-lists.ts';

const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        scrapePool: z.string(),
        scrapeUrl: z.string(),
        health: z.string(),
        lastError: z.string().default(''),
        lastScrape: z.string().default(''),
      }),
    ),
  }),
});

type Target = z.infer<typeof targets>['data']['activeTargets'][number];

/** The targets that are down; below the last one of each advice what to do about those with it. */
function downTargets(
  down: readonly Target[],
  startedAt: ReadonlyMap<string, number>,
): NonNullable<Reading['problems']> {
  const shown = down
    .slice(0, maxListed)
    .map((target) => ({ ...target, tryThis: adviceOf(target.lastError, serviceOf(target, startedAt)) }));
  const problems = shown.map(({ scrapeUrl, scrapePool, lastError, tryThis }, at) => ({
    message: `the target ${scrapeUrl} of job ${scrapePool} is down: ${lastError}`,
    tryThis: shown.findLastIndex((target) => target.tryThis === tryThis) === at ? tryThis : undefined,
  }));
  return down.length > maxListed
    ? [...problems, { message: `${down.length - maxListed} more targets are down` }]
    : problems;
}

const unresolved = /no such host|server misbehaving|lookup \S+ on \S+:|Temporary failure in name resolution/;

/** The errors of a server that does not run or does not answer. */
const unreachable = new RegExp(`${unresolved.source}|connect: |connection refused|reset by peer|EOF|deadline exceeded`);

/** What to try about the errors of scrapes, in Prometheus's words. */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /no fallback_scrape_protocol specified|unsupported Content-Type/,
    'set "fallback_scrape_protocol: PrometheusText0.0.4" in the job if the page has metrics, else correct its metrics_path',
  ],
  [/status 40[13]\b/, 'set basic_auth or authorization in the job: the target asks for credentials'],
  [/status 404\b/, 'set metrics_path in the job: the target has no page at this path'],
  [/status 5\d\d\b/, 'look into the log of the target: it fails to serve its metrics'],
  [
    unresolved,
    'containers cannot resolve this name: list a network of the target under `networks` in stack.yml, or use its address',
  ],
  [/server gave HTTP response to HTTPS client/, 'set "scheme: http" in the job'],
  [/HTTP request to an HTTPS server|malformed HTTP response|status 400\b/, 'set "scheme: https" in the job'],
  [/x509|certificate/, 'set tls_config in the job, with the ca_file or server_name of the certificate'],
  [
    /context deadline exceeded|timeout/i,
    'raise the scrape_timeout of the job if the target is slow, else look for a firewall between it and the containers',
  ],
];

/** `service` is the service of the stack that the target is, if any. */
function adviceOf(error: string, service: string | undefined): string {
  if (service !== undefined && unreachable.test(error))
    return `check the address of the target; promstack logs ${service} may show why it does not answer`;
  if (service !== undefined && /status 401\b|x509|certificate/.test(error))
    return 'promstack up applies the users and certificates of access';
  const known = advice.find(([pattern]) => pattern.test(error))?.[1];
  return (
    known ?? 'check that it listens on an address the containers can reach; this host is host.docker.internal to them'
  );
}

/** A server may take as long to answer after its container has started. */
const startMs = 60_000;

/** The service of the stack that a target is, if any. */
function serviceOf({ scrapeUrl }: Target, startedAt: ReadonlyMap<string, number>): string | undefined {
  const host = /^https?:\/\/([^:/]+)/.exec(scrapeUrl)?.[1] ?? '';
  return [host, host.replace(/-exporter$/, '')].find((name) => startedAt.has(name));
}

/** Whether a target of the stack may have been scraped only before it was ready. */
function isStale(target: Target, startedAt: ReadonlyMap<string, number>): boolean {
  const started = startedAt.get(serviceOf(target, startedAt) ?? '');
  return started !== undefined && Date.parse(target.lastScrape) < started + startMs;
}

/** The targets that are up, down, or not scraped yet. */
export function readTargets(answer: unknown, startedAt: ReadonlyMap<string, number>): Reading | undefined {
  const parsed = targets.safeParse(answer);
  if (!parsed.success) return undefined;
  const all = parsed.data.data.activeTargets;
  const failed = all.filter((target) => target.health === 'down');
  const down = failed.filter((target) => !isStale(target, startedAt));
  const stale = failed.filter((target) => isStale(target, startedAt));
  const up = all.filter((target) => target.health === 'up').length;
  const waiting = all.length - up - down.length;
  const text = [
    `${up} up`,
    ...(down.length > 0 ? [`${down.length} down`] : []),
    ...(stale.length > 0 ? [`${stale.length} last scraped before it was ready`] : []),
    ...(waiting > stale.length ? [`${waiting - stale.length} not scraped yet`] : []),
  ].join(', ');
  return {
    text: all.length === 0 ? 'none yet' : text,
    values: { up, down: down.length, waiting, downUrls: down.map((target) => target.scrapeUrl) },
    tone: down.length > 0 ? 'wrong' : waiting > 0 || all.length === 0 ? 'notice' : 'right',
    problems:
      down.length > 0
        ? downTargets(down, startedAt)
        : [...stale.map(staleTarget), ...notYet(waiting - stale.length, 'target', 'scraped')],
  };
}

function staleTarget({ scrapeUrl, scrapePool }: Target): NonNullable<Reading['problems']>[number] {
  return {
    message: `the target ${scrapeUrl} of job ${scrapePool} was last scraped before it was ready`,
    tryThis: 'promstack status again in a minute',
  };
}
