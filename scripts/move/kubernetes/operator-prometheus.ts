import { parse } from 'yaml';
import { isAgent } from '../../../stack/prometheus/agent.ts';
import type { Mapping } from '../../../stack/values/mapping.ts';
import { revealed } from '../../render/show.ts';
import { foldersToKeep } from '../exported-services.ts';
import { addConfig } from './config-objects.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { containersOf, filesOf, type OperatedServer, podFields } from './operated-server.ts';
import { OperatorValues } from './operator-fields.ts';
import { addRules } from './operator-rules.ts';
import * as tables from './operator-tables.ts';
import { PrometheusConfig } from './prometheus-config.ts';
import { prometheusFlags, specOfArgs, versionIn, webConfigIn, webSpec } from './server-args.ts';
import { addService } from './workloads.ts';

const folder = 'prometheus';

/** Adds the Prometheus, its jobs and its rules. */
export function addPrometheus(draft: KubernetesDraft, { exported, rendered, files }: OperatedServer): void {
  const { service, spec } = exported;
  const agent = isAgent(draft.rendering.config);
  const main = files.find(({ path }) => path === 'prometheus.yml');
  const webConfig = webConfigIn(spec.args);
  const mounted = files.filter((file) => file !== main && file.path !== webConfig && !file.path.startsWith('rules/'));
  const keys = addConfig(draft, rendered, mounted, foldersToKeep(rendered));
  const values = new OperatorValues(draft, folder, keys);
  const name = draft.nameFor('Prometheus', folder);
  const kind = agent ? 'PrometheusAgent' : 'Prometheus';
  const flags = specOfArgs(spec.args, prometheusFlags, ['agent', 'auto-reload-config']);
  const web = { ...(flags['web'] as object | undefined), ...webSpec(draft, folder, spec.args, files, values) };
  const { retention, retentionSize, query, enableAdminAPI, enableOTLPReceiver, ...common } = flags;
  const config =
    main === undefined
      ? {}
      : (parse(revealed(main), { schema: 'failsafe', merge: true, logLevel: 'silent' }) as Mapping);
  const converter = new PrometheusConfig(draft, values, main);
  const sections = converter.sections(config);
  const hasAlertmanager = draft.rendering.services.some(({ service: other }) => other.name === 'alertmanager');
  draft.findings.taken('prometheus', draft.at('prometheus'), `${kind} ${name}`);
  const matched = { matchLabels: draft.partOf };
  draft.add(folder, `monitoring.coreos.com/${agent ? 'v1alpha1' : 'v1'}`, kind, name, {
    spec: {
      image: spec.image,
      ...versionIn(spec.image),
      replicas: 1,
      // Where prometheus.yml has none, those of Prometheus and not of the operator.
      scrapeInterval: '1m',
      ...converter.part(
        'global',
        tables.globalFields,
        config['global'],
        agent ? [] : Object.keys(tables.serverGlobalFields),
      ),
      // Samples have only the labels that stack.yml names.
      prometheusExternalLabelName: '',
      replicaExternalLabelName: '',
      ...common,
      ...(Object.keys(web).length === 0 ? {} : { web }),
      scrapeConfigSelector: matched,
      ...converter.jobs(config['scrape_configs']),
      ...converter.entries('remote_write', 'remoteWrite', tables.remoteWriteFields, config['remote_write']),
      ...sections,
      // The operator turns it on for a config with this section.
      ...(sections['otlp'] === undefined && enableOTLPReceiver === undefined
        ? {}
        : { enableOTLPReceiver: enableOTLPReceiver ?? false }),
      ...(agent
        ? {}
        : {
            evaluationInterval: '1m',
            ...converter.part('global', tables.serverGlobalFields, config['global'], Object.keys(tables.globalFields)),
            ...(retention === undefined && retentionSize !== undefined ? {} : { retention: retention ?? '15d' }),
            ...(retentionSize === undefined ? {} : { retentionSize }),
            ...(query === undefined ? {} : { query }),
            ...(enableAdminAPI === undefined ? {} : { enableAdminAPI }),
            ruleSelector: matched,
            ...converter.entries('remote_read', 'remoteRead', tables.remoteReadFields, config['remote_read']),
            ...converter.storage(config['storage']),
            ...converter.alerting(config['alerting'], hasAlertmanager),
          }),
      ...(hasAlertmanager && !agent ? { serviceAccountName: addAccount(draft) } : {}),
      ...podFields(draft, exported),
      ...containersOf(draft, exported, main),
      ...(keys.length === 0 ? {} : filesOf(keys)),
    },
  });
  values.addSecrets();
  if (!agent)
    addRules(
      draft,
      files.filter(({ path }) => path.startsWith('rules/')),
    );
  const operated = { 'app.kubernetes.io/managed-by': 'prometheus-operator', 'app.kubernetes.io/instance': name };
  addService(draft, exported, { ...operated, 'app.kubernetes.io/name': agent ? 'prometheus-agent' : service.name });
}

/** The account by which Prometheus finds the Alertmanagers; it has no other rights. */
function addAccount(draft: KubernetesDraft): string {
  const verbs = ['get', 'list', 'watch'];
  const name = draft.nameFor('ServiceAccount', folder);
  draft.add(folder, 'v1', 'ServiceAccount', name, { automountServiceAccountToken: true });
  draft.add(folder, 'rbac.authorization.k8s.io/v1', 'Role', name, {
    rules: [
      { apiGroups: [''], resources: ['services', 'endpoints', 'pods'], verbs },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
    ],
  });
  draft.add(folder, 'rbac.authorization.k8s.io/v1', 'RoleBinding', name, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: draft.namespace }],
  });
  return name;
}
