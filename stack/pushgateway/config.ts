import * as z from 'zod';
import { defaultImages } from '../values/default-images.ts';
import { duration, enabled, extraArgs, image, port, resources } from '../values/schemas.ts';
import { expects } from '../values/words.ts';

/** The `pushgateway` section of stack.yml. */
export const pushgatewayConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default(defaultImages.pushgateway),
    port: port.default(9091),
    persistence: z
      .strictObject({
        interval: duration
          .default('5m')
          .meta({ description: 'How often to write pushed metrics to disk; a clean stop writes them too' }),
      })
      .prefault({})
      .meta({ description: 'How pushed metrics survive a restart' }),
    ttl: z
      .union(
        [
          duration,
          z.strictObject({
            default: duration.optional().meta({ description: 'For all other jobs; absent means forever' }),
            jobs: z
              .record(z.string().min(1), duration)
              .default({})
              .meta({ description: 'For individual jobs, by name' }),
          }),
        ],
        { error: expects('a duration such as 7d, or a mapping with "default" and "jobs"') },
      )
      .optional()
      .meta({
        description: 'How long to keep a group after its last push; absent means forever',
      }),
    group_sample_limit: z.int().positive().optional().meta({
      description:
        'An alert fires when the pushed groups of a job and instance have more than 80 % of this number of samples; the Pushgateway itself accepts more',
    }),
    admin_api: z.boolean().default(false).meta({ description: 'Allow deleting all groups at once over HTTP' }),
    extra_args: extraArgs,
    resources,
  })
  .meta({ description: 'Pushgateway keeps the metrics that short-lived jobs push until Prometheus scrapes them' });
