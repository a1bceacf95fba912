import { z } from 'zod';
import { stackSchema } from '../../stack/config.ts';

/** The JSON Schema of stack.yml as a person writes it: defaults may be left out, secrets may stand for texts. */
export function stackJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(stackSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  return { ...schema, title: 'promstack stack.yml' };
}

/** The same as the text of a file. */
export function stackJsonSchemaText(): string {
  return `${JSON.stringify(stackJsonSchema(), null, 2)}\n`;
}
