import type { StackConfig } from '../../../stack/config.ts';
import type { StoredFamily, StoredGroup } from '../../../stack/exposition/conflicts.ts';
import {
  formatLabels,
  type LabelMap,
  type MetricType,
  type NameScheme,
  toMetricType,
} from '../../../stack/exposition/family.ts';
import { pushgateway } from '../../../stack/pushgateway/service.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import { parseJson } from '../../../stack/values/parse.ts';
import type { Engine } from '../../engine/engine.ts';
import { locateServices } from '../../state/locate.ts';
import { notRunning } from '../../state/not-running.ts';
import { openServiceClient } from '../../state/service-client.ts';
import { openStackTasks } from '../../state/swarm/stack-tasks.ts';
import { ConnectionError, type FullResponse } from '../../util/http.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Servers } from '../servers.ts';
import { GatewayError, toRefusal, toUnreachable } from './errors.ts';
import { type Group, groupNameProblem, groupPath, hasPlainNames } from './group.ts';
import { type GatewayRequest, type Transport, textFormat } from './transport.ts';

/** Command-line flags of a Pushgateway that concern pushes. */
interface GatewaySettings {
  readonly names: NameScheme;
  /** Whether it checks a push for consistency with the stored metrics. */
  readonly checksConsistency: boolean;
}

/** All groups at one moment. */
export interface StoredGroups {
  readonly groups: readonly StoredGroup[];
  /** The Pushgateway's own time at that moment, in seconds since 1970. */
  readonly now: number;
}

/** Every method rejects with a GatewayError that says what to try. */
export interface PushgatewayClient extends AsyncDisposable {
  /** Its URL without credentials. */
  readonly base: string;
  /** Replaces the group (PUT), or only the metrics in the text (POST). */
  push(group: Group, text: string, options: { replaces: boolean; signal?: AbortSignal | undefined }): Promise<void>;
  /** Deletes exactly this group. Resolves before it is deleted, and whether or not it exists. */
  delete(group: Group, signal?: AbortSignal): Promise<void>;
  list(signal?: AbortSignal): Promise<StoredGroups>;
  settings(signal?: AbortSignal): Promise<GatewaySettings>;
  /** The URL to which a group is pushed, without credentials. */
  urlOf(group: Group, signal?: AbortSignal): Promise<string>;
  /** The types of the Pushgateway's own metrics, by name. */
  ownTypes(signal?: AbortSignal): Promise<ReadonlyMap<string, MetricType>>;
}

/** A client that closes its transport; sends nothing yet. */
export function openPushgateway(transport: Transport, now: () => number = Date.now): PushgatewayClient {
  const { base, isGiven } = transport;
  const request = async (doing: string, outgoing: GatewayRequest): Promise<FullResponse> => {
    const response = await transport.send(outgoing).catch((error: unknown) => {
      throw error instanceof ConnectionError ? toUnreachable({ doing, base, isGiven }, error) : error;
    });
    if (response.status < 200 || response.status > 299) throw toRefusal({ doing, base }, response);
    return response;
  };
  const settings = async (signal?: AbortSignal): Promise<GatewaySettings> => {
    const doing = 'reading the flags of the Pushgateway';
    return readSettings((await request(doing, { method: 'GET', path: '/api/v1/status', signal })).body);
  };
  /** Only the Pushgateway knows how it reads names outside the legacy alphabet, and it never refuses one. */
  const pathOf = async (doing: string, group: Group, signal?: AbortSignal): Promise<string> => {
    if (hasPlainNames(group)) return groupPath(group, 'legacy');
    const { names } = await settings(signal);
    const problem = groupNameProblem(group, names);
    if (problem === undefined) return groupPath(group, names);
    throw new GatewayError(false, { doing, why: problem.message, tryThis: problem.hint });
  };
  return {
    base,
    push: async (group, body, { replaces, signal }) => {
      const doing = `pushing to ${formatLabels(group)}`;
      const path = await pathOf(doing, group, signal);
      await request(doing, { method: replaces ? 'PUT' : 'POST', path, body, signal });
    },
    delete: async (group, signal) => {
      const doing = `deleting ${formatLabels(group)}`;
      await request(doing, { method: 'DELETE', path: await pathOf(doing, group, signal), signal });
    },
    urlOf: async (group, signal) => base + (await pathOf(`finding ${formatLabels(group)}`, group, signal)),
    list: async (signal) => {
      const doing = 'reading the groups of the Pushgateway';
      const { body, headers } = await request(doing, { method: 'GET', path: '/api/v1/metrics', signal });
      const groups = parseStoredGroups(body);
      if (groups !== undefined) return { groups, now: gatewayTime(headers.date, now()) };
      throw new GatewayError(false, {
        doing,
        why: `${base} answered, but not like a Pushgateway`,
        tryThis: 'use the URL of a Pushgateway of version 1.0 or later, including its path prefix',
      });
    },
    settings,
    ownTypes: async (signal) => {
      const doing = 'reading the metrics of the Pushgateway';
      return readOwnTypes((await request(doing, { method: 'GET', path: '/metrics', signal })).body);
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** The Pushgateway among the servers of a stack, which close its connections; it rejects with their NoAnswerError. */
export function pushgatewayOf(servers: Servers): PushgatewayClient {
  return openPushgateway({
    base: pushgateway.name,
    send: ({ method, path, body }) =>
      servers.request(pushgateway.name, { method, path, ...(body === undefined ? {} : { body, headers: textFormat }) }),
    [Symbol.asyncDispose]: async () => undefined,
  });
}

/** The Pushgateway of a stack, located by its container and not by the port in stack.yml; a StackError when it is not running. */
export async function openStackPushgateway(
  engine: Engine,
  stack: string,
  {
    timeoutMs,
    now,
    target = 'engine',
  }: {
    readonly timeoutMs: number;
    readonly now: () => number;
    /** Where the stack runs. */
    readonly target?: StackConfig['target'] | undefined;
  },
): Promise<PushgatewayClient> {
  const { name, port, title } = pushgateway;
  const { client, container, base } = await (target === 'swarm' ? locateTask : locateContainer)(engine, stack);
  if (container?.state !== 'running' || base === undefined) {
    const { why, tryThis } = notRunning(name, container);
    throw new StackError({
      doing: `connecting to the ${title} of ${stack}`,
      why,
      tryThis: `\`${tryThis}\`, or --url with the URL of a different Pushgateway`,
    });
  }
  const transport: Transport = {
    base,
    send: ({ method, path, body, signal }) => {
      const headers = body === undefined ? {} : textFormat;
      return client.request(name, { method, port, path, body, headers }, { timeoutMs, signal });
    },
    [Symbol.asyncDispose]: async () => client.close(),
  };
  return openPushgateway(transport, now);
}

async function locateContainer(engine: Engine, stack: string) {
  const client = openServiceClient(engine);
  const container = (await locateServices(engine, stack, client)).get(pushgateway.name);
  return { client, container, base: client.url(pushgateway.name, pushgateway.port) };
}

async function locateTask(engine: Engine, stack: string) {
  const { client, find } = await openStackTasks(engine, stack);
  // The name by which all others in the stack's network reach it.
  return { client, container: await find(pushgateway.name), base: `http://${pushgateway.name}:${pushgateway.port}` };
}

/**
 * Ages are by the Pushgateway's clock, which timestamped the pushes: by its Date header when the clocks differ by more
 * than that header's resolution of one second.
 */
function gatewayTime(date: string | undefined, nowMs: number): number {
  const dateMs = date === undefined ? NaN : Date.parse(date);
  const differs = Math.abs(dateMs + 500 - nowMs) > 1_500;
  return (Number.isNaN(dateMs) || !differs ? nowMs : dateMs) / 1000;
}

/** A Pushgateway before 1.0 does not return its flags: the defaults are assumed. */
function readSettings(body: string): GatewaySettings {
  const has = (flag: string) => new RegExp(`"${flag.replaceAll('.', '\\.')}"\\s*:\\s*"true"`).test(body);
  return {
    names: has('push.enable-utf8-names') ? 'utf8' : 'legacy',
    checksConsistency: !has('push.disable-consistency-check'),
  };
}

/** Whether a metric may be one of the Pushgateway's own, which its page lists among the pushed ones. */
export function isOwnMetric(name: string): boolean {
  return /^(go|process|promhttp|pushgateway)_/.test(name);
}

function readOwnTypes(body: string): ReadonlyMap<string, MetricType> {
  const types = new Map<string, MetricType>();
  for (const [, name = '', word = ''] of body.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const type = toMetricType(word);
    if (isOwnMetric(name) && type !== undefined) types.set(name, type);
  }
  return types;
}

const pushed = 'push_time_seconds';
const failed = 'push_failure_time_seconds';

/**
 * The groups in the response to `GET /api/v1/metrics`; undefined when it is not such a response. Parsed by hand, since
 * a collection reads a thousand groups several times, and a zod schema takes twenty times as long as JSON.parse.
 */
function parseStoredGroups(json: string): readonly StoredGroup[] | undefined {
  const response = parseJson(json);
  if (!isMapping(response) || response['status'] !== 'success') return undefined;
  const entries = response['data'] ?? [];
  return Array.isArray(entries) && entries.every(isMapping) ? entries.map(toStoredGroup) : undefined;
}

function toStoredGroup(entry: Mapping): StoredGroup {
  let families: StoredGroup['families'] | undefined;
  return {
    labels: jobFirst(groupLabelsOf(entry)),
    pushedAt: timeOf(entry[pushed]),
    failedAt: timeOf(entry[failed]),
    // Most of a response is metrics, and few callers need them.
    get families() {
      families ??= familiesOf(entry);
      return families;
    },
  };
}

/**
 * Metrics are keys beside `labels`, so a metric named `labels` hides the labels of its group; `push_time_seconds`, which
 * every group has, has them too.
 */
function groupLabelsOf(entry: Mapping): LabelMap {
  if (!isFamily(entry['labels'])) return labelsOf(entry);
  const labels = labelsOf(seriesOf(entry[pushed])[0]);
  return new Map([...labels].filter(([name, value]) => name !== 'instance' || value !== ''));
}

function familiesOf(entry: Mapping): StoredGroup['families'] {
  const families = new Map<string, StoredFamily>();
  for (const [name, value] of Object.entries(entry)) {
    if (!isFamily(value) || name === pushed || name === failed) continue;
    families.set(name, {
      type: toMetricType(String(value['type'])),
      help: String(value['help'] ?? ''),
      series: seriesOf(value).map(labelsOf),
      get values() {
        return seriesOf(value).map(valueText);
      },
    });
  }
  return families;
}

function valueText(series: unknown): string {
  if (!isMapping(series)) return '';
  const { value, count, sum } = series;
  return value === undefined ? `count ${String(count)}, sum ${String(sum)}` : String(value);
}

function isFamily(value: unknown): value is Mapping {
  return isMapping(value) && Array.isArray(value['metrics']);
}

function seriesOf(family: unknown): readonly unknown[] {
  return isFamily(family) && Array.isArray(family['metrics']) ? family['metrics'] : [];
}

function labelsOf(series: unknown): LabelMap {
  const labels = isMapping(series) ? series['labels'] : undefined;
  return new Map(isMapping(labels) ? Object.entries(labels).map(([name, value]) => [name, String(value)]) : []);
}

function timeOf(family: unknown): number | undefined {
  const [series] = seriesOf(family);
  const seconds = Number(isMapping(series) ? series['value'] : 0);
  return seconds > 0 ? seconds : undefined;
}

function jobFirst(group: LabelMap): LabelMap {
  const others = [...group].filter(([name]) => name !== 'job').sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map([['job', group.get('job') ?? ''], ...others]);
}
