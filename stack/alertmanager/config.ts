import * as z from 'zod';
import { duration, enabled, externalUrl, extraArgs, image, native, port, resources } from '../values/schemas.ts';

/** The `alertmanager` part of stack.yml; route, receivers and the rest are Alertmanager's own syntax. */
export const alertmanagerConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default('prom/alertmanager:v0.33.1'),
    port: port.default(9093),
    external_url: externalUrl,
    global: native.optional().meta({ description: "What receivers have in common, in Alertmanager's own syntax" }),
    route: native.optional().meta({ description: "The root of the routing tree, in Alertmanager's own syntax" }),
    receivers: z
      .array(z.looseObject({ name: z.string().min(1).meta({ description: 'What routes call it by' }) }))
      .default([])
      .meta({ description: "Who is told, and how, in Alertmanager's own syntax" }),
    inhibit_rules: z
      .array(native)
      .default([])
      .meta({ description: "Alerts that keep others quiet, in Alertmanager's own syntax" }),
    time_intervals: z
      .array(z.looseObject({ name: z.string().min(1).meta({ description: 'What routes call it by' }) }))
      .default([])
      .meta({ description: "Times that routes may name, in Alertmanager's own syntax" }),
    templates: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Files of notification templates, and globs of them, relative to stack.yml' }),
    retention: duration.default('120h').meta({ description: 'How long silences and the notification log are kept' }),
    extra_args: extraArgs,
    resources,
  })
  .meta({ description: 'Alertmanager groups, routes and silences alerts and tells the receivers' });
