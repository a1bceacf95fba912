import type { UsedService } from '../../stack/own-items.ts';
import { andList } from '../../stack/values/words.ts';
import type { ComposeProject, ComposeService } from './compose-project.ts';
import type { ImportedExporter } from './import-exporters.ts';
import type { StackDraft } from './stack-draft.ts';

/** How compose and the stack go on together. */
export function describeRest(
  { services: all, file, name }: ComposeProject,
  taken: ReadonlyMap<UsedService, ComposeService>,
  exporters: ReadonlyMap<ComposeService, ImportedExporter>,
  draft: StackDraft,
): void {
  const moved = all.filter((service) => [...taken.values()].includes(service) || exporters.has(service));
  const rest = all.filter((service) => !moved.includes(service));
  const names = (list: readonly ComposeService[]): string =>
    andList(
      list.map((service) => service.name),
      'none',
    );
  if (moved.length === 0) return;
  for (const { name: own, where } of rest) {
    const isReported = draft.findings.all.some(({ what }) => what === `services.${own}`);
    if (!isReported)
      draft.findings.left(`services.${own}`, where, 'it is not a service of promstack, and stays with compose');
  }
  draft.nextSteps.push(
    `Stop ${names(moved)} with \`docker compose -f ${file} stop ${moved.map((service) => service.name).join(' ')}\` before the first \`promstack up\`, and remove them from ${file}: their ports and names are those of the stack.`,
  );
  for (const [key, service] of taken) {
    const data = service.volumes.find(({ target }) => target === dataFolders[key]);
    if (data === undefined) continue;
    draft.nextSteps.push(
      `The data of ${service.name} is in the volume ${data.volume}. To copy it, before the first \`up\`: \`promstack import --adopt ${data.volume}=${key}\` in the folder of stack.yml.`,
    );
  }
  if (rest.length === 0) return;
  const stack = `${draft.name}-prometheus:9090`;
  draft.nextSteps.push(
    `${names(rest)} ${rest.length === 1 ? 'stays' : 'stay'} with compose. Containers there reach the servers of the stack as ${stack} and the like. Compose can start the stack too, with this in ${file}:\n\n` +
      [
        '```yaml',
        'services:',
        '  monitoring:',
        '    provider:',
        '      type: promstack',
        '      options: {file: stack.yml}',
        '```',
      ].join('\n'),
  );
  if (draft.networks.size > 0) {
    draft.nextSteps.push(
      `stack.yml lists the network of ${name} under \`networks\`: start what stays with compose first.`,
    );
  }
}

const dataFolders: Readonly<Record<UsedService, string>> = {
  prometheus: '/prometheus',
  alertmanager: '/alertmanager',
  pushgateway: '/pushgateway',
  grafana: '/var/lib/grafana',
};
