import { defaultImages } from './default-images.ts';

/** What a user should know before a server is upgraded to a version or beyond it. */
export interface VersionNote {
  /** The first version it is true for. */
  readonly since: string;
  readonly text: string;
}

/** A flag with which a version does not start. */
interface RemovedFlag {
  readonly since: string;
  /** Matches an item of `extra_args`. */
  readonly flag: RegExp;
  readonly instead: string;
}

/** The releases of a server, and what differs between them. */
export interface KnownVersions {
  /** The last patch of each minor version that promstack knows, oldest first. */
  readonly versions: readonly string[];
  readonly notes: readonly VersionNote[];
  readonly removedFlags: readonly RemovedFlag[];
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const prometheus: KnownVersions = {
  versions: words(`
    2.42.0 2.43.1 2.44.0 2.45.0 2.46.0 2.47.1 2.48.1 2.49.1 2.50.1 2.51.2 2.52.1 2.53.5 2.54.1 2.55.1
    3.0.1 3.1.0 3.2.1 3.3.0 3.4.2 3.5.3 3.6.0 3.7.3 3.8.1 3.9.1 3.10.0 3.11.3 3.12.0 3.13.2 3.14.0`),
  notes: [
    { since: '3.0.0', text: 'only 2.55 can read the data of 3.x: an older 2.x needs the backup' },
    {
      since: '3.0.0',
      text: 'ranges no longer have the sample at their beginning: `rate(x[1m])` with an interval of 1m finds nothing',
    },
    { since: '3.0.0', text: '`.` in a regular expression matches line breaks too' },
    { since: '3.0.0', text: 'the labels `le` and `quantile` are written as numbers: `le="1"` is `le="1.0"`' },
    {
      since: '3.0.0',
      text: 'a target without a valid Content-Type is not scraped: set `fallback_scrape_protocol` in its job',
    },
    { since: '3.0.0', text: '`scrape_classic_histograms` is now `always_scrape_classic_histograms`' },
    {
      since: '3.0.0',
      text: '`holt_winters` is now `double_exponential_smoothing`, behind --enable-feature=promql-experimental-functions',
    },
    {
      since: '3.0.0',
      text: '`$VAR` in external labels is replaced by a variable of the environment: write `$$` for a dollar',
    },
    { since: '3.0.0', text: 'it needs Alertmanager 0.16 or newer' },
    {
      since: '3.9.0',
      text: 'native histograms are scraped with `scrape_native_histograms`; their feature flag does nothing',
    },
    { since: '3.13.0', text: 'logins are not sent to another host that a target redirects to' },
  ],
  removedFlags: [
    { since: '3.0.0', flag: /^--?storage\.tsdb\.retention(?:[= ]|$)/, instead: 'use prometheus.retention' },
    {
      since: '3.0.0',
      flag: /^--?storage\.tsdb\.allow-overlapping-blocks\b/,
      instead: 'remove it: overlapping blocks are always allowed',
    },
    {
      since: '3.0.0',
      flag: /^--?alertmanager\.timeout\b/,
      instead: 'remove it: `timeout` of `alerting.alertmanagers` replaces it',
    },
  ],
};

const alertmanager: KnownVersions = {
  versions: words('0.25.0 0.26.0 0.27.0 0.28.1 0.29.0 0.30.1 0.31.1 0.32.3 0.33.1 0.34.0'),
  notes: [
    {
      since: '0.26.0',
      text: 'the metric `alertmanager_notifications_failed_total` has a label `reason`: sum over it in alerts',
    },
    { since: '0.27.0', text: 'api/v1 is gone: what calls it must use api/v2' },
    {
      since: '0.27.0',
      text: 'matchers may have any UTF-8: some that were valid are read in another way, which its log warns about',
    },
    { since: '0.33.0', text: 'the metric `alertmanager_marked_alerts` is gone' },
    {
      since: '0.34.0',
      text: 'failed notifications have the reasons `authError` and `rateLimited` in place of `clientError`',
    },
  ],
  removedFlags: [
    {
      since: '0.33.0',
      flag: /^--?enable-feature[= ].*\bauto-gomaxprocs\b/,
      instead: 'remove auto-gomaxprocs, which is always on',
    },
  ],
};

const pushgateway: KnownVersions = {
  versions: words('1.5.1 1.6.2 1.7.0 1.8.0 1.9.0 1.10.0 1.11.3'),
  notes: [{ since: '1.10.0', text: 'metric names may have any UTF-8 with --push.enable-utf8-names' }],
  removedFlags: [],
};

const known: Readonly<Record<string, KnownVersions>> = {
  'prometheus/prometheus': prometheus,
  'prom/prometheus': prometheus,
  'prom/alertmanager': alertmanager,
  'prometheus/alertmanager': alertmanager,
  'prom/pushgateway': pushgateway,
  'prometheus/pushgateway': pushgateway,
};

/** What promstack knows of the releases in a repository of images, without its registry; of others, only the default image. */
export function knownVersions(repository: string): KnownVersions {
  const found = known[repository];
  if (found !== undefined) return found;
  const own = Object.values<string>(defaultImages).find((image) => image.startsWith(`${repository}:`));
  return {
    versions: own === undefined ? [] : [own.slice(repository.length + 1).replace(/^v/, '')],
    notes: [],
    removedFlags: [],
  };
}

/** The numbers of a version; undefined when a tag has none. */
export function versionNumbers(tag: string): readonly number[] | undefined {
  const [, version] = /^v?(\d+(?:\.\d+)+)/.exec(tag) ?? [];
  return version?.split('.').map(Number);
}

/** Less than 0 when the first version is older. Both must have numbers. */
export function compareVersions(a: string, b: string): number {
  const [first = [], second = []] = [versionNumbers(a), versionNumbers(b)];
  const parts = Array.from(
    { length: Math.max(first.length, second.length) },
    (_, at) => (first[at] ?? 0) - (second[at] ?? 0),
  );
  return parts.find((difference) => difference !== 0) ?? 0;
}

/** Whether an upgrade comes to a version or goes beyond it. */
export function isCrossed(since: string, from: string, to: string): boolean {
  return compareVersions(from, since) < 0 && compareVersions(since, to) <= 0;
}
