import { z } from 'zod';
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
    admin_api: z.boolean().default(false).meta({ description: 'Allow deleting every group at once over HTTP' }),
    extra_args: extraArgs,
    resources,
  })
  .meta({ description: 'Pushgateway keeps what short-lived sources push until Prometheus has fetched it' });
