import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { type MetricType, type NameScheme, toMetricType } from '../../../stack/exposition/family.ts';
import { formatGroup, type Group, groupPath } from './group.ts';
import { explain, GatewayError, type GatewayRequest, toRefusal } from './refusal.ts';
import { readStoredGroups } from './stored-groups.ts';
import type { GatewayResponse, Outgoing, Transport } from './transport.ts';

/** What a Pushgateway was started with, as far as pushes are concerned. */
interface GatewaySettings {
  readonly names: NameScheme;
  /** Whether it compares a push with what it holds before it takes it. */
  readonly checksConsistency: boolean;
}

/** All groups at one moment. */
export interface StoredGroups {
  readonly groups: readonly StoredGroup[];
  /** The Pushgateway's own time at that moment, in seconds since 1970. */
  readonly now: number;
}

/** A Pushgateway as a client sees it. Every method rejects with a GatewayError that says what to do. */
export interface Gateway extends AsyncDisposable {
  /** Its address, without credentials. */
  readonly base: string;
  /** Replaces the group (PUT), or only the metrics the text names (POST). */
  push(group: Group, text: string, how: { replaces: boolean; signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Asks for the group to be deleted, exactly this one and not those with more labels. It answers before the group is
   * gone, and whether or not there was one.
   */
  delete(group: Group, signal?: AbortSignal): Promise<void>;
  look(signal?: AbortSignal): Promise<StoredGroups>;
  settings(signal?: AbortSignal): Promise<GatewaySettings>;
  /** The metrics of the Pushgateway itself, by name. */
  ownTypes(signal?: AbortSignal): Promise<ReadonlyMap<string, MetricType>>;
}

/** The Pushgateway at the end of a transport, which is closed with it; nothing is asked of it yet. */
export function openGateway(transport: Transport, now: () => number = Date.now): Gateway {
  const { base } = transport;
  const ask = async (doing: string, outgoing: Outgoing): Promise<GatewayResponse> => {
    const asked: GatewayRequest = { doing, base };
    try {
      const answer = await transport.send(outgoing);
      if (answer.status < 200 || answer.status > 299) throw toRefusal(asked, answer);
      return answer;
    } catch (error) {
      throw explain(asked, error);
    }
  };
  return {
    base,
    push: async (group, text, { replaces, signal }) => {
      const path = groupPath(group);
      await ask(`pushing to ${formatGroup(group)}`, { method: replaces ? 'PUT' : 'POST', path, body: text, signal });
    },
    delete: async (group, signal) => {
      await ask(`deleting ${formatGroup(group)}`, { method: 'DELETE', path: groupPath(group), signal });
    },
    look: async (signal) => {
      const doing = 'reading what the Pushgateway holds';
      const { body, headers } = await ask(doing, { method: 'GET', path: '/api/v1/metrics', signal });
      const groups = readStoredGroups(body);
      if (groups === undefined) throw notOne(doing, base);
      return { groups, now: gatewayTime(headers.date, now()) };
    },
    settings: async (signal) => {
      const doing = 'asking the Pushgateway how it was started';
      return readSettings((await ask(doing, { method: 'GET', path: '/api/v1/status', signal })).body);
    },
    ownTypes: async (signal) => {
      const doing = 'reading the metrics of the Pushgateway';
      return readOwnTypes((await ask(doing, { method: 'GET', path: '/metrics', signal })).body);
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

function notOne(doing: string, base: string): GatewayError {
  return new GatewayError(false, {
    doing,
    why: `${base} answered, but not as a Pushgateway does`,
    tryThis: 'the address of a Pushgateway of version 1.0 or later, its path prefix included',
  });
}

/**
 * Ages are counted by the Pushgateway's clock, which stamped the pushes: by its Date header where the two clocks differ
 * by more than that header's resolution of a second lets tell.
 */
function gatewayTime(date: string | undefined, nowMs: number): number {
  const told = date === undefined ? NaN : Date.parse(date);
  const differs = Math.abs(told + 500 - nowMs) > 1_500;
  return (Number.isNaN(told) || !differs ? nowMs : told) / 1000;
}

/** Settings of a Pushgateway that does not tell (before 1.0) are the defaults. */
function readSettings(body: string): GatewaySettings {
  const has = (flag: string) => new RegExp(`"${flag.replaceAll('.', '\\.')}"\\s*:\\s*"true"`).test(body);
  return {
    names: has('push.enable-utf8-names') ? 'utf8' : 'legacy',
    checksConsistency: !has('push.disable-consistency-check'),
  };
}

/** Its own metrics and pushed ones stand in one list; the own ones are told by how they begin. */
const ownPrefix = /^(go|process|promhttp|pushgateway)_/;

/** Whether a metric might be one of the Pushgateway's own. */
export function isOwnGateway(name: string): boolean {
  return ownPrefix.test(name);
}

function readOwnTypes(body: string): ReadonlyMap<string, MetricType> {
  const found = new Map<string, MetricType>();
  for (const [, name = '', word = ''] of body.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const type = toMetricType(word);
    if (isOwnGateway(name) && type !== undefined) found.set(name, type);
  }
  return found;
}
