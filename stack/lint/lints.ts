import type { StackConfig } from '../config.ts';
import { closest, editDistance } from '../values/closest.ts';
import { isMapping, listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { defaultReceiverOnly } from './default-receiver-only.ts';
import { equalityMatchers, parseExpression } from './expression.ts';
import { inhibitAbsentLabel, inhibitAnySource, inhibitNeverMatches } from './inhibit-lints.ts';
import { repeatBelowGroupInterval, repeatBeyondRetention } from './interval-lints.ts';
import { labelAggregatedAway } from './label-aggregated-away.ts';
import type { Lint, LintContext } from './lint.ts';
import { metricUnknown } from './metric-unknown.ts';
import { plainSecret, proxyFromEnvironment } from './native-lints.ts';
import { patternInEquality } from './pattern-in-equality.ts';
import { routeNeverMatches } from './route-never-matches.ts';
import { unreachedReceiver } from './unreached-receiver.ts';

/** A job that scrapes a Pushgateway and overwrites the job and instance labels of pushed metrics. */
const pushgatewayLabels: Lint = {
  code: 'pushgateway-without-honor-labels',
  find: ({ config }) =>
    mappingsIn(config.prometheus.scrape_configs, ['prometheus', 'scrape_configs'])
      .filter(({ value }) => value['honor_labels'] !== true && scrapesPushgateway(value, config))
      .map(({ value, path }) => ({
        path: [...path, 'job_name'],
        message: `the job ${quoted(String(value['job_name']))} scrapes a Pushgateway without "honor_labels: true", so all pushed metrics get the Pushgateway's own job and instance`,
        hint: 'add "honor_labels: true" to the job',
      })),
};

function scrapesPushgateway(job: Mapping, config: StackConfig): boolean {
  const targets = mappingsIn(job['static_configs'], []).flatMap(({ value }) => listOf(value['targets']).map(String));
  const ofStack = `host.docker.internal:${config.pushgateway.port}`;
  return targets.some(
    (target) => /push-?_?gateway/i.test(target) || (config.pushgateway.enabled && target === ofStack),
  );
}

/** A rule that selects a job which the stack does not scrape. */
const jobNotScraped: Lint = {
  code: 'job-not-scraped',
  find: (context) => {
    if (context.prometheus === undefined) return [];
    const jobs = [...new Set(context.jobs.flatMap(jobsOf))];
    const isOpen = mayHaveOtherJobs(context);
    return context.rules
      .filter(({ isOwn }) => isOwn)
      .flatMap(({ name, expr, file, path }) =>
        equalityMatchers(expr, parseExpression(expr).top, 'job').flatMap(({ value, from, length }) => {
          if (value === '' || jobs.includes(value)) return [];
          const near = isOpen ? oneTypoAway(value, jobs) : closest(value, jobs);
          if (isOpen && near === undefined) return [];
          const unless = isOpen ? ', unless its targets set the label themselves' : '';
          return [
            {
              file,
              path: [...path, 'expr'],
              within: { from, length },
              message: `${name} selects the job ${quoted(value)}, which this stack does not scrape${unless}`,
              hint: near === undefined ? `the jobs are ${jobs.join(', ')}` : `did you mean ${quoted(near)}?`,
            },
          ];
        }),
      );
  },
};

/** The job's name, and the job labels of its static targets. */
function jobsOf(job: Mapping): readonly string[] {
  const labels = mappingsIn(job['static_configs'], []).flatMap(({ value: { labels } }) =>
    isMapping(labels) && labels['job'] !== undefined ? [String(labels['job'])] : [],
  );
  return [String(job['job_name']), ...labels];
}

/** Whether samples may have a job label that no scrape config of the file names. */
function mayHaveOtherJobs({ config, jobs, prometheus }: LintContext): boolean {
  const hasOtherSources = ['scrape_config_files', 'remote_read'].some((key) => listOf(prometheus?.[key]).length > 0);
  const receives = config.prometheus.extra_args.some((flag) => /enable-(?:remote-write|otlp)-receiver/.test(flag));
  return hasOtherSources || receives || jobs.some(maySetJob);
}

/** Whether a job may change the job label: by honor_labels, service discovery or relabeling. */
function maySetJob(job: Mapping): boolean {
  const discovers = Object.keys(job).some((key) => key.endsWith('_sd_configs'));
  const relabels = ['relabel_configs', 'metric_relabel_configs'].flatMap((key) => mappingsIn(job[key], []));
  const setsJob = relabels.some(
    ({ value }) =>
      value['target_label'] === 'job' ||
      String(value['target_label']).includes('$') ||
      /^label(?:map|keep|drop)$/.test(String(value['action'])),
  );
  return job['honor_labels'] === true || discovers || setsJob;
}

/** A job one typo away; names that differ in a digit are different names. */
function oneTypoAway(word: string, jobs: readonly string[]): string | undefined {
  const withoutDigits = (text: string): string => text.replaceAll(/\d/g, '');
  return jobs.find(
    (job) => word.length > 3 && editDistance(word, job, 2) === 1 && withoutDigits(word) !== withoutDigits(job),
  );
}

/** A variable of alert templates where it is plain text: outside of `{{ }}`, or in a string inside them. */
const variableOutsideTemplate: Lint = {
  code: 'variable-outside-template',
  find: ({ rules }) =>
    rules
      .filter(({ isOwn, kind }) => isOwn && kind === 'alert')
      .flatMap(({ name, value, file, path }) =>
        ['labels', 'annotations'].flatMap((key) => {
          const texts = value[key];
          return Object.entries(isMapping(texts) ? texts : {}).flatMap(([label, text]) => {
            const variable = plainVariable(String(text));
            if (variable === undefined) return [];
            const { word, from, isInString } = variable;
            return [
              {
                file,
                path: [...path, key, label],
                within: { from, length: word.length },
                message: `the ${key.slice(0, -1)} ${label} of ${name} has ${word} ${isInString ? 'in a string' : 'outside of {{ }}'}, where it is plain text`,
                hint: isInString ? `use printf: {{ printf "… %s …" ${word} }}` : `write {{ ${word} }}`,
              },
            ];
          });
        }),
      ),
};

function plainVariable(
  text: string,
): { readonly word: string; readonly from: number; readonly isInString: boolean } | undefined {
  const blank = (part: string): string => ' '.repeat(part.length);
  const outside = /\$(?:labels\.\w+|value|externalLabels\.\w+|externalURL)\b/.exec(
    text.replaceAll(/\{\{.*?\}\}/gs, blank),
  );
  if (outside !== null) return { word: outside[0], from: outside.index, isInString: false };
  // "$value" may be a group of a regular expression in a replacement.
  for (const action of text.matchAll(/\{\{.*?\}\}/gs)) {
    for (const string of action[0].matchAll(/"(?:\\.|[^"\\])*"|`[^`]*`/g)) {
      const inside = /\$(?:labels|externalLabels)\.\w+/.exec(string[0]);
      if (inside !== null)
        return { word: inside[0], from: action.index + string.index + inside.index, isInString: true };
    }
  }
  return undefined;
}

/** All lints, in the order of the data flow. */
export const lints: readonly Lint[] = [
  pushgatewayLabels,
  jobNotScraped,
  metricUnknown,
  labelAggregatedAway,
  variableOutsideTemplate,
  defaultReceiverOnly,
  unreachedReceiver,
  routeNeverMatches,
  patternInEquality,
  inhibitNeverMatches,
  inhibitAnySource,
  inhibitAbsentLabel,
  repeatBelowGroupInterval,
  repeatBeyondRetention,
  proxyFromEnvironment,
  plainSecret,
];
