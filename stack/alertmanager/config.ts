import { z } from 'zod';
import { duration, extraArgs, image, native, port, resources } from '../values/schemas.ts';

/** The `alertmanager` part of stack.yml; route, receivers and the rest are Alertmanager's own syntax. */
export const alertmanagerConfig = z.strictObject({
  enabled: z.boolean().default(true),
  image: image.default('prom/alertmanager:v0.33.1'),
  port: port.default(9093).meta({ description: 'The port on the host' }),
  global: native.optional(),
  route: native.optional().meta({ description: 'The root of the routing tree' }),
  receivers: z.array(z.looseObject({ name: z.string().min(1) })).default([]),
  inhibit_rules: z.array(native).default([]),
  time_intervals: z.array(native).default([]),
  templates: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Notification template files and globs, relative to stack.yml' }),
  retention: duration.default('120h').meta({ description: 'How long silences and the notification log are kept' }),
  extra_args: extraArgs,
  resources,
});
