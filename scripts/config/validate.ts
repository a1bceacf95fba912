import * as z from 'zod';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import { type KeyPath, type Problem, showPath } from '../../stack/diagnostic.ts';
import { Secret } from '../../stack/secret.ts';
import { closest } from '../../stack/values/closest.ts';
import { isMapping, valueAt } from '../../stack/values/mapping.ts';
import { coreValue, PlainScalar } from '../../stack/values/plain-scalar.ts';
import { expected, expects, orList, quoted } from '../../stack/values/words.ts';
import { isSetByKey, knownKeys, knownMistakes, metaOf, readSchema, schemaAt } from './schema.ts';

/** The valid part of a config, and its problems. */
interface Validated {
  /** Undefined only when nothing is valid; invalid keys have their defaults. */
  readonly config: StackConfig | undefined;
  readonly problems: readonly Problem[];
  /** Keys that do not have their written value in `config`. */
  readonly broken: readonly KeyPath[];
  /** Whether it has a name, valid or not. */
  readonly isNamed: boolean;
}

/** Validates a raw config; invalid keys are left out so that the others are checked too. */
export function validate(raw: unknown): Validated {
  const { value: written, problems } = toSchemaInput(withoutAnchorKeys(raw ?? {}), stackSchema);
  const value = withoutAlertmanager(written);
  const isNamed = isMapping(value) && value['name'] !== undefined;
  const first = stackSchema.safeParse(value, { error: explain });
  if (first.success) {
    return { config: first.data, problems, broken: problems.map(({ path }) => aboveList(path)), isNamed };
  }

  const refused = new Set(problems.map(({ path }) => showPath(path)));
  const further = toProblems(first.error.issues, value, stackSchema).filter(({ path }) => !refused.has(showPath(path)));
  const all = [...problems, ...further];
  const broken = all.map(({ path }) => aboveList(path));
  const second = stackSchema.safeParse(broken.reduce<unknown>(without, value));
  return { config: second.data, problems: all, broken, isNamed };
}

/** An agent sends no alerts: its stack has an Alertmanager only if that is enabled explicitly. */
function withoutAlertmanager(value: unknown): unknown {
  if (valueAt(value, ['prometheus', 'mode']) !== 'agent') return value;
  const { alertmanager = {} } = value as Readonly<Record<string, unknown>>;
  return isMapping(alertmanager) ? { ...(value as object), alertmanager: { enabled: false, ...alertmanager } } : value;
}

/** The part of a path above its first list: leaving out a list item would change the indexes of the others. */
function aboveList(path: KeyPath): KeyPath {
  const list = path.findIndex((step) => typeof step === 'number');
  return list === -1 ? path : path.slice(0, list);
}

function without(value: unknown, path: KeyPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined || !isMapping(value) || !Object.hasOwn(value, step)) return value;
  const { [step]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [step]: without(inner, rest) };
}

/**
 * Converts a YAML value for the schema: removes promstack's own keys without a value (`sink:` with all lines below it commented
 * out means the defaults), and converts scalars to the type that the schema expects. Reports a problem for each secret in a key that
 * cannot hold one.
 */
export function toSchemaInput(
  raw: unknown,
  root: z.core.$ZodType,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];

  const walk = (value: unknown, schema: z.core.$ZodType, path: KeyPath): unknown => {
    const node = readSchema(schema);
    if (node.kind === 'native') return value;
    if (value instanceof Secret) {
      // The schema of a key that may hold a secret accepts it.
      if (node.kind === 'value' && z.safeParse(schema, value).success) return value;
      problems.push(secretRefused(path));
      // The schema requires a mapping for a section; the secret has been reported.
      return node.kind === 'section' ? {} : value;
    }
    if (value instanceof PlainScalar || ['string', 'number', 'boolean'].includes(typeof value)) {
      return toScalar(value as Scalar, schema);
    }
    if (node.kind === 'list' && Array.isArray(value))
      return value.map((item, index) => walk(item, node.item, [...path, index]));
    if ((node.kind !== 'section' && node.kind !== 'record') || !isMapping(value)) return value;
    const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      const known = node.kind === 'section' ? node.keys.get(key) : node.value;
      if (known === undefined) return [[key, inner]];
      if (inner === null && isSetByKey(known)) return [[key, {}]];
      if (inner === null && node.kind === 'section' && !node.isOpen) return [];
      return [[key, walk(inner, known, [...path, key])]];
    });
    return Object.fromEntries(entries);
  };

  return { value: walk(raw, root, []), problems };
}

type Scalar = PlainScalar | string | number | boolean;

/**
 * A scalar as the schema takes it. Like the servers and Compose, an unquoted `1.10` is a string where a string is expected, and `"9090"`
 * a number where a number is. A value that is rejected either way keeps its spelling for the message.
 */
function toScalar(value: Scalar, schema: z.core.$ZodType): unknown {
  const plain = value instanceof PlainScalar ? value.value : value;
  const { success, error } = z.safeParse(schema, plain);
  if (success) return plain;
  if (typeof value !== 'string') {
    if (z.safeParse(schema, String(value)).success) return String(value);
    // To zod, a PlainScalar is a mapping.
    return readSchema(schema).kind === 'section' ? plain : value;
  }
  return error.issues.some(isWrongType) ? (coreValue(value) ?? value) : value;
}

/** Whether an issue is the type of the value itself. */
function isWrongType({ code, path }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

/** Removes the user's top-level keys `x-…`, which are for YAML anchors. */
function withoutAnchorKeys(raw: unknown): unknown {
  if (!isMapping(raw)) return raw;
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith('x-')));
}

function secretRefused(path: KeyPath): Problem {
  const key = path.findLast((step) => typeof step === 'string');
  return {
    code: 'secret-refused',
    path,
    message: `${String(key)} cannot hold a secret: it becomes part of a container's settings, which "docker inspect" shows`,
    hint:
      secretHint(path) ??
      "secrets are allowed wherever a server's own syntax begins, such as in alertmanager.receivers",
  };
}

/** Where a secret may be instead, by the innermost section that says so. */
function secretHint(path: KeyPath): string | undefined {
  const sections = path.map((_, at) => schemaAt(stackSchema, path.slice(0, path.length - at)));
  const hints = sections.map((schema) => metaOf(schema, 'secretHint'));
  return hints.find((hint) => typeof hint === 'string');
}

/** Replaces zod's messages, unless a schema has its own `error`. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  const isString = issue.origin === 'string';
  switch (issue.code) {
    case 'invalid_type':
      return expects(typeNames[issue.expected] ?? issue.expected)(issue);
    case 'too_small':
      return expects(isString ? 'a non-empty string' : `a number of at least ${issue.minimum}`)(issue);
    case 'too_big':
      return expects(isString ? `at most ${issue.maximum} characters` : `a number of at most ${issue.maximum}`)(issue);
    default:
      return undefined;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** Converts zod's issues to problems with hints. */
export function toProblems(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  schema: z.core.$ZodType,
): readonly Problem[] {
  return issues.flatMap((issue): readonly Problem[] => {
    const path = issue.path as KeyPath;
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema));
    const value = valueAt(raw, path);
    if (issue.code === 'invalid_union' && isMapping(value)) {
      const inMapping = issue.errors.find((issues) => !issues.some(isWrongType)) ?? [];
      const placed = inMapping.map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
      if (placed.length > 0) return toProblems(placed, raw, schema);
    }
    if (issue.code === 'invalid_key') return [wrongKey(path, issue)];
    // A misplaced secret has been reported already.
    if (value instanceof Secret) return [];
    if (value === undefined && path.length > 0) return [missingKey(path, schema)];
    if (issue.code === 'invalid_value') return [notAChoice(path, value, issue.values.map(String))];
    const code = issue.code === 'invalid_type' ? 'wrong-type' : 'wrong-value';
    const hint =
      issue.code === 'invalid_type' && issue.expected === 'object'
        ? sectionHint(path, value, schema)
        : hintFor(issue, value);
    return [{ code, path, message: issue.message, hint }];
  });
}

function unknownKey(path: KeyPath, key: string, schema: z.core.$ZodType): Problem {
  const at = showPath(path);
  const message = `unknown key ${quoted(key)}${at === '' ? '' : ` in ${at}`}`;
  return { code: 'unknown-key', path: [...path, key], atKey: true, message, hint: keyHint(path, key, schema) };
}

function keyHint(path: KeyPath, key: string, schema: z.core.$ZodType): string | undefined {
  const section = schemaAt(schema, path);
  const node = section && readSchema(section);
  const siblings = node?.kind === 'section' ? [...node.keys.keys()] : [];
  // A number at its end is any number.
  const mistakes = section && knownMistakes(section);
  const mistake = mistakes?.get(key) ?? mistakes?.get(key.replace(/\d+$/, '1'));
  if (mistake !== undefined) return mistake;
  const near = closest(key, siblings);
  const elsewhere = knownKeys(schema).find((known) => known.path.at(-1) === key && !known.path.includes('[]'));
  if (elsewhere !== undefined && path.length === 0 && (near === undefined || key.length > 4)) {
    const parent = elsewhere.path.slice(0, -1);
    return `${quoted(key)} belongs ${parent.length === 0 ? 'at the top level' : `under ${quoted(showPath(parent))}`}`;
  }
  if (near !== undefined) return `did you mean ${quoted(near)}?`;
  return siblings.length > 0 ? `known keys: ${siblings.join(', ')}` : undefined;
}

function wrongKey(path: KeyPath, { issues: [first] }: z.core.$ZodIssueInvalidKey): Problem {
  const at = showPath(path.slice(0, -1));
  const message = `${quoted(String(path.at(-1)))} cannot be a key of ${at}: ${first?.message ?? 'it has another form'}`;
  return { code: 'wrong-key', path, atKey: true, message };
}

function missingKey(path: KeyPath, schema: z.core.$ZodType): Problem {
  const parent = path.slice(0, -1);
  const message = `missing key ${quoted(String(path.at(-1)))} in ${showPath(parent)}`;
  const hint = (schemaAt(schema, path) as z.ZodType | undefined)?.meta()?.['hint'];
  return { code: 'missing-key', path: parent, atKey: true, message, hint: hint as string | undefined };
}

function notAChoice(path: KeyPath, value: unknown, choices: readonly string[]): Problem {
  const near = typeof value === 'string' ? closest(value, choices) : undefined;
  return {
    code: 'wrong-value',
    path,
    message: expected(orList(choices), value),
    hint: near && `did you mean ${quoted(near)}?`,
  };
}

function hintFor(issue: z.core.$ZodIssue, written: unknown): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const value = written instanceof PlainScalar ? written.value : written;
  if (issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    if (issue.message.includes('a duration')) return `did you mean ${String(written)}s?`;
    return issue.message.includes('a size') ? `did you mean ${String(written)}B?` : undefined;
  }
  if (issue.expected === 'boolean') {
    const meant = booleanMeant(value);
    return meant === undefined ? undefined : `write ${meant}`;
  }
  if (issue.expected === 'array') return typeof value === 'string' ? `write ["${value}"]` : 'start each item with "- "';
  return undefined;
}

/** The boolean that a word is in YAML 1.1. */
function booleanMeant(value: unknown): boolean | undefined {
  const word = String(value).toLowerCase();
  if (['true', 'yes', 'on', 'y'].includes(word)) return true;
  return ['false', 'no', 'off', 'n'].includes(word) ? false : undefined;
}

/** For a section that is switched like a key: `grafana: false`, or `node: yes` below `exporters`. */
function sectionHint(path: KeyPath, value: unknown, schema: z.core.$ZodType): string | undefined {
  const section = schemaAt(schema, path);
  const node = section && readSchema(section);
  const isOn = booleanMeant(value);
  if (node?.kind !== 'section' || isOn === undefined) return undefined;
  const key = String(path.at(-1));
  if (!node.keys.has('enabled')) return `known keys: ${[...node.keys.keys()].join(', ')}`;
  return isOn ? `write only "${key}:", which has the defaults` : `write "${key}: {enabled: false}"`;
}
