import { z } from 'zod';
import { image, port, resources } from '../values/schemas.ts';

/** The `grafana` part of stack.yml. */
export const grafanaConfig = z.strictObject({
  enabled: z.boolean().default(true),
  image: image.default('grafana/grafana:12.4.0'),
  port: port.default(3000).meta({ description: 'The port on the host' }),
  resources,
});
