import { Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { alertLogPath } from '../../../stack/alertmanager/event-recorder.ts';
import { mainFile } from '../../../stack/alertmanager/main-file.ts';
import { discoveredFolder, discoveredJob } from '../../../stack/discovery/job.ts';
import { hostnameOf, type RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { configMount } from '../../../stack/values/container.ts';
import type { Rendering, ServiceRendering } from '../../render/rendering.ts';
import { revealed } from '../../render/show.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { objectName } from './object-names.ts';

/** The files of a service with what differs in a cluster: names of hosts, pods on each node, what only promstack does. */
export function adaptedFiles(draft: KubernetesDraft, { service, files }: ServiceRendering): readonly RenderedFile[] {
  const { rendering } = draft;
  const renamed = hostRenames(rendering);
  return files.map((file) => {
    const named = renamed.length === 0 ? file : withText(file, (text) => withHosts(text, renamed));
    reportDockerHost(draft, named);
    if (service.name === 'prometheus' && file.path === 'prometheus.yml') return withJobs(draft, named);
    if (service.name === 'alertmanager' && file.path === mainFile) return withoutAlertLog(draft, named);
    return named;
  });
}

/** The file with another text, also where its secrets are masked. */
function withText(file: RenderedFile, change: (text: string) => string): RenderedFile {
  const { content, masked } = file;
  if (file.isBinary === true) return file;
  return {
    ...file,
    content:
      content instanceof Secret
        ? new Secret(change(content.reveal()), content.origin, content.isInline)
        : change(content),
    ...(masked === undefined ? {} : { masked: change(masked) }),
  };
}

/** Names in the network of the stack that no Service can have. */
function hostRenames({ services }: Rendering): readonly (readonly [string, string])[] {
  return services.flatMap(({ container }) => {
    const host = hostnameOf(container);
    return objectName(host) === host ? [] : [[host, objectName(host)] as const];
  });
}

const withHosts = (text: string, renamed: readonly (readonly [string, string])[]): string =>
  renamed.reduce((changed, [from, to]) => changed.replaceAll(new RegExp(`(?<![\\w.-])${from}(?=:\\d)`, 'g'), to), text);

function reportDockerHost({ findings }: KubernetesDraft, file: RenderedFile): void {
  if (file.isBinary === true || file.service === 'grafana' || file.path.startsWith('rules/')) return;
  const line = revealed(file)
    .split('\n')
    .findIndex((text) => /^[^#]*\bhost\.docker\.internal\b/.test(text));
  if (line === -1) return;
  const why = 'in a cluster it is no host: write the address of the host that is meant';
  findings.left(`host.docker.internal in ${file.service}/${file.path}`, undefined, `line ${line + 1}: ${why}`);
}

/** The jobs of prometheus.yml: one of a DaemonSet finds all its pods, and that of discovered targets is left out. */
function withJobs(draft: KubernetesDraft, file: RenderedFile): RenderedFile {
  const onNodes = draft.rendering.services.flatMap(({ container }) =>
    container.host === undefined ? [] : [objectName(hostnameOf(container))],
  );
  const { findings } = draft;
  let isReported = false;
  return withText(file, (text) =>
    edited(text, (document) => {
      const jobs = document.get('scrape_configs');
      if (!isSeq(jobs)) return false;
      let isChanged = false;
      jobs.items = jobs.items.filter((job) => {
        if (
          !isMap(job) ||
          job.get('job_name') !== discoveredJob ||
          !String(job).includes(`${configMount}/${discoveredFolder}/`)
        )
          return true;
        isChanged = true;
        if (!isReported)
          findings.left(
            `job ${discoveredJob}`,
            draft.at('discovery'),
            'promstack finds its targets by the labels of containers; in a cluster a PodMonitor or kubernetes_sd_configs does',
          );
        return false;
      });
      for (const job of jobs.items) {
        for (const host of onNodes) {
          if (!isMap(job) || !takeTarget(job, host)) continue;
          isChanged = true;
          const name = String(job.get('job_name'));
          if (!isReported)
            findings.changed(
              `job ${name}`,
              undefined,
              'dns_sd_configs',
              'its exporter has a pod on each node, and the address of the pod is the label instance',
            );
        }
      }
      isReported = true;
      return isChanged;
    }),
  );
}

/** Replaces a static target of a job by the addresses of its name. */
function takeTarget(job: YAMLMap, host: string): boolean {
  const statics = job.get('static_configs');
  if (!isSeq(statics)) return false;
  for (const group of statics.items) {
    const targets = isMap(group) && !group.has('labels') ? group.get('targets') : undefined;
    if (!isSeq(targets)) continue;
    const target = targets.items.find((item) => isScalar(item) && String(item.value).startsWith(`${host}:`));
    if (!isScalar(target)) continue;
    targets.items = targets.items.filter((item) => item !== target);
    if (targets.items.length === 0) statics.items = statics.items.filter((item) => item !== group);
    if (statics.items.length === 0) job.delete('static_configs');
    const port = Number(String(target.value).split(':')[1]);
    const others = job.get('dns_sd_configs');
    const addresses = new Document([{ names: [host], type: 'A', port }]).contents;
    if (isSeq(others) && isSeq(addresses)) others.items.push(...addresses.items);
    else job.set('dns_sd_configs', addresses);
    // The targets are addresses of pods, which no certificate has.
    if (job.get('scheme') === 'https' && !job.hasIn(['tls_config', 'server_name']))
      job.setIn(['tls_config', 'server_name'], host);
    return true;
  }
  return false;
}

/** alertmanager.yml without the alert log, whose file only promstack keeps short. */
function withoutAlertLog({ findings }: KubernetesDraft, file: RenderedFile): RenderedFile {
  let isReported = false;
  return withText(file, (text) =>
    edited(text, (document) => {
      if (document.getIn(['event_recorder', 'file_outputs', 0, 'path']) !== alertLogPath) return false;
      document.delete('event_recorder');
      if (!isReported)
        findings.left(
          'alertmanager.alert_log',
          undefined,
          'nothing would keep its file short; `promstack alert log` reads it',
        );
      isReported = true;
      return true;
    }),
  );
}

/** The text of a YAML file after an edit; itself when nothing was edited. */
function edited(text: string, edit: (document: Document) => boolean): string {
  const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: false });
  return edit(document) ? document.toString({ lineWidth: 0 }) : text;
}
