import * as z from 'zod';
import { type ReceiverIntegrations, readMainFile, receiversIn } from '../../stack/alertmanager/main-file.ts';
import { formatMatcher, type Labels, type Matcher } from '../../stack/alertmanager/matcher.ts';
import { isMapping, type Mapping } from '../../stack/values/mapping.ts';
import { parseJson, parseYaml } from '../../stack/values/parse.ts';
import type { Rendering } from '../render/rendering.ts';
import { StackError } from '../util/stack-error.ts';
import { NoAnswerError, type Servers } from './servers.ts';

const service = 'alertmanager';

const matcherSchema = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
});
const silenceSchema = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  matchers: z.array(matcherSchema),
  startsAt: z.string(),
  endsAt: z.string(),
  createdBy: z.string(),
  comment: z.string(),
});
const idsSchema = z.array(z.string()).default([]);
const alertSchema = z.object({
  fingerprint: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).optional(),
  startsAt: z.string().optional(),
  receivers: z.array(z.object({ name: z.string() })),
  status: z.object({ silencedBy: idsSchema, inhibitedBy: idsSchema, mutedBy: idsSchema }),
});

/** A silence of the running Alertmanager. */
export type Silence = Omit<z.infer<typeof silenceSchema>, 'matchers'> & { readonly matchers: readonly Matcher[] };

/** An alert of the running Alertmanager. */
export type ActiveAlert = z.infer<typeof alertSchema>;

/** A silence to add; times are ISO 8601. */
export type NewSilence = Omit<Silence, 'id' | 'status'>;

/** An alert to send; it resolves by itself at `endsAt`. */
export interface NewAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Alertmanager's HTTP API, version 2. Every method rejects with a StackError for a failed or missing response. */
export class AlertmanagerClient {
  readonly #servers: Servers;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** The silences that have all of these matchers. */
  async silences(matchers: readonly Matcher[] = []): Promise<readonly Silence[]> {
    const path = `/api/v2/silences${filterOf(matchers)}`;
    const silences = await this.#servers.json(service, path, z.array(silenceSchema), 'reading the silences');
    return silences.map((silence) => ({ ...silence, matchers: silence.matchers.map(fromSchema) }));
  }

  /** Adds a silence and returns its ID. */
  async addSilence(silence: NewSilence): Promise<string> {
    const doing = 'adding the silence';
    const body = { ...silence, matchers: silence.matchers.map(toApiMatcher) };
    const added = z.object({ silenceID: z.string() }).safeParse(await this.#post(doing, '/api/v2/silences', body));
    if (added.success) return added.data.silenceID;
    throw new StackError({ doing, why: 'its response has no silence ID', tryThis: 'promstack silence list' });
  }

  async expireSilence(id: string): Promise<void> {
    await this.#change(`expiring the silence ${id}`, { method: 'DELETE', path: `/api/v2/silence/${id}` });
  }

  /** The active alerts that match all of these matchers. */
  alerts(matchers: readonly Matcher[] = []): Promise<readonly ActiveAlert[]> {
    const path = `/api/v2/alerts${filterOf(matchers)}`;
    return this.#servers.json(service, path, z.array(alertSchema), 'reading the alerts');
  }

  async send(alert: NewAlert): Promise<void> {
    await this.#post('sending the alert', '/api/v2/alerts', [alert]);
  }

  /** Its own metrics page. */
  metrics(): Promise<string> {
    return this.#servers.text(service, '/metrics', 'reading the metrics of Alertmanager');
  }

  /** `0.34.0`. */
  async version(): Promise<string> {
    const schema = z.object({ versionInfo: z.object({ version: z.string() }) });
    return (await this.#servers.json(service, '/api/v2/status', schema, 'reading the version')).versionInfo.version;
  }

  /** Its running config, secrets masked. */
  async config(): Promise<unknown> {
    const schema = z.object({ config: z.object({ original: z.string() }) });
    const { config } = await this.#servers.json(service, '/api/v2/status', schema, 'reading the config');
    return parseYaml(config.original);
  }

  #post(doing: string, path: string, value: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#change(doing, { method: 'POST', path, body: JSON.stringify(value), headers });
  }

  async #change(doing: string, request: Parameters<Servers['request']>[1]): Promise<unknown> {
    const { status, body } = await this.#servers.request(service, request, doing);
    if (status === 200) return parseJson(body);
    const why = `Alertmanager rejects it with ${status}: ${messageIn(body)}`;
    throw new StackError({ doing, why, tryThis: 'promstack logs alertmanager' });
  }
}

/** An error is a JSON string, or an object when the request does not match Alertmanager's model. */
function messageIn(body: string): string {
  const value = parseJson(body);
  const { message } = z.object({ message: z.string() }).catch({ message: body }).parse(value);
  return (typeof value === 'string' ? value : message).trim();
}

function filterOf(matchers: readonly Matcher[]): string {
  if (matchers.length === 0) return '';
  return `?${matchers.map((matcher) => `filter=${encodeURIComponent(formatMatcher(matcher))}`).join('&')}`;
}

function fromSchema({ name, value, isRegex, isEqual }: z.infer<typeof matcherSchema>): Matcher {
  return { name, value, operator: isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=' };
}

/** As in Alertmanager's API. */
export function toApiMatcher({ name, value, operator }: Matcher): z.infer<typeof matcherSchema> {
  return { name, value, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') };
}

/** The config of an Alertmanager that routes alerts. */
export interface Routing {
  /** The parsed alertmanager.yml. */
  readonly file: Mapping;
  readonly receivers: readonly ReceiverIntegrations[];
  /** Whether it is the config of the running server, not that of stack.yml. */
  readonly isLive: boolean;
}

/** The routing as rendered from stack.yml. */
export function readRenderedRouting({ services }: Rendering): Routing {
  const files = services.find(({ service: { name } }) => name === service)?.files ?? [];
  return toRouting(readMainFile(files) ?? {}, false);
}

/** The routing of the running Alertmanager; undefined when its config is none. */
export async function readLiveRouting(servers: Servers): Promise<Routing | undefined> {
  const config = await new AlertmanagerClient(servers).config();
  return isMapping(config) ? toRouting(config, true) : undefined;
}

/** The routing of the running Alertmanager, or the rendered one while it does not answer. */
export async function readRouting(servers: Servers, rendered: Routing): Promise<Routing> {
  try {
    return (await readLiveRouting(servers)) ?? rendered;
  } catch (error) {
    if (error instanceof NoAnswerError) return rendered;
    throw error;
  }
}

function toRouting(file: Mapping, isLive: boolean): Routing {
  return { file, receivers: receiversIn(file), isLive };
}
