/** A row of the table of stack.yml's keys. */
export interface KeyRow {
  /** `prometheus.retention.time`. */
  readonly key: string;
  readonly type: string;
  /** As YAML writes it; empty when there is none. */
  readonly default: string;
  readonly what: string;
}

/** The parts of a JSON Schema that the table is made of. */
interface Schema {
  /** Names the type, where JSON Schema has no word for it. */
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly default?: unknown;
  readonly description?: string;
}

/** Every key of promstack's own; below keys in another program's syntax it does not look. */
export function keyRows(schema: Schema, above = ''): readonly KeyRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]): readonly KeyRow[] => {
    const key = `${above}${name}`;
    const isSection = inner.properties !== undefined && inner.additionalProperties === false;
    if (isSection) return keyRows(inner, `${key}.`);
    return [{ key, type: typeText(inner), default: defaultText(inner.default), what: inner.description ?? '' }];
  });
}

function typeText({ title, type, enum: choices, anyOf, items }: Schema): string {
  if (title !== undefined) return title;
  if (choices !== undefined) return choices.filter((choice) => choice !== null).join(', ');
  const types = [type ?? []].flat().filter((one) => one !== 'null');
  if (types.includes('array')) return `list of ${plural(items === undefined ? '' : typeText(items))}`;
  const words = types.map((one) => typeWords[one] ?? one);
  if (words.length > 0) return words.join(' or ');
  const others = (anyOf ?? []).map(typeText).filter((text) => text !== '' && text !== 'anything');
  return others.length === 0 ? 'anything' : [...new Set(others)].join(' or ');
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'mapping',
};

function plural(text: string): string {
  return text === '' || text === 'anything' ? 'anything' : `${text}s`;
}

function defaultText(value: unknown): string {
  if (value === undefined) return '';
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (isEmpty) return Array.isArray(value) ? 'none' : '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
