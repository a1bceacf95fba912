import * as z from 'zod';
import { formed, secretText, textOrSecret } from '../values/schemas.ts';
import { expects } from '../values/words.ts';

const certificate = z.strictObject({
  cert: textOrSecret.meta({
    description: 'The certificate of the servers in PEM format, with its intermediates, as in !file cert.pem',
    hint: 'write "cert: !file cert.pem"',
  }),
  key: secretText.meta({
    description: 'The private key of the certificate, as in !file key.pem',
    hint: 'write "key: !file key.pem"',
  }),
  ca: textOrSecret.optional().meta({
    description:
      'The certificate authority that signed it, as in !file ca.pem; absent for one that every system trusts and for a self-signed certificate',
  }),
  server_name: z.string().min(1).optional().meta({
    description:
      'The name in the certificate by which promstack and the servers verify it; absent means its first name',
  }),
});

const tlsExpected = expects('internal, none, or a mapping with "cert" and "key"');

const tls = z.union([certificate, z.literal('internal'), z.literal('none')], { error: tlsExpected }).optional();

const hostName = formed(
  /^(?:\*\.)?[a-z\d](?:[a-z\d.-]*[a-z\d])?$|^[\da-f:.]*:[\da-f:.]*$/i,
  'a host name or an IP address, without a port',
).refine((name) => !name.includes(':') || URL.canParse(`http://[${name}]`), {
  error: expects('a host name or an IP address, without a port'),
});

/** What a login header takes: no colon, which ends the name, and no control characters. */
const userName = formed(/^[!-9;-~\u00a1-\uffff]+(?: [!-9;-~\u00a1-\uffff]+)*$/, 'the name of a user, without a colon');

const password = z
  .unknown()
  .meta({ title: '`!env`, `!file` or string' })
  .transform((value, context): unknown => {
    if (value !== null && value !== undefined && value !== '') return value;
    context.issues.push({ code: 'custom', input: value, message: noPassword });
    return z.NEVER;
  })
  .pipe(secretText);

const noPassword = 'this user has no password: write !env NAME or !file PATH behind the name';

const users = z.record(userName, password);

const noUsers = 'there are no users: write one, such as "ann: !env ANN_PASSWORD", or remove the key';

/** The `access` section of stack.yml. */
export const accessConfig = z
  .strictObject({
    tls: tls.meta({
      description:
        "TLS for the servers: their certificate and key, or internal for certificates of a CA of the stack's own; none, the default, means HTTP",
    }),
    names: z.array(hostName).default([]).meta({
      description:
        'Further names and addresses of the servers, for the certificates of tls: internal, such as monitoring.example.com',
    }),
    users: users
      .refine((named) => Object.keys(named).length > 0, { error: noUsers })
      .optional()
      .meta({
        description:
          'The users that may log in to the servers, with their passwords, as in ann: !env ANN_PASSWORD; promstack and the servers use the first one',
      }),
    services: z
      .record(
        z.string(),
        z.strictObject({
          tls: tls.meta({ description: 'TLS for this server' }),
          users: users.optional().meta({ description: 'The users of this server; {} means that it asks for no login' }),
        }),
      )
      .default({})
      .meta({
        description:
          'What differs for one server, by its service: prometheus, alertmanager, pushgateway, victoriametrics, or the kind of an exporter, such as blackbox',
      }),
  })
  .optional()
  .meta({ description: 'TLS and logins of the servers; Grafana has its own login' });
