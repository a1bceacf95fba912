import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';

/** A span of time in Prometheus's form. */
export const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, { error: 'a duration such as 15s, 5m or 1h30m is expected here' })
  .meta({ description: 'A duration such as 15s, 5m or 1h30m' });

/** A size in bytes with a unit, powers of 1024. */
export const size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, { error: 'a size such as 512MB or 20GB is expected here' })
  .meta({ description: 'A size such as 512MB or 20GB (powers of 1024)' });

/** A TCP port on the host. */
export const port = z
  .int({ error: 'a port is a whole number from 1 to 65535' })
  .min(1, { error: 'a port is a whole number from 1 to 65535' })
  .max(65535, { error: 'a port is a whole number from 1 to 65535' });

/** An image with a tag or a digest, so that a stack means the same tomorrow. */
export const image = z.string().regex(/^[a-z0-9][\w.\-/:]*(?::[\w.-]+|@sha256:[0-9a-f]{64})$/, {
  error: 'an image with a tag or digest is expected here, such as prom/prometheus:v3.5.3',
});

/** Limits of one container. */
export const resources = z
  .strictObject({
    memory: size.optional().meta({ description: 'The most memory it may use, such as 512MB' }),
    cpus: z.number().positive().optional().meta({ description: 'The most CPU it may use; 0.5 is half of one' }),
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
