import type { StackConfig } from '../config.ts';
import { discoveredFolder, discoversTargets } from '../discovery/job.ts';
import { exporterServices, pagesIn } from '../exporters/services.ts';
import { longTermStore } from '../long-term/store.ts';
import type { RenderedFile } from '../model.ts';
import { isOwnAddress, servicePorts, type UsedService } from '../own-items.ts';
import { secretFilesIn } from '../secrets/secret-files.ts';
import type { FileProblem } from '../service.ts';
import { isMapping, listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { replacedFile } from '../values/replaced-file.ts';
import { andList } from '../values/words.ts';
import { prometheusSecrets } from './secret-fields.ts';

/** The files of secrets in what is not in the section `prometheus`: the jobs of exporters, and the store of `long_term`. */
export function contributedSecretFiles(config: StackConfig): readonly RenderedFile[] {
  const contributors = [...exporterServices(config), ...pagesIn(config)];
  const jobs = contributors.flatMap((contributor) => contributor.scrapes?.(config) ?? []);
  const filesOf = (section: object) => secretFilesIn(section, { name: 'prometheus' }, prometheusSecrets);
  const present = filesOf(config.prometheus).map(({ path }) => path);
  const contributed = filesOf({ scrape_configs: jobs, remote_write: [longTermStore(config)?.client] });
  return contributed.filter(({ path }) => !present.includes(path));
}

/** What other services of the stack contribute to prometheus.yml, and a prometheus.yml of the user's leaves out. */
export function leftOutContributions(files: readonly RenderedFile[], config: StackConfig): readonly FileProblem[] {
  const main = replacedFile(files, 'prometheus.yml');
  return main === undefined ? [] : [...unsentAlerts(main, config), ...unscrapedServices(main, config)];
}

type MainFile = NonNullable<ReturnType<typeof replacedFile>>;

function unsentAlerts({ file, config: main }: MainFile, config: StackConfig): readonly FileProblem[] {
  const alerting = isMapping(main['alerting']) ? main['alerting'] : {};
  const entries = mappingsIn(alerting['alertmanagers'], []).map(({ value }) => value);
  const isFound = entries.some((entry) => mayDiscover(entry) || hasTarget(entry, 'alertmanager', config));
  if (!config.alertmanager.enabled || isFound) return [];
  return [
    {
      file,
      severity: 'warning',
      code: 'alerts-not-sent',
      canBeIgnored: true,
      path: entries.length === 0 ? ['alerting'] : ['alerting', 'alertmanagers'],
      atKey: true,
      message: `no alert is sent to the Alertmanager of this stack: this file ${entries.length === 0 ? 'names no Alertmanager' : 'names only others'}`,
      hint: alertmanagersHint(main),
    },
  ];
}

function alertmanagersHint(main: Mapping): string {
  const { alerting } = main;
  const spread = '!spread contributed.alertmanagers';
  if (!('alerting' in main)) return `add "alerting: {alertmanagers: [${spread}]}" to the file`;
  if (isMapping(alerting) && 'alertmanagers' in alerting) return `add "- ${spread}" to alerting.alertmanagers`;
  return `add "alertmanagers: [${spread}]" to alerting`;
}

function unscrapedServices({ file, config: main }: MainFile, config: StackConfig): readonly FileProblem[] {
  if (listOf(main['scrape_config_files']).length > 0) return [];
  const jobs = mappingsIn(main['scrape_configs'], []).map(({ value }) => value);
  const isScraped = (service: UsedService): boolean =>
    jobs.some((job) => hasTarget(job, service, config) || (mayDiscover(job) && JSON.stringify(job).includes(service)));
  const unscraped = (Object.keys(servicePorts) as UsedService[]).filter(
    (service) => config[service].enabled && !isScraped(service),
  );
  const isRead = jobs.some((job) => JSON.stringify(job).includes(`/${discoveredFolder}/`));
  const missing = [
    ...(unscraped.length === 0 ? [] : [`${andList(unscraped, '')} of this stack`]),
    ...(isRead || !discoversTargets(config) ? [] : ['the discovered targets']),
  ];
  if (missing.length === 0) return [];
  return [
    {
      file,
      severity: 'warning',
      code: 'service-not-scraped',
      canBeIgnored: true,
      path: ['scrape_configs'],
      atKey: true,
      message: `no job of this file scrapes ${missing.join(', nor ')}`,
      hint: 'add "- !spread contributed.scrapes" to scrape_configs',
    },
  ];
}

/** Whether targets are found by service discovery. */
function mayDiscover(section: Mapping): boolean {
  return Object.keys(section).some((key) => key.endsWith('_sd_configs'));
}

function hasTarget(section: Mapping, service: UsedService, config: StackConfig): boolean {
  const targets = mappingsIn(section['static_configs'], []).flatMap(({ value }) => listOf(value['targets']));
  return targets.some((target) => isOwnAddress(config, service, String(target)));
}
