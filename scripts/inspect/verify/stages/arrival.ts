import * as z from 'zod';
import { canaryLabel } from '../../../../stack/canary.ts';
import { readAlertmanagers } from '../../../servers/prometheus-api.ts';
import { NoAnswerError, type Servers } from '../../../servers/servers.ts';
import type { Stage } from '../pipeline-check.ts';

const service = 'alertmanager';

const alerts = z.array(
  z.object({
    receivers: z.array(z.object({ name: z.string() })),
    status: z.object({
      state: z.string(),
      silencedBy: z.array(z.string()).default([]),
      inhibitedBy: z.array(z.string()).default([]),
      mutedBy: z.array(z.string()).default([]),
    }),
  }),
);

/** An alert as Alertmanager holds it. */
export type ActiveAlert = z.infer<typeof alerts>[number];

/** The canary as Alertmanager holds it; undefined while it has none. */
export async function findCanary(servers: Servers, nonce: string): Promise<ActiveAlert | undefined> {
  const filter = encodeURIComponent(`${canaryLabel}="${nonce}"`);
  const path = `/api/v2/alerts?filter=${filter}`;
  const parsed = alerts.safeParse(await servers.json(service, path));
  if (parsed.success) return parsed.data[0];
  const why = `its answer to ${path} is not what Alertmanager answers`;
  throw new NoAnswerError({ service, why, tryThis: 'see alertmanager.image in stack.yml', isDown: false });
}

/** Alertmanager has the alert. */
export const arrival: Stage = {
  name: 'alertmanager',
  claim: 'has the alert',
  isThere: ({ servers }) => servers.config.alertmanager.enabled,
  look: async ({ servers, nonce }) => {
    const alert = await findCanary(servers, nonce);
    if (alert !== undefined) return { kind: 'passed' };
    if ((await readAlertmanagers(servers)).length > 0) {
      return { kind: 'waiting', because: 'Prometheus has not handed the alert over' };
    }
    return {
      kind: 'broken',
      why: 'Prometheus knows no Alertmanager to send alerts to',
      tryThis: 'keep !spread contributed.alertmanagers in templates/prometheus/prometheus.yml, then promstack reload',
    };
  },
  explain: async ({ servers, startedAt }) => {
    const lines = await servers.lines('prometheus', startedAt);
    const told = lines
      .map(({ text }) => /[Ee]rror sending alerts?.*err="((?:\\.|[^"\\])*)"/.exec(text)?.[1])
      .findLast(Boolean);
    if (told !== undefined) {
      return { why: `Prometheus could not send it: ${told}`, tryThis: 'promstack logs prometheus alertmanager' };
    }
    return {
      why: 'Prometheus fires the alert and Alertmanager does not get it',
      tryThis:
        'see whether alert_relabel_configs in templates/prometheus/prometheus.yml drop it; promstack logs prometheus',
    };
  },
};
