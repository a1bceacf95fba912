import * as z from 'zod';
import { Secret } from '../secret.ts';
import { defaultImages } from '../values/default-images.ts';
import { PlainScalar } from '../values/plain-scalar.ts';
import { enabled, files, formed, image, port, resources, secretText } from '../values/schemas.ts';
import { expected } from '../values/words.ts';

/** A value of grafana.ini. */
const setting = z.unknown().transform((value, context): string | number | boolean | Secret => {
  if (value instanceof PlainScalar) return String(value);
  if (value instanceof Secret || ['string', 'number', 'boolean'].includes(typeof value)) {
    return value as string | number | boolean | Secret;
  }
  const message = expected('a string, a number, true or false', value);
  context.issues.push({ code: 'custom', input: value, message });
  return z.NEVER;
});

/** Grafana does not start with another sender, with or without mails (pkg/util/validation.go, IsEmail; 12.4); `x@localhost` too. */
export const senderForm =
  /^[\w!#$%&'*+\-/=?^`{|}~\u00a0-\uffef]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u00a0-\uffef]+)*@(?:[a-z\d\u00a0-\uffef](?:[\w.~\u00a0-\uffef-]*[a-z\d\u00a0-\uffef])?\.)+[a-z\u00a0-\uffef](?:[\w.~\u00a0-\uffef-]*[a-z\u00a0-\uffef])?\.?$/i;
export const expectedSender = 'an email address whose domain has a dot, such as grafana@example.com';

const smtp = z
  .strictObject({
    host: formed(/^[^\s:]+:\d+$/, 'a mail server and its port, such as smtp.example.com:587').meta({
      description: 'The mail server and its port',
    }),
    user: z.string().min(1).optional().meta({ description: 'The user to log in with; absent means no login' }),
    password: secretText.optional().meta({ description: 'The password to log in with' }),
    from_address: formed(senderForm, expectedSender).meta({ description: 'The sender of the mails' }),
    from_name: z.string().min(1).default('Grafana').meta({ description: "The sender's name" }),
    starttls: z
      .enum(['opportunistic', 'mandatory', 'never'])
      .default('opportunistic')
      .meta({ description: 'Whether to encrypt the connection: if the server supports it, always, or never' }),
    skip_verify: z.boolean().default(false).meta({ description: "Skip the verification of the server's certificate" }),
  })
  .meta({ description: 'The mail server for alerts and invitations' });

const database = z
  .strictObject({
    type: z.enum(['postgres', 'mysql']).meta({ description: 'The kind of server' }),
    host: z.string().min(1).meta({ description: "Its address as seen from Grafana's container, such as db:5432" }),
    name: z.string().min(1).default('grafana').meta({ description: 'The database, which must exist' }),
    user: z.string().min(1).meta({ description: 'The user to log in with' }),
    password: secretText.meta({ description: 'The password to log in with' }),
    ssl_mode: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Grafana's ssl_mode: disable, require, verify-full, …" }),
  })
  .meta({ description: 'A database server to use instead of the file in the data volume' });

/** Grafana rejects all other uids since 12.0. */
export const uidForm = /^[a-zA-Z0-9_-]{1,40}$/;

/**
 * A datasource in Grafana's provisioning syntax (pkg/services/provisioning/datasources/types.go, 12.4), but strict: Grafana silently
 * ignores unknown keys.
 */
const datasource = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Its name, by which Grafana recognizes it' }),
    type: z.string().min(1).meta({ description: 'The plugin, such as prometheus, loki or postgres' }),
    access: z
      .enum(['proxy', 'direct'])
      .default('proxy')
      .meta({ description: "proxy: queries go through Grafana's server; direct: the browser sends them" }),
    orgId: z.int().min(1).default(1).meta({ description: 'The organization it belongs to, which must exist' }),
    uid: formed(uidForm, 'a uid of at most 40 letters, digits, - and _')
      .meta({ description: 'The uid that dashboards use; absent means one made from the name' })
      .optional(),
    url: z.string().optional().meta({ description: "Its address as seen from Grafana's container" }),
    user: z.string().optional().meta({ description: 'The user of a database' }),
    database: z.string().optional().meta({ description: 'The database on a database server' }),
    basicAuth: z.boolean().optional().meta({ description: 'Use basic auth' }),
    basicAuthUser: z.string().optional().meta({ description: 'The user for basic auth' }),
    withCredentials: z.boolean().optional().meta({ description: 'Forward cookies of the browser' }),
    isDefault: z.boolean().default(false).meta({ description: 'Use it in new panels; one per organization' }),
    jsonData: z.record(z.string(), z.unknown()).default({}).meta({ description: "The plugin's own settings" }),
    secureJsonData: z
      .record(z.string(), secretText)
      .default({})
      .meta({ description: "The plugin's own secrets, such as basicAuthPassword" }),
    correlations: z
      .array(z.record(z.string(), z.unknown()))
      .optional()
      .meta({ description: 'Links from its results to other queries' }),
    version: z.int().optional().meta({
      description: 'Without effect here: a datasource is replaced by what is in this file, whatever its version',
    }),
    editable: z
      .boolean()
      .default(false)
      .meta({ description: 'Allow editing it in the browser, until the next change restores it' }),
  })
  .meta({
    knownMistakes: Object.fromEntries([
      ...[
        'basicAuthPassword',
        'password',
        'token',
        'accessKey',
        'secretKey',
        'tlsCACert',
        'tlsClientCert',
        'tlsClientKey',
        'httpHeaderValue1',
      ].map((key) => [
        key,
        `put it under "secureJsonData"${key === 'password' ? ', and of basic auth as basicAuthPassword' : ''}`,
      ]),
      ...[
        'httpMethod',
        'timeInterval',
        'queryTimeout',
        'manageAlerts',
        'tlsAuth',
        'tlsAuthWithCACert',
        'tlsSkipVerify',
        'httpHeaderName1',
        'implementation',
        'derivedFields',
        'maxLines',
        'sslmode',
      ].map((key) => [key, 'put it under "jsonData"']),
    ]),
  });

/** A datasource of stack.yml with all defaults. */
export type Datasource = z.infer<typeof datasource>;

/** The uid of a datasource: its own, or one made from its name. */
export function uidOf({ uid, name }: Pick<Datasource, 'uid' | 'name'>): string {
  return uid ?? (toUid(name) || 'datasource');
}

/** A name as a uid; empty when it has no usable characters. */
export function toUid(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
}

/** The `grafana` section of stack.yml. */
export const grafanaConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default(defaultImages.grafana),
    port: port.default(3000),
    admin_password: secretText.optional().meta({
      description: 'The password of the user admin; absent means a generated one, which promstack password shows',
    }),
    anonymous: z.enum(['off', 'viewer']).default('off').meta({
      description:
        "Access without login: none, or view everything, with any query and the datasources' url, user, database and jsonData",
    }),
    root_url: formed(
      /^https?:\/\/[^\s/?#%]+(\/([^\s?#%]|%[\da-fA-F]{2})*)?$/,
      'a URL such as https://example.com/grafana/',
    )
      .optional()
      .meta({
        description: 'The URL users open when Grafana is behind a reverse proxy; the proxy must strip its path',
      }),
    datasources: z
      .array(datasource)
      .default([])
      .meta({ description: "Datasources in Grafana's provisioning syntax, added to the stack's own" }),
    dashboards: z.array(z.string().min(1)).default([]).meta({
      description:
        'Files of dashboards: paths, folders and globs, relative to stack.yml; their folders become folders in Grafana',
    }),
    shipped_dashboards: z.boolean().default(true).meta({ description: "Load promstack's own dashboards" }),
    smtp: smtp.optional(),
    database: database.optional(),
    config: z
      .record(z.string(), z.record(z.string(), setting).meta({ description: 'Settings of the section' }))
      .default({})
      .meta({ description: 'Additional settings of grafana.ini, by section' }),
    files,
    resources,
  })
  .meta({ description: 'Grafana shows the data of Prometheus in dashboards' });

/** The `grafana` section of stack.yml with all defaults. */
export type GrafanaConfig = z.infer<typeof grafanaConfig>;
