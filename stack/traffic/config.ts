import * as z from 'zod';
import { resources } from '../values/schemas.ts';

/** The `traffic` section of stack.yml. */
export const trafficConfig = z
  .strictObject({
    enabled: z.boolean().default(false).meta({ description: 'Whether the stack runs it' }),
    resources,
  })
  .meta({
    description: 'A generator that pushes sample metrics to the Pushgateway, with occasional incidents, for demos',
  });
