import { closest, editDistance } from '../values/closest.ts';
import { isNative, mappingsIn, type Native } from '../values/native.ts';
import { quoted } from '../values/words.ts';
import type { LintContext } from './context.ts';
import { equalityMatchers, parseExpression } from './expression.ts';
import type { Lint } from './lint.ts';

/** A rule about a job that nothing in the stack scrapes: it never sees a sample. */
export const jobNotScraped: Lint = {
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
