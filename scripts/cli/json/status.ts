import * as z from 'zod';
import type { Reading } from '../../../stack/model.ts';
import type { StackStatus } from '../../inspect/status.ts';
import type { Event } from '../../util/event.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { toFailedLine, toJsonDiagnostic } from './envelope.ts';
import { diagnosticSchema, failedLineSchema, invalidLineSchema, timeSchema } from './schema.ts';

const containerStates = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;

export const containerStateSchema = () => z.enum(containerStates);

/** The state of a stack. */
export const statusSchema = () =>
  z.strictObject({
    revision: z.string().optional().describe('the last confirmed one'),
    hasHistory: z.boolean().describe('whether a service of the stack stores the history'),
    isStopped: z.boolean().describe('whether only its volumes are left, as after down'),
    services: z.array(
      z.strictObject({
        service: z.string(),
        state: z.enum(['absent', ...containerStates]),
        isReady: z.boolean(),
        container: z.string().optional(),
        containerStatus: z.string().optional().describe("the engine's own description"),
        image: z.string(),
        revision: z.string().optional().describe('of its files'),
        url: z.string().optional(),
        indicators: z.array(
          z.strictObject({
            label: z.string(),
            severity: z.enum(['ok', 'warning', 'error']),
            text: z.string(),
            values: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.array(z.string())])),
          }),
        ),
      }),
    ),
    problems: z
      .array(
        z.strictObject({
          severity: z.enum(['error', 'warning']),
          service: z.string().describe('a service, or stack.yml'),
          message: z.string(),
          try: z.string().optional(),
        }),
      )
      .describe('errors first'),
  });

/** The lines of `status --watch`: one for each change. */
export const statusLineSchema = () =>
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('status'),
      time: timeSchema(),
      ok: z.boolean(),
      ...statusSchema().shape,
      diagnostics: z.array(diagnosticSchema()),
    }),
    failedLineSchema(),
    invalidLineSchema(),
  ]);

const severities = { right: 'ok', notice: 'warning', wrong: 'error' } as const satisfies Record<
  Reading['tone'],
  string
>;

export function toJsonStatus({ revision, hasHistory, isStopped, services, problems }: StackStatus) {
  return {
    revision,
    hasHistory: hasHistory !== false,
    isStopped: isStopped === true,
    services: services.map(({ service, state, isReady, container, uptime, image, revision: own, url, vitals }) => ({
      service,
      state,
      isReady,
      container,
      containerStatus: uptime,
      image,
      revision: own,
      url,
      indicators: vitals.map(({ label, text, values, tone }) => ({ label, severity: severities[tone], text, values })),
    })),
    problems: problems.map(({ tone, service, message, tryThis }) => ({
      severity: severities[tone],
      service,
      message,
      try: tryThis,
    })),
  };
}

/** A line of `status --watch`, with the events of this refresh. */
export function toStatusLine(status: StackStatus | StackError | InputError, events: readonly Event[], time: string) {
  if (status instanceof StackError || status instanceof InputError) return toFailedLine(status, time);
  const diagnostics = events.flatMap((event) =>
    event.kind === 'diagnostic' ? [toJsonDiagnostic(event.diagnostic)] : [],
  );
  return { kind: 'status', time, ok: status.isRight, ...toJsonStatus(status), diagnostics } as const;
}
