import type * as z from 'zod';

/** What a schema says of a place in stack.yml: `native` is the program's own syntax, where promstack knows no keys. */
export type SchemaNode =
  | { readonly kind: 'section'; readonly keys: ReadonlyMap<string, z.core.$ZodType>; readonly isOpen: boolean }
  | { readonly kind: 'list'; readonly item: z.core.$ZodType }
  | { readonly kind: 'record'; readonly value: z.core.$ZodType }
  | { readonly kind: 'native' }
  | { readonly kind: 'value' };

/** Reads one step of a zod schema, below its defaults and options. */
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
    case 'unknown':
    case 'any':
      return { kind: 'native' };
    default:
      return { kind: 'value' };
  }
}

/** The schema at a path, with indexes as any number; undefined where the schema has nothing to say. */
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

/** Keys that people bring from elsewhere to a section, and what to do instead, as its schema's `strangers` tell. */
export function knownMistakes(schema: z.core.$ZodType): ReadonlyMap<string, string> {
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = innerOf(at)) {
    const strangers = (at as z.ZodType).meta()?.['strangers'];
    if (strangers !== undefined) return new Map(Object.entries(strangers as Record<string, string>));
  }
  return new Map();
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return 'innerType' in def ? def.innerType : undefined;
}

/** One key that promstack itself knows. */
export interface KnownKey {
  /** Keys from the top; `[]` stands for the items of a list. */
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
}

/** Every key promstack itself knows, sections before their keys, in the schema's order. */
export function knownKeys(schema: z.core.$ZodType, path: readonly string[] = []): readonly KnownKey[] {
  const node = readSchema(schema);
  if (node.kind === 'list') return knownKeys(node.item, [...path, '[]']);
  if (node.kind !== 'section') return [];
  return [...node.keys].flatMap(([key, inner]) => {
    const here = [...path, key];
    return [{ path: here, schema: inner }, ...knownKeys(inner, here)];
  });
}
