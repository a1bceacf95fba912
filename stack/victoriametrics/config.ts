import * as z from 'zod';
import { defaultImages } from '../values/default-images.ts';
import { enabled, extraArgs, image, port, resources } from '../values/schemas.ts';
import { expects } from '../values/words.ts';

const units = { ms: 1, s: 1_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;
const monthMs = 31 * units.d;
const mostMonths = 1_200;

/**
 * Milliseconds of a retention as VictoriaMetrics 1.145 reads it: months without a unit or with M, otherwise parts such as 1y6d. Undefined
 * when it does not start with it: it takes no minutes, and needs at least a day and at most 1,200 months.
 */
export function parseRetention(text: string): number | undefined {
  const [, months] = /^(\d+(?:\.\d*)?)M?$/.exec(text) ?? [];
  const isOfParts = /^(?:\d+(?:\.\d+)?(?:ms|[shdwy]))+$/i.test(text);
  if (months === undefined && !isOfParts) return undefined;
  const parts = [...text.toLowerCase().matchAll(/([\d.]+)(ms|[shdwy])/g)];
  const ms =
    months === undefined
      ? parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit as keyof typeof units], 0)
      : Number(months) * monthMs;
  return ms >= units.d && ms <= mostMonths * monthMs ? ms : undefined;
}

const retentionExpected = expects('a time from 1d to 100y such as 90d, 18M (months) or 2y');

/** The `long_term.victoriametrics` section of stack.yml. */
export const victoriametricsConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default(defaultImages.victoriametrics),
    port: port.optional().meta({ description: 'The port on the host; absent means that none is published' }),
    retention: z
      .string({ error: retentionExpected })
      .refine((text) => parseRetention(text) !== undefined, { error: retentionExpected })
      .default('1y')
      .meta({ description: 'How long to keep samples: hours, days, weeks, months or years (h, d, w, M, y)' }),
    extra_args: extraArgs,
    resources,
  })
  .optional()
  .meta({ description: 'VictoriaMetrics, as a service of the stack with a volume of its own', isSetByKey: true });
