import { z } from 'zod';
import { duration, extraArgs, image, port, resources } from '../values/schemas.ts';

/** The `pushgateway` part of stack.yml. */
export const pushgatewayConfig = z.strictObject({
  enabled: z.boolean().default(true),
  image: image.default('prom/pushgateway:v1.11.2'),
  port: port.default(9091).meta({ description: 'The port on the host' }),
  persistence: z
    .strictObject({
      interval: duration.default('5m').meta({ description: 'How often pushed metrics are written to disk' }),
    })
    .prefault({}),
  admin_api: z.boolean().default(false).meta({ description: 'Allow deleting all groups at once over HTTP' }),
  extra_args: extraArgs,
  resources,
});
