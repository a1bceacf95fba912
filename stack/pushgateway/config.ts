import * as z from 'zod';
import { duration, enabled, extraArgs, image, port, resources } from '../values/schemas.ts';

/** The `pushgateway` part of stack.yml. */
export const pushgatewayConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default('prom/pushgateway:v1.11.2'),
    port: port.default(9091),
    persistence: z
      .strictObject({
        interval: duration
          .default('5m')
          .meta({ description: 'How often pushed metrics are written to disk; a clean stop writes them too' }),
      })
      .prefault({})
      .meta({ description: 'How pushed metrics outlive a restart' }),
    ttl: z
      .union([
        duration,
        z.strictObject({
          default: duration.optional().meta({ description: 'For jobs that are not named; absent means for ever' }),
          jobs: z
            .record(z.string().min(1), duration)
            .default({})
            .meta({ description: 'For single jobs, by their names' }),
        }),
      ])
      .optional()
      .meta({
        description: 'How long a group stays after its last push, while `promstack watch` runs; absent means for ever',
      }),
    admin_api: z.boolean().default(false).meta({ description: 'Allow deleting every group at once over HTTP' }),
    extra_args: extraArgs,
    resources,
  })
  .meta({ description: 'Pushgateway keeps what short-lived sources push until Prometheus has fetched it' });
