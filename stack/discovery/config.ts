import * as z from 'zod';
import { expects } from '../values/words.ts';

const namesOf = (what: string) =>
  z
    .array(z.string({ error: expects(`the name of a ${what}`) }).min(1, { error: expects(`the name of a ${what}`) }))
    .min(1, { error: `expected the name of at least one ${what}` })
    .optional();

/** The `discovery` part of stack.yml. */
export const discoveryConfig = z
  .strictObject({
    labels: z
      .boolean()
      .default(true)
      .meta({ description: 'Scrape every container of the engine that has the label prometheus.io/scrape: "true"' }),
    projects: namesOf('compose project').meta({
      description: 'Only containers of these compose projects; absent means all containers',
    }),
    networks: namesOf('network').meta({
      description: 'Only containers in one of these networks; absent means all containers',
    }),
  })
  .meta({ description: 'Targets that are discovered by the labels of containers, without a reload of Prometheus' })
  .optional();
