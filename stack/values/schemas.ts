import * as z from 'zod';
import { Secret } from '../secret.ts';
import { durationForm, parseDuration, parseSize, sizeForm } from './units.ts';
import { expects, inWords } from './words.ts';

const durationExpected = expects('a duration such as 15s, 5m or 1h30m');

/** A span of time in Prometheus's form. */
export const duration = z
  .string({ error: durationExpected })
  .regex(durationForm, { error: durationExpected, abort: true })
  .refine((text) => parseDuration(text) !== undefined, { error: durationExpected })
  .meta({ description: 'A duration such as 15s, 5m or 1h30m' });

const sizeExpected = expects('a size such as 512MB or 20GB');

/** A size in bytes with a unit, powers of 1024. */
export const size = z
  .string({ error: sizeExpected })
  .regex(sizeForm, { error: sizeExpected })
  .meta({ description: 'A size such as 512MB or 20GB (powers of 1024)' });

const portExpected = expects('a port, which is a whole number from 1 to 65535,');

/** Whether the stack has a service. */
export function enabled(unlessSaid: boolean) {
  return z.boolean().default(unlessSaid).meta({ description: 'Whether the stack has it' });
}

/** A TCP port on the host. */
export const port = z
  .int({ error: portExpected })
  .min(1, { error: portExpected })
  .max(65535, { error: portExpected })
  .meta({ description: 'The port on the host' });

const imageExpected = expects('an image with a tag or digest, such as prom/prometheus:v3.5.3,');

/** An image with a tag or a digest, so that a stack means the same tomorrow. */
export const image = z
  .string({ error: imageExpected })
  .regex(/^[a-z0-9][\w.\-/:]*(?::[\w.-]+|@sha256:[0-9a-f]{64})$/, { error: imageExpected })
  .meta({ description: 'The image, with a tag or digest' });

/** Docker refuses less, and takes 0 for no limit. */
const leastMemory = 6 * 2 ** 20;

/** Limits of one container. */
export const resources = z
  .strictObject({
    memory: size
      .refine((text) => (parseSize(text) ?? leastMemory) >= leastMemory, { error: expects('a size of at least 6MB') })
      .optional()
      .meta({ description: 'The most memory it may use, such as 512MB' }),
    cpus: z
      .number()
      .positive({ error: expects('a number of CPUs above 0') })
      .optional()
      .meta({ description: 'The most CPU it may use; 0.5 is half of one' }),
  })
  .default({})
  .meta({ description: 'Limits of the container; absent means none' });

/** Flags handed to the program as they are, after promstack's own. */
export const extraArgs = z
  .array(z.string())
  .default([])
  .meta({ description: "Flags for the program itself, after promstack's own" });

/** YAML in the program's own syntax, which the program's own tool checks. */
export const native = z.record(z.string(), z.unknown());

/** The address people reach a service by. */
export const externalUrl = z
  .url({ protocol: /^https?$/, error: 'an address such as https://metrics.example.com/prometheus is expected here' })
  .optional()
  .meta({
    description: 'The address people reach it by, for links in notifications; absent means its port on this host',
  });

/** Where a secret comes from that was written into stack.yml itself. */
export const writtenOut = 'stack.yml';

/**
 * A text that is kept secret: `!env NAME`, `!file PATH`, or the text itself, which then stands in stack.yml for everybody to read.
 * Whoever uses it writes it into a file of the container, never into its settings.
 */
export const secretText = z
  .unknown()
  .meta({ title: 'string, `!env` or `!file`' })
  .transform((value, context): Secret => {
    if (value instanceof Secret) return value;
    if (typeof value === 'string' && value !== '') return new Secret(value, writtenOut);
    context.issues.push({
      code: 'custom',
      input: value,
      message: `a secret such as !env NAME or !file PATH is expected here, not ${inWords(value)}`,
    });
    return z.NEVER;
  });
