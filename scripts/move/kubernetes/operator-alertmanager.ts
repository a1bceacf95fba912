import { parseDocument } from 'yaml';
import { recorderFeature } from '../../../stack/alertmanager/event-recorder.ts';
import { mainFile } from '../../../stack/alertmanager/main-file.ts';
import { revealed, shown } from '../../render/show.ts';
import { foldersToKeep, isSecret, secretsIn } from '../exported-services.ts';
import { addConfig } from './config-objects.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { makePathsAbsolute } from './native-yaml.ts';
import { containersOf, filesOf, type OperatedServer, podFields } from './operated-server.ts';
import { OperatorValues } from './operator-fields.ts';
import { alertmanagerFlags, specOfArgs, versionIn, webConfigIn, webSpec } from './server-args.ts';
import { addService } from './workloads.ts';

const folder = 'alertmanager';

/**
 * Adds the Alertmanager with its config as it is: an AlertmanagerConfig has neither all receivers nor all of their settings, and its
 * routes match only alerts of its namespace.
 */
export function addAlertmanager(draft: KubernetesDraft, { exported, rendered, files }: OperatedServer): void {
  const { service, spec } = exported;
  const main = files.find(({ path }) => path === mainFile);
  const keys = addConfig(
    draft,
    rendered,
    files.filter((file) => file !== main && file.path !== webConfigIn(spec.args)),
    foldersToKeep(rendered),
  );
  const values = new OperatorValues(draft, folder, keys);
  const flags = specOfArgs(spec.args, alertmanagerFlags, [recorderFeature]);
  const web = { ...(flags['web'] as object | undefined), ...webSpec(draft, folder, spec.args, files, values) };
  const name = draft.nameFor('Alertmanager', folder);
  const configSecret = draft.nameFor('Secret', 'alertmanager-config');
  if (main !== undefined) {
    const secrets = isSecret(main) ? secretsIn(main) : [];
    const content = Buffer.from(absolute(revealed(main)));
    const masked = secrets.length === 0 ? undefined : absolute(shown(main));
    draft.secrets.push({
      name: configSecret,
      entries: [{ key: 'alertmanager.yaml', content, values: secrets, masked }],
    });
  }
  draft.findings.taken(
    'alertmanager',
    draft.at('alertmanager'),
    `Alertmanager ${name}, with its config in Secret ${configSecret}`,
  );
  draft.add(folder, 'monitoring.coreos.com/v1', 'Alertmanager', name, {
    spec: {
      image: spec.image,
      ...versionIn(spec.image),
      replicas: 1,
      configSecret,
      ...flags,
      ...(Object.keys(web).length === 0 ? {} : { web }),
      ...podFields(draft, exported),
      ...containersOf(draft, exported, main),
      ...(keys.length === 0 ? {} : filesOf(keys)),
    },
  });
  values.addSecrets();
  const operated = { 'app.kubernetes.io/managed-by': 'prometheus-operator', 'app.kubernetes.io/instance': name };
  addService(draft, exported, { ...operated, 'app.kubernetes.io/name': service.name });
}

/** The operator puts the config into another folder than the files that it names. */
function absolute(text: string): string {
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.contents !== null) makePathsAbsolute(document.contents, ['templates']);
  return document.toString({ lineWidth: 0 });
}
