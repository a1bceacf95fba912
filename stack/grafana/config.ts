import * as z from 'zod';
import { Secret } from '../secret.ts';
import { enabled, image, port, resources } from '../values/schemas.ts';
import { secretText } from '../values/secret-text.ts';
import { expects, inWords } from '../values/words.ts';
import { datasource } from './datasource.ts';

/** A value of grafana.ini: a text, a number, a truth or a secret. */
const setting = z.unknown().transform((value, context): string | number | boolean | Secret => {
  if (value instanceof Secret || ['string', 'number', 'boolean'].includes(typeof value)) {
    return value as string | number | boolean | Secret;
  }
  const message = `a text, a number, true or false is expected here, not ${inWords(value)}`;
  context.issues.push({ code: 'custom', input: value, message });
  return z.NEVER;
});

const smtp = z
  .strictObject({
    host: z
      .string()
      .regex(/^[^\s:]+:\d+$/, { error: expects('a mail server and its port, such as smtp.example.com:587,') })
      .meta({ description: 'The mail server and its port' }),
    user: z.string().min(1).optional().meta({ description: 'The user to log in with; absent means no login' }),
    password: secretText.optional().meta({ description: 'The password to log in with' }),
    from_address: z.email({ error: expects('an e-mail address') }).meta({ description: 'The sender of the mails' }),
    from_name: z.string().min(1).default('Grafana').meta({ description: "The sender's name" }),
    starttls: z
      .enum(['opportunistic', 'mandatory', 'never'])
      .default('opportunistic')
      .meta({ description: 'Whether the connection is encrypted: when it can be, always, or never' }),
    skip_verify: z.boolean().default(false).meta({ description: "Whether to take any certificate for the server's" }),
  })
  .meta({ description: 'How Grafana sends mail' });

const database = z
  .strictObject({
    type: z.enum(['postgres', 'mysql']).meta({ description: 'The kind of server' }),
    host: z.string().min(1).meta({ description: "Its address as Grafana's container sees it, such as db:5432" }),
    name: z.string().min(1).default('grafana').meta({ description: 'The database, which must be there' }),
    user: z.string().min(1).meta({ description: 'The user to log in with' }),
    password: secretText.meta({ description: 'The password to log in with' }),
    ssl_mode: z.string().min(1).optional().meta({ description: 'As Grafana has it: disable, require, verify-full, …' }),
  })
  .meta({ description: 'A database server of your own in place of the file in the data volume' });

/** The `grafana` part of stack.yml. */
export const grafanaConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default('grafana/grafana:12.4.0'),
    port: port.default(3000),
    admin_password: secretText.optional().meta({
      description: 'The password of the user admin; absent means one is made, which promstack password shows',
    }),
    anonymous: z
      .enum(['off', 'viewer'])
      .default('off')
      .meta({ description: 'What those may do who have not logged in: nothing, or look at everything' }),
    root_url: z
      .string()
      .regex(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, {
        error: expects('an address such as https://example.com/grafana/'),
      })
      .optional()
      .meta({
        description: 'The address people open, when a proxy stands before Grafana; the proxy takes its path away',
      }),
    datasources: z
      .array(datasource)
      .default([])
      .meta({ description: "Datasources beside the stack's own, in Grafana's provisioning syntax" }),
    dashboards: z.array(z.string().min(1)).default([]).meta({
      description:
        'Files of dashboards, folders and globs, relative to stack.yml; their folders become folders in Grafana',
    }),
    shipped_dashboards: z.boolean().default(true).meta({ description: "Show promstack's own dashboards" }),
    smtp: smtp.optional(),
    database: database.optional(),
    config: z
      .record(z.string(), z.record(z.string(), setting).meta({ description: 'Settings of the section' }))
      .default({})
      .meta({ description: 'Further settings of grafana.ini, by section' }),
    resources,
  })
  .meta({ description: 'Grafana shows what Prometheus holds' });

/** The `grafana` part of stack.yml, defaults filled in. */
export type GrafanaConfig = z.infer<typeof grafanaConfig>;
