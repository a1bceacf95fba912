import * as z from 'zod';
import { resources } from '../values/schemas.ts';

/** The `traffic` part of stack.yml: a source of sample metrics for demos. */
export const trafficConfig = z
  .strictObject({
    enabled: z.boolean().default(false).meta({ description: 'Run the source of sample metrics, for demos' }),
    resources,
  })
  .meta({
    description: 'A source that keeps pushing sample metrics to the Pushgateway, with an incident now and then',
  });
