import * as z from 'zod';
import { canaryJob, canaryLabel } from '../../../stack/canary.ts';
import { NoAnswerError, type Servers } from '../../servers/servers.ts';
import type { Stage } from './pipeline-check.ts';
import { arrival } from './stages/arrival.ts';
import { delivery } from './stages/delivery.ts';
import { grafana } from './stages/grafana.ts';
import { canaryPath, push } from './stages/push.ts';
import { receivers } from './stages/receivers.ts';
import { route } from './stages/route.ts';
import { rule } from './stages/rule.ts';
import { scrape } from './stages/scrape.ts';

/** The way from a push to a delivered notification, in its order. */
export const stages: readonly Stage[] = [route, push, scrape, grafana, rule, arrival, delivery, receivers];

const service = 'pushgateway';

/** A canary this old belongs to no drill that still runs. */
const abandonedSeconds = 15 * 60;

const held = z.object({
  data: z.array(
    z.looseObject({
      labels: z.record(z.string(), z.string()),
      push_time_seconds: z.looseObject({ metrics: z.array(z.looseObject({ value: z.coerce.number() })) }).optional(),
    }),
  ),
});

/**
 * Removes the canary of this drill, and those that killed drills left behind. The alert ends by itself once Prometheus
 * has seen that the canary is gone. Answers with why it could not be, or undefined.
 */
export async function cleanUp(servers: Servers, nonce: string, nowMs: number): Promise<string | undefined> {
  try {
    await servers.remove(service, canaryPath(nonce));
    for (const other of await abandoned(servers, nowMs / 1000)) await servers.remove(service, canaryPath(other));
    return undefined;
  } catch (error) {
    if (error instanceof NoAnswerError) return `${error.service}: ${error.why}`;
    throw error;
  }
}

async function abandoned(servers: Servers, now: number): Promise<readonly string[]> {
  const parsed = held.safeParse(await servers.json(service, '/api/v1/metrics'));
  if (!parsed.success) return [];
  return parsed.data.data.flatMap(({ labels, push_time_seconds: pushed }) => {
    const nonce = labels[canaryLabel];
    const at = pushed?.metrics[0]?.value ?? now;
    return labels['job'] === canaryJob && nonce !== undefined && now - at > abandonedSeconds ? [nonce] : [];
  });
}
