import * as z from 'zod';

/** The version of the format of backups that this promstack writes, and the newest that it reads. */
export const format = 1;

/** The names of the entries beside `data/VOLUME/…`. */
export const entryNames = {
  /** The first entry. */
  header: 'promstack-backup.json',
  /** The last entry: what the data must contain once it is restored. */
  manifest: 'manifest.json',
  /** The config volumes with the generated secrets, the revisions and the history, encrypted. */
  secrets: 'secrets.enc',
} as const;

export const headerSchema = z.object({
  format: z.number(),
  promstack: z.string(),
  stack: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  revision: z.string().optional(),
  volumes: z.array(
    z.object({
      /** Without the name of the stack: `prometheus-data`. */
      name: z.string(),
      service: z.string(),
      /** The image that used the data. */
      image: z.string(),
    }),
  ),
  /** Services with data that is not in the backup. */
  leftOut: z.array(z.string()),
});

const matcherSchema = z.object({ name: z.string(), value: z.string(), operator: z.enum(['=', '!=', '=~', '!~']) });

export const manifestSchema = z.object({
  volumes: z.record(z.string(), z.object({ files: z.number(), bytes: z.number() })),
  /** Samples at a time, in seconds since 1970, before the copy began. */
  samples: z
    .object({
      at: z.number(),
      series: z.number(),
      /** Scraped in the ten minutes before. */
      samples: z.number(),
    })
    .optional(),
  /** Silences that are active or pending. */
  silences: z
    .array(
      z.object({
        id: z.string(),
        matchers: z.array(matcherSchema),
        startsAt: z.string(),
        endsAt: z.string(),
        createdBy: z.string(),
        comment: z.string(),
      }),
    )
    .optional(),
  /** Pushed groups, with the time of the last push in seconds since 1970. */
  groups: z
    .array(z.object({ labels: z.array(z.tuple([z.string(), z.string()])), pushedAt: z.number().optional() }))
    .optional(),
});

export type BackupHeader = z.infer<typeof headerSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
