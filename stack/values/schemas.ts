import * as z from 'zod';
import { Secret } from '../secret.ts';
import { isHttpUrl } from './addresses.ts';
import { defaultImages } from './default-images.ts';
import { PlainScalar } from './plain-scalar.ts';
import { durationForm, memoryForm, parseDuration, parseMemory, parseSize, sizeForm } from './units.ts';
import { expected, expects } from './words.ts';

/** A string of a given form; `what` completes "expected …". */
export function formed(form: RegExp, what: string) {
  return z.string({ error: expects(what) }).regex(form, { error: expects(what) });
}

const durationExpected = expects('a duration such as 15s, 5m or 1h30m');

/** A duration in Prometheus's syntax. */
export const duration = z
  .string({ error: durationExpected })
  .regex(durationForm, { error: durationExpected, abort: true })
  .refine((text) => parseDuration(text) !== undefined, { error: durationExpected })
  .meta({ description: 'A duration such as 15s, 5m or 1h30m' });

const sizeExpected = expects('a size such as 512MB or 20GB');

/** A size in bytes with a unit, powers of 1024. */
export const size = z
  .string({ error: sizeExpected })
  .regex(sizeForm, { error: sizeExpected, abort: true })
  .refine((text) => parseSize(text) !== undefined, { error: sizeExpected })
  .meta({ description: 'A size such as 512MB or 20GB (powers of 1024)' });

const portExpected = expects('a port (a whole number from 1 to 65535)');

/** Whether the stack has a service. */
export function enabled(byDefault: boolean) {
  return z.boolean().default(byDefault).meta({ description: 'Whether the stack runs it' });
}

/** A TCP port on the host. */
export const port = z
  .int({ error: portExpected })
  .min(1, { error: portExpected })
  .max(65535, { error: portExpected })
  .meta({ description: 'The port on the host' });

/** An image with a tag or a digest, so that a stack is reproducible. */
export const image = formed(
  /^[a-z0-9][\w.\-/:]*(?::[\w.-]+|@sha256:[0-9a-f]{64})$/,
  `an image with a tag or digest, such as ${defaultImages.prometheus}`,
).meta({ description: 'The image, with a tag or digest' });

const memoryExpected = expects('a size such as 512MB, 512m or 512Mi, or a number of bytes');

/** Docker rejects less, and 0 means no limit to it. */
const leastMemory = 6 * 2 ** 20;

/** Limits of a container. */
export const resources = z
  .strictObject({
    memory: z
      .union([z.int(), z.string().regex(memoryForm)], { error: memoryExpected })
      .refine((size) => (parseMemory(String(size)) ?? 0) >= leastMemory, { error: expects('a size of at least 6MB') })
      .optional()
      .meta({ description: 'The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)' }),
    cpus: z
      .number()
      .positive({ error: expects('a number of CPUs above 0') })
      .optional()
      .meta({ description: 'The CPU limit; 0.5 is half a CPU' }),
  })
  .default({})
  .meta({ description: 'Limits of the container; absent means none' });

export const extraArgs = z
  .array(z.string())
  .default([])
  .meta({ description: "Additional flags for the server, after promstack's own" });

/** A mapping in the server's own syntax, which the server's own tool checks. */
/** Files that a server's own syntax names. */
export const files = z.array(z.string().min(1)).default([]).meta({
  description:
    'Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml',
});

export const native = z.record(z.string(), z.unknown());

const urlExpected = expects('a URL such as https://metrics.example.com/prometheus');

/** The URL users reach a service at. */
export const externalUrl = z
  .url({ protocol: /^https?$/, error: urlExpected })
  .refine(isHttpUrl, { error: urlExpected })
  .optional()
  .meta({
    description: 'The URL users reach it at, for links in notifications; absent means its port on this host',
  });

/** The origin of a secret that is in stack.yml as plain text. */
export const plainTextOrigin = 'stack.yml';

/** A string that is kept secret: `!env NAME`, `!file PATH`, or plain text. It goes into a file of the container, never into its environment. */
export const secretText = z
  .unknown()
  .meta({ title: 'string, `!env` or `!file`' })
  .transform((value, context): Secret => {
    if (value instanceof Secret) return value;
    // An unquoted password may look like a number.
    if (value instanceof PlainScalar || ['string', 'number', 'boolean'].includes(typeof value)) {
      const text = String(value);
      if (text !== '') return new Secret(text, plainTextOrigin);
    }
    const message = expected('a secret such as !env NAME or !file PATH', value);
    context.issues.push({ code: 'custom', input: value, message });
    return z.NEVER;
  });

/** A string that may come from `!env` or `!file`; without a tag it is no secret. */
export const textOrSecret = z
  .unknown()
  .meta({ title: 'string, `!env` or `!file`' })
  .transform((value, context): string | Secret => {
    if (value instanceof Secret) return value;
    if (value instanceof PlainScalar || ['string', 'number', 'boolean'].includes(typeof value)) return String(value);
    context.issues.push({
      code: 'custom',
      input: value,
      message: expected('a string, !env NAME or !file PATH', value),
    });
    return z.NEVER;
  });
