import * as z from 'zod';
import { stackSchema } from '../../stack/config.ts';

type JsonSchema = Record<string, unknown>;

/** The JSON Schema of stack.yml as a person writes it: defaults may be left out, and a key may hold nothing. */
export function stackJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(stackSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    // Words for our own messages are no part of the schema.
    override: ({ jsonSchema }) => {
      delete (jsonSchema as JsonSchema)['strangers'];
    },
  }) as JsonSchema;
  return {
    ...orNothing(schema),
    title: 'promstack stack.yml',
    // Keys of the person's own, as places for YAML anchors.
    patternProperties: { '^x-': {} },
  };
}

/** The same as the text of a file. */
export function stackJsonSchemaText(): string {
  return `${JSON.stringify(stackJsonSchema(), null, 2)}\n`;
}

/** The schema of a section in which each of promstack's own keys may be written without a value, which means its default. */
function orNothing(schema: JsonSchema): JsonSchema {
  const { properties } = schema;
  if (schema['additionalProperties'] !== false || typeof properties !== 'object' || properties === null) return schema;
  const keys = Object.entries(properties as Record<string, JsonSchema>).map(([key, inner]) => [
    key,
    nullable(orNothing(inner)),
  ]);
  return { ...schema, properties: Object.fromEntries(keys) };
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: choices, anyOf } = schema;
  return {
    ...schema,
    ...(typeof type === 'string' ? { type: [type, 'null'] } : {}),
    ...(Array.isArray(choices) ? { enum: [...choices, null] } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: [...anyOf, { type: 'null' }] } : {}),
  };
}
