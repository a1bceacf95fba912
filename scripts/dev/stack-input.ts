import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { type JsonSchema, mapSchemas, ownJsonSchema } from '../config/schema.ts';

/** The content of scripts/library/stack-input.ts: the keys of stack.yml, and the types of their values. */
export async function stackInputType(): Promise<string> {
  return compile(withoutTags(ownJsonSchema()) as JSONSchema, 'StackKeys', {
    bannerComment: '// Generated from the schema of stack.yml by `npm run generate`.\n',
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
}

/** An object has no tags: secrets are strings. The titles would become the names of types. */
function withoutTags(schema: JsonSchema): JsonSchema {
  const { title, ...rest } = mapSchemas(schema, withoutTags);
  return String(title).includes('!env') ? { ...rest, type: 'string' } : rest;
}
