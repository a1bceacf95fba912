import * as z from 'zod';
import { enabled, port, resources } from '../values/schemas.ts';

/** The `sink` part of stack.yml: a built-in webhook receiver that shows what Alertmanager sends. */
export const sinkConfig = z
  .strictObject({
    enabled: enabled(false),
    port: port.default(9095),
    resources,
  })
  .meta({ description: 'A webhook receiver that shows what Alertmanager sends, for trying things out' });
