import * as z from 'zod';
import type { AlertEvent, Suppression } from '../../inspect/alert-log/events.ts';
import type { FailedRequests } from '../../inspect/alert-log/failed-requests.ts';
import { labelsSchema } from './alertmanager.ts';
import { timeSchema } from './schema.ts';

const silenceKeys = () => ({ id: z.string(), createdBy: z.string(), comment: z.string(), endsAt: timeSchema() });

const eventKeys = () => ({
  time: timeSchema(),
  event: z.enum([
    'created',
    'grouped',
    'notified',
    'failed',
    'suppressed',
    'resolved',
    'silenceCreated',
    'silenceUpdated',
    'started',
    'stopped',
  ]),
  alerts: z.array(z.strictObject({ labels: labelsSchema(), status: z.enum(['firing', 'resolved']) })),
  group: labelsSchema().optional(),
  receiver: z.string().optional(),
  integration: z.string().optional().describe('type and index in the receiver'),
  reason: z.string().optional().describe('why the receiver was notified'),
  attempts: z.number().optional().describe('of a notification that was accepted after others had failed'),
  failure: z
    .strictObject({ why: z.string(), isFinal: z.boolean().describe('Alertmanager does not retry this notification') })
    .optional(),
  suppressedBy: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('silence'), ...silenceKeys() }),
      z.strictObject({ kind: z.literal('inhibition'), alerts: z.array(labelsSchema()).describe('inhibiting alerts') }),
      z
        .strictObject({ kind: z.literal('timeInterval'), mutedBy: z.string() })
        .describe('computed from the running config, not recorded'),
    ])
    .optional(),
  silence: z.strictObject({ ...silenceKeys(), matchers: z.array(z.string()) }).optional(),
  version: z.string().optional().describe('of the Alertmanager that started'),
  times: z.int().min(1).describe('repetitions are one event'),
  until: timeSchema().optional().describe('the last repetition'),
});

export const alertLogSchema = () =>
  z.strictObject({
    events: z.array(z.strictObject(eventKeys())).optional().describe('without --follow'),
    skippedLines: z.int().describe('lines of an unknown format in the file of Alertmanager'),
    failedRequests: z
      .array(z.strictObject({ receiver: z.string(), integration: z.string(), failed: z.number(), total: z.number() }))
      .describe('since Alertmanager started, by its counters'),
  });

export const alertLogLineSchema = () =>
  z.strictObject({ kind: z.literal('event'), ...eventKeys() }).describe('with --follow');

export function toJsonEvent(event: AlertEvent) {
  const { receivers: _, alerts, suppressedBy, silence, ...rest } = event;
  return {
    ...rest,
    alerts: alerts.map(({ labels, isResolved }) => ({ labels, status: isResolved ? 'resolved' : 'firing' }) as const),
    suppressedBy: suppressedBy && toJsonSuppression(suppressedBy),
    silence,
  };
}

function toJsonSuppression(by: Suppression) {
  if (by.kind !== 'silence') return by;
  const { id, createdBy, comment, endsAt } = by.silence;
  return { kind: by.kind, id, createdBy, comment, endsAt };
}

export const toJsonFailedRequests = (failed: readonly FailedRequests[]) => failed.map((counts) => ({ ...counts }));
