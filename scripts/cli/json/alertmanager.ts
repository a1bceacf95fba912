import * as z from 'zod';
import type { Inhibition } from '../../../stack/alertmanager/inhibition.ts';
import type { TracedRoute } from '../../../stack/alertmanager/routing-tree.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import type { AlertTrace } from '../../inspect/alert-route.ts';
import { type Silence, toApiMatcher } from '../../servers/alertmanager.ts';
import { timeSchema } from './schema.ts';

const matchersSchema = () =>
  z
    .array(z.strictObject({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() }))
    .describe("as in Alertmanager's API");

export const labelsSchema = () => z.record(z.string(), z.string());

export const silenceSchema = () =>
  z.strictObject({
    id: z.string(),
    state: z.enum(['active', 'pending', 'expired']),
    matchers: matchersSchema(),
    startsAt: timeSchema(),
    endsAt: timeSchema(),
    createdBy: z.string(),
    comment: z.string(),
  });

export function toJsonSilence({ id, status, matchers, startsAt, endsAt, createdBy, comment }: Silence) {
  return { id, state: status.state, matchers: matchers.map(toApiMatcher), startsAt, endsAt, createdBy, comment };
}

const timingKeys = () => ({
  groupBy: z.array(z.string()),
  groupWaitSeconds: z.number(),
  groupIntervalSeconds: z.number(),
  repeatIntervalSeconds: z.number(),
});

function toJsonTiming({ groupBy, groupWait, groupInterval, repeatInterval }: TracedRoute['timing']) {
  const seconds = (text: string): number => (parseDuration(text) ?? 0) / 1000;
  return {
    groupBy,
    groupWaitSeconds: seconds(groupWait),
    groupIntervalSeconds: seconds(groupInterval),
    repeatIntervalSeconds: seconds(repeatInterval),
  };
}

const routeKeys = () => ({
  receiver: z.string(),
  matchers: matchersSchema(),
  continue: z.boolean(),
  ...timingKeys(),
  muteTimeIntervals: z.array(z.string()),
  activeTimeIntervals: z.array(z.string()),
  isMatched: z.boolean(),
  isFinal: z.boolean().describe('it matches and none of its child routes does: its receiver is notified'),
});

type JsonRoute = z.input<z.ZodObject<ReturnType<typeof routeKeys>>> & { routes: JsonRoute[] };

const routeSchema = () => {
  const route: z.ZodType<JsonRoute, JsonRoute> = z
    .strictObject({ ...routeKeys(), routes: z.lazy(() => z.array(route)) })
    .meta({ id: 'Route' });
  return route;
};

function toJsonRoute(route: TracedRoute): JsonRoute {
  const { receiver, matchers, continues, timing, muteIntervals, activeIntervals, isMatched, isFinal, routes } = route;
  const { groupBy, ...times } = toJsonTiming(timing);
  return {
    receiver,
    matchers: matchers.map(toApiMatcher),
    continue: continues,
    groupBy: [...groupBy],
    ...times,
    muteTimeIntervals: [...muteIntervals],
    activeTimeIntervals: [...activeIntervals],
    isMatched,
    isFinal,
    routes: routes.map(toJsonRoute),
  };
}

/** The receivers of an alert, and what suppresses its notifications. */
export const traceKeys = () => ({
  labels: labelsSchema(),
  isLive: z.boolean().describe('whether the running Alertmanager was asked, not only stack.yml'),
  receivers: z.array(
    z.strictObject({
      name: z.string(),
      integrations: z.array(z.string()),
      mutedBy: z.string().optional().describe('time intervals that mute it now'),
      ...timingKeys(),
    }),
  ),
  silencedBy: z.array(z.string()).describe('IDs of silences'),
  inhibitions: z.array(
    z.strictObject({
      sourceMatchers: matchersSchema(),
      equal: z.array(z.string()),
      inhibitedBy: labelsSchema().optional().describe('the alert that inhibits it now'),
    }),
  ),
  route: routeSchema(),
});

export function toJsonTrace({ labels, isLive, tree, receivers, silences, inhibitions }: AlertTrace) {
  return {
    labels,
    isLive,
    receivers: receivers.map(({ name, integrations, mutedBy, route }) => ({
      name,
      integrations,
      mutedBy,
      ...toJsonTiming(route.timing),
    })),
    silencedBy: silences.map(({ id }) => id),
    inhibitions: inhibitions.map(toJsonInhibition),
    route: toJsonRoute(tree),
  };
}

function toJsonInhibition({ source, equal, by }: Inhibition) {
  return { sourceMatchers: source.map(toApiMatcher), equal, inhibitedBy: by };
}
