import { type Document, isSeq, Document as NewDocument, type Node, parse, parseDocument } from 'yaml';
import type { RenderedFile } from '../../../stack/model.ts';
import { servicePorts } from '../../../stack/own-items.ts';
import { isAgent } from '../../../stack/prometheus/agent.ts';
import { isMapping, listOf, type Mapping } from '../../../stack/values/mapping.ts';
import type { ServiceRendering } from '../../render/rendering.ts';
import { revealed } from '../../render/show.ts';
import type { ExportedService } from '../compose-file.ts';
import { foldersToKeep, isSecret } from '../exported-services.ts';
import { makePathsAbsolute } from './absolute-paths.ts';
import { addConfig, configVolume } from './config-objects.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { clientFields, type Fields, knownFields, NotConvertibleError, OperatorValues } from './operator-fields.ts';
import { addRules } from './operator-rules.ts';
import * as tables from './operator-tables.ts';
import { prometheusFlags, specOfArgs, versionIn, webSpec } from './server-args.ts';
import { dataVolumeOf } from './storage.ts';
import { addService, podSecurity, resourcesOf } from './workloads.ts';

/** What the objects of a server are made of. */
export interface OperatedServer {
  readonly exported: ExportedService;
  readonly rendered: ServiceRendering;
  readonly files: readonly RenderedFile[];
}

const folder = 'prometheus';

/** Adds the Prometheus, its jobs and its rules. */
export function addPrometheus(draft: KubernetesDraft, { exported, rendered, files }: OperatedServer): void {
  const { service, spec } = exported;
  const agent = isAgent(draft.rendering.config);
  const main = files.find(({ path }) => path === 'prometheus.yml');
  const mounted = files.filter((file) => file !== main && !file.path.startsWith('rules/'));
  const keys = addConfig(draft, rendered, mounted, foldersToKeep(rendered));
  const values = new OperatorValues(draft, folder, keys);
  const name = draft.nameFor('Prometheus', folder);
  const kind = agent ? 'PrometheusAgent' : 'Prometheus';
  const flags = specOfArgs(spec.args, prometheusFlags, ['agent', 'auto-reload-config']);
  const web = { ...(flags['web'] as object | undefined), ...webSpec(draft, folder, spec.args, files, values) };
  const { retention, retentionSize, query, enableAdminAPI, ...common } = flags;
  const config =
    main === undefined
      ? {}
      : (parse(revealed(main), { schema: 'failsafe', merge: true, logLevel: 'silent' }) as Mapping);
  const converter = new ConfigConverter(draft, values, main);
  const hasAlertmanager = draft.rendering.services.some(({ service: other }) => other.name === 'alertmanager');
  draft.findings.taken('prometheus', draft.at('prometheus'), `${kind} ${name}`);
  const matched = { matchLabels: draft.partOf };
  draft.add(folder, `monitoring.coreos.com/${agent ? 'v1alpha1' : 'v1'}`, kind, name, {
    spec: {
      image: spec.image,
      ...versionIn(spec.image),
      replicas: 1,
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
      ...converter.sections(config),
      ...(agent
        ? {}
        : {
            ...converter.part('global', tables.serverGlobalFields, config['global'], Object.keys(tables.globalFields)),
            ...(retention === undefined ? {} : { retention }),
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

/** The published schemas demand these of a claim inside another object; a cluster takes any text there. */
const embeddedClaim = { apiVersion: 'monitoring.coreos.com/v1', kind: 'EmbeddedPersistentVolumeClaim' } as const;

/** What both servers of the operator have of their containers. */
export function podFields(draft: KubernetesDraft, exported: ExportedService): Mapping {
  const { service, spec } = exported;
  const { podLabels: labels, podAnnotations: annotations } = draft;
  return {
    ...resourcesOf(exported),
    securityContext: podSecurity(spec.user),
    podMetadata: {
      labels: { ...labels, ...draft.partOf },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    portName: 'web',
    storage: { volumeClaimTemplate: { ...embeddedClaim, spec: dataVolumeOf(draft, service, spec) } },
  };
}

/** The files of a server at the paths that its config names. */
export function filesOf(keys: Parameters<typeof configVolume>[1]): Mapping {
  return {
    volumes: [configVolume('stack-files', keys)],
    volumeMounts: [{ name: 'stack-files', mountPath: '/etc/promstack/current', readOnly: true }],
  };
}

/** The account by which Prometheus finds the Alertmanagers; it may only look, in its namespace. */
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

/** Converts the sections of prometheus.yml, and reports what the operator does not take. */
class ConfigConverter {
  readonly #draft: KubernetesDraft;
  readonly #values: OperatorValues;
  readonly #document: Document | undefined;
  readonly #hasSecrets: boolean;

  constructor(draft: KubernetesDraft, values: OperatorValues, main: RenderedFile | undefined) {
    this.#draft = draft;
    this.#values = values;
    this.#hasSecrets = main !== undefined && isSecret(main);
    this.#document =
      main === undefined ? undefined : parseDocument(revealed(main), { merge: true, logLevel: 'silent' });
  }

  part(section: string, table: Fields, value: unknown, elsewhere: readonly string[]): Mapping {
    const { converted, others } = knownFields(table, value ?? '', section, this.#values);
    for (const key of others) if (!elsewhere.includes(key.split('.')[1] ?? '')) this.#left(key);
    return converted;
  }

  #left(key: string): void {
    this.#draft.findings.left(
      `${key} of prometheus.yml`,
      undefined,
      'the objects of prometheus-operator do not have it; --plain has',
    );
  }

  /** ScrapeConfigs; a job that they cannot express is added in the syntax of Prometheus. */
  jobs(value: unknown): Mapping {
    const others: number[] = [];
    for (const [at, job] of listOf(value).entries()) {
      const jobName = isMapping(job) ? String(job['job_name']) : String(at);
      const { findings } = this.#draft;
      try {
        const spec = tables.job(job, `job.${jobName}`, this.#values) as Mapping;
        const name = this.#draft.nameFor('ScrapeConfig', jobName);
        this.#draft.add(folder, 'monitoring.coreos.com/v1alpha1', 'ScrapeConfig', name, { spec });
        findings.taken(`job ${jobName}`, undefined, `ScrapeConfig ${name}`);
      } catch (error) {
        if (!(error instanceof NotConvertibleError)) throw error;
        others.push(at);
        const why = `a ScrapeConfig does not have ${error.message.replace(`job.${jobName}.`, '')}`;
        findings.changed(`job ${jobName}`, undefined, 'additionalScrapeConfigs', why);
      }
    }
    return this.#native(['scrape_configs'], others, 'additional-scrape-configs.yaml', 'additionalScrapeConfigs');
  }

  /** Items of a list of prometheus.yml in its own syntax, for which the operator takes the key of a Secret. */
  #native(path: readonly string[], indexes: readonly number[], key: string, target: string): Mapping {
    const list = this.#document?.getIn(path);
    if (indexes.length === 0 || !isSeq(list)) return {};
    const items = indexes.map((at) => list.items[at] as Node);
    for (const item of items) makePathsAbsolute(item);
    const document = new NewDocument();
    const seq = document.createNode([]) as typeof list;
    seq.items = items;
    document.contents = seq as never;
    return {
      [target]: this.#values.value(
        document.toString({ lineWidth: 0 }),
        key,
        this.#hasSecrets ? ['the secrets in stack.yml'] : [],
      ),
    };
  }

  entries(section: string, target: string, table: Fields, value: unknown): Mapping {
    const entries = listOf(value).map((entry, at) => this.part(`${section}.${at}`, table, entry, []));
    if (entries.length > 0)
      this.#draft.findings.taken(`${section} of prometheus.yml`, this.#draft.at('prometheus', section), target);
    return entries.length === 0 ? {} : { [target]: entries };
  }

  sections(config: Mapping): Mapping {
    const own = ['global', 'scrape_configs', 'remote_write', 'remote_read', 'storage', 'alerting', 'rule_files'];
    const others = Object.fromEntries(Object.entries(config).filter(([key]) => !own.includes(key)));
    const { converted, others: left } = knownFields(tables.sectionFields, others, 'prometheus', this.#values);
    for (const key of left) this.#left(key.replace(/^prometheus\./, ''));
    return converted;
  }

  storage(value: unknown): Mapping {
    if (!isMapping(value)) return {};
    const { tsdb, exemplars, ...others } = value;
    for (const key of Object.keys(others)) this.#left(`storage.${key}`);
    const tsdbFields = this.part('storage.tsdb', tables.tsdbFields, tsdb, []);
    const exemplarFields = this.part('storage.exemplars', tables.exemplarFields, exemplars, []);
    return {
      ...(Object.keys(tsdbFields).length === 0 ? {} : { tsdb: tsdbFields }),
      ...(Object.keys(exemplarFields).length === 0 ? {} : { exemplars: exemplarFields }),
    };
  }

  /** The stack's own Alertmanager by its Service, others in the syntax of Prometheus. */
  alerting(value: unknown, hasAlertmanager: boolean): Mapping {
    const section = isMapping(value) ? value : {};
    const own = `alertmanager:${servicePorts.alertmanager}`;
    const managers = listOf(section['alertmanagers']);
    const ownAt = hasAlertmanager
      ? managers.findIndex((entry) => JSON.stringify(entry).includes(JSON.stringify(own)))
      : -1;
    const others = managers.flatMap((_, at) => (at === ownAt ? [] : [at]));
    const relabelings = listOf(section['alert_relabel_configs']).map((_, at) => at);
    return {
      ...(ownAt === -1 ? {} : { alerting: { alertmanagers: [this.#ownAlertmanager(managers[ownAt])] } }),
      ...this.#native(
        ['alerting', 'alertmanagers'],
        others,
        'additional-alertmanagers.yaml',
        'additionalAlertManagerConfigs',
      ),
      ...this.#native(
        ['alerting', 'alert_relabel_configs'],
        relabelings,
        'alert-relabel-configs.yaml',
        'additionalAlertRelabelConfigs',
      ),
    };
  }

  #ownAlertmanager(entry: unknown): Mapping {
    const { static_configs: _, scheme, ...rest } = isMapping(entry) ? entry : {};
    const client = this.part('alerting.alertmanagers', { ...clientFields, ...tables.alertmanagerFields }, rest, []);
    return {
      namespace: this.#draft.namespace,
      name: 'alertmanager',
      port: 'web',
      ...(scheme === undefined ? {} : { scheme }),
      ...client,
    };
  }
}
