import * as z from 'zod';
import { Secret } from '../secret.ts';
import { PlainScalar } from '../values/plain-scalar.ts';
import { enabled, image, port, resources, secretText } from '../values/schemas.ts';
import { expects, inWords } from '../values/words.ts';

/** A value of grafana.ini: a text, a number, a truth or a secret. */
const setting = z.unknown().transform((value, context): string | number | boolean | Secret => {
  if (value instanceof PlainScalar) return String(value);
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

/** The form of every uid in Grafana 12: a wrong one is refused since 12.0. */
export const uidForm = /^[a-zA-Z0-9_-]{1,40}$/;

const uid = z
  .string()
  .regex(uidForm, { error: expects('a uid of at most 40 letters, digits, - and _') })
  .meta({ description: 'What dashboards refer to it by; absent means one made of the name' });

/**
 * A datasource in Grafana's own provisioning syntax (pkg/services/provisioning/datasources/types.go, 12.4), but strict: Grafana
 * ignores keys it does not know without a word.
 */
const datasource = z.strictObject({
  name: z.string().min(1).meta({ description: 'Its name in Grafana; Grafana knows it again by this' }),
  type: z.string().min(1).meta({ description: 'The plugin, such as prometheus, loki or postgres' }),
  access: z
    .enum(['proxy', 'direct'])
    .default('proxy')
    .meta({ description: "proxy: Grafana's server asks it; direct: the browser does" }),
  orgId: z.int().min(1).default(1).meta({ description: 'The organisation it belongs to, which must be there' }),
  uid: uid.optional(),
  url: z.string().optional().meta({ description: "Its address as Grafana's container sees it" }),
  user: z.string().optional().meta({ description: 'The user of a database' }),
  database: z.string().optional().meta({ description: 'The database of a database server' }),
  basicAuth: z.boolean().optional().meta({ description: 'Whether to log in by basic auth' }),
  basicAuthUser: z.string().optional().meta({ description: 'The user for basic auth' }),
  withCredentials: z.boolean().optional().meta({ description: 'Whether the browser sends its cookies along' }),
  isDefault: z.boolean().default(false).meta({ description: 'Whether new panels use it; one for each organisation' }),
  jsonData: z.record(z.string(), z.unknown()).default({}).meta({ description: "The plugin's own settings" }),
  secureJsonData: z
    .record(z.string(), secretText)
    .default({})
    .meta({ description: "The plugin's own secrets, such as basicAuthPassword" }),
  correlations: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .meta({ description: 'Links from its results to other queries' }),
  version: z.int().optional().meta({ description: 'Grafana keeps what it has when that is of a newer version' }),
  editable: z.boolean().default(false).meta({ description: 'Whether it can be changed in the browser' }),
});

/** A datasource as stack.yml has it, defaults filled in. */
export type Datasource = z.infer<typeof datasource>;

/** The uid of a datasource: its own, or one made of its name. */
export function uidOf({ uid: written, name }: Pick<Datasource, 'uid' | 'name'>): string {
  if (written !== undefined) return written;
  const made = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return made.slice(0, 40) || 'datasource';
}

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
