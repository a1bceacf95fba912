import { canaryJob } from '../../../../stack/canary.ts';
import { canaryQuery, configAge, findSeries, readTargets, type ScrapeTarget } from '../../../servers/prometheus-api.ts';
import type { Servers } from '../../../servers/servers.ts';
import type { Cause, Stage } from '../pipeline-check.ts';

/** Prometheus has scraped the canary, under the job it was pushed with. */
export const scrape: Stage = {
  name: 'prometheus',
  claim: 'has scraped it, its labels unchanged',
  isThere: () => true,
  look: async ({ servers, nonce }) => {
    const [series] = await findSeries(servers, canaryQuery(nonce));
    if (series === undefined) {
      const [target, age] = await Promise.all([findGateway(servers), configAge(servers)]);
      if (target === undefined && age > discoverySeconds) return { kind: 'broken', ...noJob };
      return { kind: 'waiting', because: 'Prometheus has not scraped the canary' };
    }
    if (series['job'] === canaryJob) return { kind: 'passed' };
    return { kind: 'broken', ...(series['exported_job'] === canaryJob ? notHonoured(series) : relabelled(series)) };
  },
  explain: async ({ servers }) => {
    const target = await findGateway(servers);
    if (target === undefined) return noJob;
    if (target.health === 'down') {
      return {
        why: `Prometheus cannot scrape the Pushgateway (job ${target.scrapePool}): ${target.lastError}`,
        tryThis: 'promstack logs pushgateway prometheus',
      };
    }
    if (target.health === 'unknown') {
      return {
        why: `Prometheus has not scraped the Pushgateway (job ${target.scrapePool}) yet`,
        tryThis: 'a --timeout longer than the scrape_interval of that job',
      };
    }
    return {
      why: `Prometheus scrapes the Pushgateway (job ${target.scrapePool}) and keeps no canary of it`,
      tryThis: 'see whether its metric_relabel_configs drop it, or give a --timeout longer than its scrape_interval',
    };
  },
};

/** A job whose targets are not listed by then has none. */
const discoverySeconds = 12;

const noJob: Cause = {
  why: 'no job of Prometheus scrapes the Pushgateway',
  tryThis:
    'keep !spread contributed.scrapes in templates/prometheus/prometheus.yml and the job in templates/pushgateway/contribute/scrapes.yml, then promstack reload',
};

function notHonoured({ job }: Readonly<Record<string, string>>): Cause {
  return {
    why: `the job ${job} does not honour labels: what was pushed under job="${canaryJob}" became job="${job}", exported_job="${canaryJob}"`,
    tryThis: 'put honor_labels: true into the job that scrapes the Pushgateway, then promstack reload',
  };
}

function relabelled({ job }: Readonly<Record<string, string>>): Cause {
  return {
    why: `what was pushed under job="${canaryJob}" became job="${job ?? ''}" on the way into Prometheus`,
    tryThis: 'see the metric_relabel_configs of the job that scrapes the Pushgateway',
  };
}

async function findGateway(servers: Servers): Promise<ScrapeTarget | undefined> {
  const targets = await readTargets(servers);
  return targets.find(({ scrapeUrl }) => /\/\/pushgateway(:\d+)?\//.test(scrapeUrl));
}
