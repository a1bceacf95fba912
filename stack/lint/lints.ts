import type { StackConfig } from '../config.ts';
import { closest, editDistance } from '../values/closest.ts';
import { isNative, mappingsIn, type Native } from '../values/native.ts';
import { quoted } from '../values/words.ts';
import { equalityMatchers, metricNames, nodesOf, parseExpression } from './expression.ts';
import { labelAggregatedAway } from './label-aggregated-away.ts';
import type { Lint, LintContext } from './lint.ts';
import { defaultReceiverOnly, inhibitNeverMatches, repeatBeyondRetention, unreachedReceiver } from './route-lints.ts';

/** A job that scrapes a Pushgateway and overwrites the job and instance of what was pushed. */
const pushgatewayLabels: Lint = {
  code: 'pushgateway-without-honor-labels',
  what: 'a job that scrapes a Pushgateway without honor_labels',
  find: ({ config }) =>
    mappingsIn(config.prometheus.scrape_configs, ['prometheus', 'scrape_configs'])
      .filter(({ value }) => value['honor_labels'] !== true && scrapesPushgateway(value, config))
      .map(({ value, path }) => ({
        path: [...path, 'job_name'],
        message: `the job ${quoted(String(value['job_name']))} scrapes a Pushgateway without "honor_labels: true", so every pushed metric gets the Pushgateway's own job and instance`,
        hint: 'add "honor_labels: true" to the job',
      })),
};

function scrapesPushgateway(job: Native, config: StackConfig): boolean {
  const targets = mappingsIn(job['static_configs'], []).flatMap(({ value }) =>
    Array.isArray(value['targets']) ? value['targets'].map(String) : [],
  );
  const ofStack = `host.docker.internal:${config.pushgateway.port}`;
  return targets.some(
    (target) => /push-?_?gateway/i.test(target) || (config.pushgateway.enabled && target === ofStack),
  );
}

/** A rule about a job that nothing in the stack scrapes: it never sees a sample. */
const jobNotScraped: Lint = {
  code: 'job-not-scraped',
  what: 'a rule over a job that this stack does not scrape',
  find: (context) => {
    if (context.prometheus === undefined) return [];
    const jobs = [...new Set(context.jobs.flatMap(jobsOf))];
    const isOpen = mayBringJobs(context);
    return context.rules
      .filter(({ isOwn }) => isOwn)
      .flatMap(({ name, expr, file, path }) =>
        equalityMatchers(expr, parseExpression(expr).top, 'job').flatMap(({ value, from, length }) => {
          if (value === '' || jobs.includes(value)) return [];
          const near = isOpen ? slipOf(value, jobs) : closest(value, jobs);
          if (isOpen && near === undefined) return [];
          const unless = isOpen ? ', unless sources name it themselves' : '';
          return [
            {
              file,
              path: [...path, 'expr'],
              within: { from, length },
              message: `${name} is about the job ${quoted(value)}, which nothing in this stack scrapes${unless}`,
              hint: near === undefined ? `the jobs are ${jobs.join(', ')}` : `did you mean ${quoted(near)}?`,
            },
          ];
        }),
      );
  },
};

/** Its name, and the names its static targets are given. */
function jobsOf(job: Native): readonly string[] {
  const given = mappingsIn(job['static_configs'], []).flatMap(({ value: { labels } }) =>
    isNative(labels) && labels['job'] !== undefined ? [String(labels['job'])] : [],
  );
  return [String(job['job_name']), ...given];
}

/** Whether jobs may come by other ways than the name of a scrape config, so that not all of them are known. */
function mayBringJobs({ config, jobs, prometheus }: LintContext): boolean {
  const elsewhere = ['scrape_config_files', 'remote_read'].some((key) => {
    const list = prometheus?.[key];
    return Array.isArray(list) && list.length > 0;
  });
  const receives = config.prometheus.extra_args.some((flag) => /enable-(?:remote-write|otlp)-receiver/.test(flag));
  return elsewhere || receives || jobs.some(mayBringOwn);
}

/** The metrics of a target with honor_labels name jobs themselves, as pushed ones do; discovery and relabelling may too. */
function mayBringOwn(job: Native): boolean {
  const discovers = Object.keys(job).some((key) => key.endsWith('_sd_configs'));
  const relabels = ['relabel_configs', 'metric_relabel_configs'].flatMap((key) => mappingsIn(job[key], []));
  const setsJob = relabels.some(
    ({ value }) => value['target_label'] === 'job' || /^label(?:map|keep|drop)$/.test(String(value['action'])),
  );
  const setsAny = relabels.some(({ value }) => String(value['target_label']).includes('$'));
  return job['honor_labels'] === true || discovers || setsJob || setsAny;
}

/** A job one slip away; names that differ in a digit are two names. */
function slipOf(word: string, jobs: readonly string[]): string | undefined {
  const withoutDigits = (text: string): string => text.replaceAll(/\d/g, '');
  return jobs.find(
    (job) => word.length > 3 && editDistance(word, job, 2) === 1 && withoutDigits(word) !== withoutDigits(job),
  );
}

/** Series that Prometheus makes of firing alerts: there are none while nothing fires. */
const ofAlerts = ['ALERTS', 'ALERTS_FOR_STATE'];

/** A metric that the running Prometheus has never seen: misspelt, or not exported by anybody yet. */
const metricUnknown: Lint = {
  code: 'metric-unknown',
  what: 'a rule over a metric that the running Prometheus does not know',
  find: ({ rules, metrics }) => {
    if (metrics === undefined || metrics.size === 0) return [];
    const recorded = rules.filter(({ kind }) => kind === 'record').map(({ name }) => name);
    const known = new Set([...metrics, ...recorded, ...ofAlerts]);
    return rules
      .filter(({ isOwn }) => isOwn)
      .flatMap(({ name, expr, file, path }) => {
        const { top } = parseExpression(expr);
        // Whoever asks for what is absent means it.
        const absent = nodesOf(top, 'FunctionCall').filter(({ firstChild }) =>
          /^Absent/.test(firstChild?.firstChild?.name ?? ''),
        );
        const isAbsent = (at: number): boolean => absent.some(({ from, to }) => from <= at && at < to);
        const unknown = metricNames(expr, top).filter((one) => !known.has(one.value) && !isAbsent(one.from));
        const once = new Map(unknown.toReversed().map((one) => [one.value, one]));
        return [...once.values()].toReversed().map(({ value, from, length }) => {
          const near = closest(value, metrics, 3);
          return {
            file,
            path: [...path, 'expr'],
            within: { from, length },
            message: `the running Prometheus knows no metric ${quoted(value)}, which ${name} is about`,
            hint:
              near === undefined
                ? 'nobody has exported it yet, or it has another name'
                : `did you mean ${quoted(near)}?`,
          };
        });
      });
  },
};

/** Every lint, in the order the data flows. */
export const lints: readonly Lint[] = [
  pushgatewayLabels,
  jobNotScraped,
  metricUnknown,
  labelAggregatedAway,
  defaultReceiverOnly,
  unreachedReceiver,
  inhibitNeverMatches,
  repeatBeyondRetention,
];
