import { z } from 'zod';
import { port, resources } from '../values/schemas.ts';

/** The `sink` part of stack.yml: a built-in webhook receiver that shows what Alertmanager sends. */
export const sinkConfig = z.strictObject({
  enabled: z.boolean().default(false),
  port: port.default(9095).meta({ description: 'The port on the host' }),
  resources,
});
