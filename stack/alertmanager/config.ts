import * as z from 'zod';
import { defaultImages } from '../values/default-images.ts';
import { duration, enabled, externalUrl, extraArgs, files, image, native, port, resources } from '../values/schemas.ts';

/** The `alertmanager` section of stack.yml; route, receivers and the rest are in Alertmanager's own syntax. */
export const alertmanagerConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default(defaultImages.alertmanager),
    port: port.default(9093),
    external_url: externalUrl,
    global: native.optional().meta({ description: "Defaults for receivers, in Alertmanager's syntax" }),
    route: native.optional().meta({
      description:
        "The root of the routing tree, in Alertmanager's syntax, in place of the default one, which groups by alertname and job; a route without group_by puts all alerts into one notification",
    }),
    receivers: z
      .array(z.looseObject({ name: z.string().min(1).meta({ description: 'The name that routes use' }) }))
      .default([])
      .meta({ description: "Receivers of notifications, in Alertmanager's syntax" }),
    inhibit_rules: z
      .array(native)
      .default([])
      .meta({ description: "Rules by which alerts mute other alerts, in Alertmanager's syntax" }),
    time_intervals: z
      .array(z.looseObject({ name: z.string().min(1).meta({ description: 'The name that routes use' }) }))
      .default([])
      .meta({ description: "Times when routes are active or muted, in Alertmanager's syntax" }),
    mute_time_intervals: z
      .array(z.looseObject({ name: z.string().min(1).meta({ description: 'The name that routes use' }) }))
      .default([])
      .meta({ description: "Alertmanager's older key for time_intervals" }),
    templates: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Files of notification templates: paths and globs, relative to stack.yml' }),
    tracing: native.optional().meta({ description: "Where traces are sent, in Alertmanager's syntax" }),
    event_recorder: native.optional().meta({
      description:
        "Where alerts and notifications are recorded, in Alertmanager's syntax, in place of the file that `promstack alert log` reads",
    }),
    alert_log: z.boolean().optional().meta({
      description:
        'Whether alerts and notifications are recorded for `promstack alert log`; by default, where the tag of the image says 0.33 or newer, which can',
    }),
    retention: duration.default('120h').meta({ description: 'How long to keep silences and the notification log' }),
    files,
    extra_args: extraArgs,
    resources,
  })
  .meta({ description: 'Alertmanager groups and routes alerts and notifies the receivers' });
