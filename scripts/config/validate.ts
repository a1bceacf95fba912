import type * as z from 'zod';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import type { KeyPath, Problem } from '../../stack/diagnostic.ts';
import { expects } from '../../stack/values/words.ts';
import { isMapping, stripEmpty } from './strip-empty.ts';
import { toProblems } from './zod-problems.ts';

/** A config as far as it can be had, and what is wrong with it. */
export interface Validated {
  /** Undefined only when nothing can be made of what was written; broken keys have their defaults. */
  readonly config: StackConfig | undefined;
  readonly problems: readonly Problem[];
  /** Keys whose value in `config` is not what was written. */
  readonly broken: readonly KeyPath[];
}

/** Holds a raw config against the schema; what is broken is set aside so that the rest can be looked at too. */
export function validate(raw: unknown): Validated {
  const { value, problems } = stripEmpty(raw, stackSchema);
  const first = stackSchema.safeParse(value, { error: explain });
  if (first.success) return { config: first.data, problems, broken: problems.map(({ path }) => beforeList(path)) };

  const found = toProblems(first.error.issues, value, stackSchema);
  const broken = [...problems, ...found].map(({ path }) => beforeList(path));
  const rest = broken.reduce<unknown>(without, value);
  const second = stackSchema.safeParse(rest);
  return { config: second.data, problems: [...problems, ...found], broken };
}

/** Words for what zod would say in its own; a schema's own `error` comes first. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return expects(kinds[issue.expected] ?? issue.expected)(issue);
    case 'too_small':
      return expects(
        issue.origin === 'string' ? 'a text that is not empty' : `a number from ${String(issue.minimum)} on`,
      )(issue);
    case 'too_big':
      return expects(
        issue.origin === 'string'
          ? `a text of at most ${String(issue.maximum)} characters`
          : `a number up to ${String(issue.maximum)}`,
      )(issue);
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** The part of a path up to its first list: taking away one item of a list would move the others. */
function beforeList(path: KeyPath): KeyPath {
  const list = path.findIndex((step) => typeof step === 'number');
  return list === -1 ? path : path.slice(0, list);
}

function without(value: unknown, path: KeyPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined || !isMapping(value) || !Object.hasOwn(value, step)) return value;
  const { [step]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [step]: without(inner, rest) };
}
