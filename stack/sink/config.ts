import * as z from 'zod';
import { enabled, port, resources } from '../values/schemas.ts';

/** The `sink` section of stack.yml. */
export const sinkConfig = z
  .strictObject({
    enabled: enabled(false),
    port: port.default(9095),
    resources,
  })
  .meta({ description: 'A webhook receiver that shows the notifications of Alertmanager, for testing' });
