import { Document, isSeq, parseDocument, visit } from 'yaml';
import type { RenderedFile } from '../../../stack/model.ts';
import { servicePorts } from '../../../stack/own-items.ts';
import { isMapping, listOf, type Mapping } from '../../../stack/values/mapping.ts';
import { revealed, shown } from '../../render/show.ts';
import { redact } from '../../util/redaction.ts';
import { isSecret, secretsIn } from '../exported-services.ts';
import { type KubernetesDraft, withoutSecrets } from './kubernetes-draft.ts';
import { keepAsWritten, makePathsAbsolute, quoteAmbiguous } from './native-yaml.ts';
import { type Fields, knownFields, NotConvertibleError, type OperatorValues } from './operator-fields.ts';
import * as tables from './operator-tables.ts';

const folder = 'prometheus';

/** Converts the sections of prometheus.yml, and reports what the operator does not take. */
export class PrometheusConfig {
  readonly #draft: KubernetesDraft;
  readonly #values: OperatorValues;
  readonly #main: RenderedFile | undefined;

  constructor(draft: KubernetesDraft, values: OperatorValues, main: RenderedFile | undefined) {
    this.#draft = draft;
    this.#values = values;
    this.#main = main;
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
        const spec = this.#values.attempt(() => withoutSecret(tables.job(job, `job.${jobName}`, this.#values)));
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
    if (this.#main === undefined || indexes.length === 0) return {};
    const [text, masked] = [revealed(this.#main), shown(this.#main)].map((all) => itemsOf(all, path, indexes));
    if (text === undefined) return {};
    const secrets = isSecret(this.#main) ? secretsIn(this.#main) : [];
    return { [target]: this.#values.value(text, key, secrets, secrets.length === 0 ? undefined : masked) };
  }

  entries(section: string, target: string, table: Fields, value: unknown): Mapping {
    const entries = listOf(value).flatMap((entry, at) => {
      const path = `${section}.${at}`;
      const withLogin = loginFromUrl(entry);
      const url = isMapping(withLogin) ? String(withLogin['url']) : '';
      if (redact(url) === url) return [this.part(path, table, this.#withHeaders(withLogin, path), [])];
      const why = 'its URL has a secret, for which prometheus-operator has no place; --plain has';
      this.#draft.findings.left(`${path} of prometheus.yml`, undefined, why);
      return [];
    });
    if (entries.length > 0)
      this.#draft.findings.taken(`${section} of prometheus.yml`, this.#draft.at('prometheus', section), target);
    return entries.length === 0 ? {} : { [target]: entries };
  }

  /** The operator has headers of one value each, which is not secret. */
  #withHeaders(entry: unknown, path: string): unknown {
    if (!isMapping(entry) || !isMapping(entry['http_headers'])) return entry;
    const { http_headers: all, ...others } = entry;
    const headers: Record<string, unknown> = isMapping(others['headers']) ? { ...others['headers'] } : {};
    for (const [name, header] of Object.entries(all as Mapping)) {
      const { values, ...rest } = isMapping(header) ? header : {};
      const [value, ...further] = listOf(values);
      if (value !== undefined && further.length === 0 && Object.keys(rest).length === 0) headers[name] = value;
      else this.#left(`${path}.http_headers.${name}`);
    }
    return Object.keys(headers).length === 0 ? others : { ...others, headers };
  }

  sections(config: Mapping): Mapping {
    const own = ['global', 'scrape_configs', 'remote_write', 'remote_read', 'storage', 'alerting', 'rule_files'];
    const others = Object.fromEntries(Object.entries(config).filter(([key]) => !own.includes(key)));
    const { converted, others: left } = knownFields(tables.sectionFields, others, 'prometheus', this.#values);
    for (const key of left) this.#left(key.replace(/^prometheus\./, ''));
    for (const glob of listOf(config['rule_files'])) {
      if (!/^(?:\.\/)?rules\//.test(String(glob))) this.#left(`rule_files ${String(glob)}`);
    }
    return converted;
  }

  storage(value: unknown): Mapping {
    if (!isMapping(value)) return {};
    const { tsdb, exemplars, ...others } = value;
    for (const key of Object.keys(others)) this.#left(`storage.${key}`);
    const { retention, ...ownTsdb } = isMapping(tsdb) ? tsdb : {};
    const retentionFields = this.part('storage.tsdb.retention', tables.retentionFields, retention, []);
    const tsdbFields = this.part('storage.tsdb', tables.tsdbFields, ownTsdb, []);
    const exemplarFields = this.part('storage.exemplars', tables.exemplarFields, exemplars, []);
    return {
      ...retentionFields,
      ...(Object.keys(tsdbFields).length === 0 ? {} : { tsdb: tsdbFields }),
      ...(Object.keys(exemplarFields).length === 0 ? {} : { exemplars: exemplarFields }),
    };
  }

  /** The stack's own Alertmanager by its Service, others in the syntax of Prometheus. */
  alerting(value: unknown, hasAlertmanager: boolean): Mapping {
    const section = isMapping(value) ? value : {};
    const managers = listOf(section['alertmanagers']);
    const converted = managers.map((entry) => (hasAlertmanager ? this.#ownAlertmanager(entry) : undefined));
    const own = converted.filter((entry) => entry !== undefined);
    const others = managers.flatMap((_, at) => (converted[at] === undefined ? [at] : []));
    const relabelings = listOf(section['alert_relabel_configs']).map((_, at) => at);
    return {
      ...(own.length === 0 ? {} : { alerting: { alertmanagers: own } }),
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

  /** The stack's own Alertmanager, found by its Service; undefined for another one, or with a key that the operator does not have. */
  #ownAlertmanager(entry: unknown): Mapping | undefined {
    const { static_configs: groups, scheme, ...rest } = isMapping(entry) ? entry : {};
    const own = [{ targets: [`alertmanager:${servicePorts.alertmanager}`] }];
    if (JSON.stringify(groups) !== JSON.stringify(own)) return undefined;
    const client = knownFields(tables.alertmanagerFields, rest, 'alerting.alertmanagers', this.#values);
    if (client.others.length > 0) return undefined;
    return {
      namespace: this.#draft.namespace,
      name: 'alertmanager',
      port: 'web',
      ...(scheme === undefined ? {} : { scheme }),
      ...client.converted,
      // The operator finds pods by their addresses, which no certificate has.
      ...(scheme === 'https'
        ? { tlsConfig: { serverName: 'alertmanager', ...(client.converted['tlsConfig'] as Mapping | undefined) } }
        : {}),
    };
  }
}

/** The spec of a job; one with a secret in a value of its own, such as a parameter, is not convertible. */
function withoutSecret(spec: unknown): Mapping {
  if (!isMapping(spec)) throw new NotConvertibleError('');
  const changed = Object.entries(spec).find(
    ([key, value]) => JSON.stringify(withoutSecrets({ [key]: value })) !== JSON.stringify({ [key]: value }),
  );
  if (changed !== undefined) throw new NotConvertibleError(`a secret in ${changed[0]}`);
  return spec;
}

/** The login in the URL of a remote storage as that of its requests, which it is. */
function loginFromUrl(entry: unknown): unknown {
  if (!isMapping(entry) || !URL.canParse(String(entry['url']))) return entry;
  const url = new URL(String(entry['url']));
  const hasOther = ['basic_auth', 'authorization', 'oauth2', 'sigv4', 'azuread'].some(
    (key) => entry[key] !== undefined,
  );
  // What is not percent-encoded UTF-8 is left as it is.
  if (url.password === '' || hasOther || /%(?![2-7][\da-f])/i.test(url.username + url.password)) return entry;
  const basic_auth = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  [url.username, url.password] = ['', ''];
  return { ...entry, url: url.href, basic_auth };
}

/** The text of some items of a list in a YAML file, with absolute paths. */
function itemsOf(text: string, path: readonly string[], indexes: readonly number[]): string | undefined {
  const parsed = parseDocument(text, { merge: true, logLevel: 'silent' });
  keepAsWritten(parsed);
  // An alias may be of a part that is left out.
  let hasAlias = false;
  visit(parsed, {
    Alias: () => {
      hasAlias = true;
    },
  });
  const document = hasAlias ? new Document(parsed.toJS(), { aliasDuplicateObjects: false }) : parsed;
  const list = document.getIn(path);
  if (!isSeq(list)) return undefined;
  list.items = list.items.filter((_, at) => indexes.includes(at));
  makePathsAbsolute(list);
  quoteAmbiguous(list);
  document.contents = list as typeof document.contents;
  return document.toString({ lineWidth: 0 });
}
