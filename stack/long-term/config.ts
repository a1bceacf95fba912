import * as z from 'zod';
import { isHttpUrl } from '../values/addresses.ts';
import { native, secretText, textOrSecret } from '../values/schemas.ts';
import { expects } from '../values/words.ts';
import { victoriametricsConfig } from '../victoriametrics/config.ts';

const urlOf = (example: string) =>
  z.url({ protocol: /^https?$/, error: expects(`a URL such as ${example}`) }).refine(isHttpUrl, {
    error: expects(`a URL such as ${example}`),
  });

const remote = z
  .strictObject({
    write: urlOf('https://mimir.example.com/api/v1/push').meta({
      description: "Where Prometheus sends all samples by remote write, as seen from Prometheus's container",
    }),
    read: urlOf('https://mimir.example.com/prometheus').optional().meta({
      description:
        "The base address of its query API, without /api/v1/query, for the proof and Grafana's datasource; absent means neither",
    }),
    basic_auth: z
      .strictObject({
        username: textOrSecret.meta({ description: 'The user' }),
        password: secretText.meta({ description: 'The password' }),
      })
      .optional()
      .meta({ description: 'A login for both addresses' }),
    authorization: z
      .strictObject({
        type: z.string().min(1).default('Bearer').meta({ description: 'The scheme before the credentials' }),
        credentials: secretText.meta({ description: 'The token' }),
      })
      .optional()
      .meta({ description: 'A token for both addresses' }),
    headers: z
      .record(z.string().min(1), textOrSecret)
      .default({})
      .meta({ description: 'Headers for both addresses, such as X-Scope-OrgID' }),
    tls_config: z
      .strictObject({
        ca: textOrSecret.optional().meta({ description: 'The certificate authority, as in !file ca.pem' }),
        cert: textOrSecret.optional().meta({ description: 'The certificate of this client' }),
        key: secretText.optional().meta({ description: 'The key of that certificate' }),
        server_name: z.string().min(1).optional().meta({ description: "The name in the server's certificate" }),
        insecure_skip_verify: z
          .boolean()
          .default(false)
          .meta({ description: 'Skip the verification of its certificate' }),
      })
      .optional()
      .meta({ description: 'TLS for both addresses' }),
    queue_config: native.optional().meta({ description: "Settings of the queue, in Prometheus's syntax" }),
    write_relabel_configs: z
      .array(native)
      .default([])
      .meta({ description: "Relabels or drops samples before they are sent, in Prometheus's syntax" }),
  })
  .optional()
  .meta({
    description: 'A store outside of the stack, such as Mimir, Thanos or Grafana Cloud',
    secretHint:
      'write the address as it is, and a login as "basic_auth: {username: NAME, password: !env NAME}" or "authorization: {credentials: !env NAME}"',
  });

/** The `long_term` section of stack.yml. */
export const longTermConfig = z
  .strictObject({ victoriametrics: victoriametricsConfig, remote })
  .optional()
  .meta({ description: 'A store that keeps samples for longer than Prometheus: one of victoriametrics and remote' });
