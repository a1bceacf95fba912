import * as z from 'zod';
import { Secret } from '../secret.ts';
import { inWords } from './words.ts';

/** Where a secret comes from that was written into stack.yml itself. */
export const writtenOut = 'stack.yml';

/**
 * A text that is kept secret: `!env NAME`, `!file PATH`, or the text itself, which then stands in stack.yml for everybody to read.
 * Whoever uses it writes it into a file of the container, never into its settings.
 */
export const secretText = z
  .unknown()
  .meta({ title: 'text, `!env` or `!file`' })
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
