import * as z from 'zod';
import { stackSchema } from '../../stack/config.ts';

/** The kind of a value of stack.yml; `native` is a server's own syntax, whose keys promstack does not know. */
export type SchemaNode =
  | { readonly kind: 'section'; readonly keys: ReadonlyMap<string, z.core.$ZodType>; readonly isOpen: boolean }
  | { readonly kind: 'list'; readonly item: z.core.$ZodType }
  | { readonly kind: 'record'; readonly value: z.core.$ZodType }
  | { readonly kind: 'native' }
  | { readonly kind: 'value' };

/** One level of a zod schema, without defaults and modifiers. */
export function readSchema(schema: z.core.$ZodType): SchemaNode {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
    case 'readonly':
      return readSchema(def.innerType);
    case 'pipe':
      return readSchema(def.in);
    case 'object':
      return {
        kind: 'section',
        keys: new Map(Object.entries(def.shape)),
        isOpen: def.catchall?._zod.def.type !== 'never',
      };
    case 'array':
      return { kind: 'list', item: def.element };
    case 'record':
      return { kind: 'record', value: def.valueType };
    case 'union': {
      const sections = def.options.map(readSchema).filter(({ kind }) => kind === 'section');
      return sections[0] ?? { kind: 'value' };
    }
    case 'unknown':
    case 'any':
      return { kind: 'native' };
    default:
      return { kind: 'value' };
  }
}

/** The schema at a path, with any list indexes; undefined beyond the end of the schema. */
export function schemaAt(schema: z.core.$ZodType, path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    if (at === undefined) return undefined;
    const node = readSchema(at);
    if (node.kind === 'section') at = node.keys.get(String(step));
    else if (node.kind === 'list') at = node.item;
    else if (node.kind === 'record') at = node.value;
    else return undefined;
  }
  return at;
}

/** A hint that a schema has for messages, such as its `secretHint`. */
export function metaOf(schema: z.core.$ZodType | undefined, key: string): unknown {
  for (let at = schema; at !== undefined; at = innerOf(at)) {
    const value = (at as z.ZodType).meta()?.[key];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Keys that users often expect in a section, and a hint for each: the `knownMistakes` of its schema. */
export function knownMistakes(schema: z.core.$ZodType): ReadonlyMap<string, string> {
  return new Map(Object.entries((metaOf(schema, 'knownMistakes') ?? {}) as Record<string, string>));
}

/** Whether a section without keys differs from none. */
export function isSetByKey(schema: z.core.$ZodType): boolean {
  return (schema as z.ZodType).meta()?.['isSetByKey'] === true;
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return 'innerType' in def ? def.innerType : undefined;
}

/** A key that is not in a server's own syntax. */
export interface KnownKey {
  /** Keys from the top; `[]` stands for the items of a list. */
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
}

/** All keys that are not in a server's own syntax, in the order of the schema, sections before their keys. */
export function knownKeys(schema: z.core.$ZodType, path: readonly string[] = []): readonly KnownKey[] {
  const node = readSchema(schema);
  if (node.kind === 'list') return knownKeys(node.item, [...path, '[]']);
  if (node.kind !== 'section') return [];
  return [...node.keys].flatMap(([key, inner]) => {
    const here = [...path, key];
    return [{ path: here, schema: inner }, ...knownKeys(inner, here)];
  });
}

export type JsonSchema = Record<string, unknown>;

/** The JSON Schema of stack.yml: keys with defaults are optional. */
export function ownJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(stackSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    // Hints for messages are not part of the JSON Schema.
    override: ({ jsonSchema }) => {
      delete (jsonSchema as JsonSchema)['knownMistakes'];
      delete (jsonSchema as JsonSchema)['isSetByKey'];
      delete (jsonSchema as JsonSchema)['hint'];
      delete (jsonSchema as JsonSchema)['secretHint'];
    },
  }) as JsonSchema;
  // Programs that make a stack without a file get this default; that of a stack.yml depends on its folder.
  delete (schema['properties'] as Record<string, JsonSchema>)['name']?.['default'];
  return schema;
}

/** The JSON Schema of stack.yml as users write it: with loose scalars, and a key may have no value. */
export function stackJsonSchema(): JsonSchema {
  return {
    ...orNothing(withLooseScalars(ownJsonSchema())),
    title: 'promstack stack.yml',
    // The user's keys for YAML anchors.
    patternProperties: { '^x-': {} },
  };
}

/** The content of stack.schema.json. */
export function stackJsonSchemaText(): string {
  return `${JSON.stringify(stackJsonSchema(), null, 2)}\n`;
}

/** The spellings of numbers and booleans in YAML's core schema, for those in quotes. */
const quotedNumber = '^[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|[0-9.]+([eE][-+]?[0-9]+)?)$';
const quotedBoolean = '^(true|True|TRUE|false|False|FALSE)$';

/** Allows what the loader converts: numbers and booleans for strings, and quoted numbers and booleans. */
function withLooseScalars(schema: JsonSchema): JsonSchema {
  const inside = mapSchemas(schema, withLooseScalars);
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return { ...inside, type: [schema['type'], 'string'], pattern: quotedNumber };
    case 'boolean':
      return { ...inside, type: ['boolean', 'string'], pattern: quotedBoolean };
    case 'string':
      return { ...inside, ...looseString(schema) };
    default:
      return inside;
  }
}

function looseString({ pattern, format, enum: choices, const: only }: JsonSchema): JsonSchema {
  if (format !== undefined || choices !== undefined || only !== undefined) return {};
  const accepts = (text: string): boolean => typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text);
  const isZeroOnly = accepts('0') && !accepts('1');
  const types = ['string', ...(accepts('0') ? ['number'] : []), ...(accepts('true') ? ['boolean'] : [])];
  return types.length === 1 ? {} : { type: types, ...(isZeroOnly ? { minimum: 0, maximum: 0 } : {}) };
}

/** The schema with a function applied to the schemas inside it. */
export function mapSchemas(schema: JsonSchema, change: (inner: JsonSchema) => JsonSchema): JsonSchema {
  const changed = (inner: unknown): unknown =>
    typeof inner === 'object' && inner !== null ? change(inner as JsonSchema) : inner;
  return Object.fromEntries(
    Object.entries(schema).map(([key, inner]) => {
      if (key === 'items' || key === 'additionalProperties') return [key, changed(inner)];
      if (key === 'anyOf') return [key, (inner as readonly unknown[]).map(changed)];
      if (key !== 'properties') return [key, inner];
      const properties = Object.entries(inner as JsonSchema).map(([name, property]) => [name, changed(property)]);
      return [key, Object.fromEntries(properties)];
    }),
  );
}

/** Allows no value for each of promstack's own keys of a section, which means the default. */
function orNothing(schema: JsonSchema): JsonSchema {
  const { properties, anyOf } = schema;
  if (Array.isArray(anyOf)) return { ...schema, anyOf: anyOf.map(orNothing) };
  if (typeof properties !== 'object' || properties === null) return schema;
  // Others have keys in a server's own syntax.
  const isOwn = schema['additionalProperties'] === false;
  const keys = Object.entries(properties as Record<string, JsonSchema>).map(([key, inner]) => [
    key,
    isOwn ? nullable(orNothing(inner)) : orNothing(inner),
  ]);
  return { ...schema, properties: Object.fromEntries(keys) };
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: choices, anyOf } = schema;
  return {
    ...schema,
    ...(type === undefined ? {} : { type: [...[type].flat(), 'null'] }),
    ...(Array.isArray(choices) ? { enum: [...choices, null] } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: [...anyOf, { type: 'null' }] } : {}),
  };
}
