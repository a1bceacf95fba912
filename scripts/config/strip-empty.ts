import * as z from 'zod';
import type { KeyPath, Problem } from '../../stack/diagnostic.ts';
import { Secret } from '../../stack/secret.ts';
import { readSchema } from './schema-tree.ts';

/**
 * The raw config without keys that hold nothing (`sink:` with every line below it commented out means the defaults), and
 * a problem for each secret that stands in one of promstack's own keys.
 */
export function stripEmpty(raw: unknown, schema: z.core.$ZodType): { value: unknown; problems: readonly Problem[] } {
  const problems: Problem[] = [];

  const walk = (value: unknown, at: z.core.$ZodType, path: KeyPath): unknown => {
    const node = readSchema(at);
    if (node.kind === 'native') return value;
    if (value instanceof Secret) {
      // A key that may hold a secret says so by its schema.
      if (node.kind === 'value' && z.safeParse(at, value).success) return value;
      problems.push(refused(path));
      // To the schema a section must be a mapping; a secret in its place has been told.
      return node.kind === 'section' ? {} : value;
    }
    if (node.kind === 'list' && Array.isArray(value))
      return value.map((item, index) => walk(item, node.item, [...path, index]));
    if ((node.kind !== 'section' && node.kind !== 'record') || !isMapping(value)) return value;
    const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      const known = node.kind === 'section' ? node.keys.get(key) : node.value;
      if (known === undefined) return [[key, inner]];
      const isUnset = inner === null && node.kind === 'section' && !node.isOpen;
      return isUnset ? [] : [[key, walk(inner, known, [...path, key])]];
    });
    return Object.fromEntries(entries);
  };

  return { value: walk(withoutAnchorKeys(raw ?? {}), schema, []), problems };
}

/** Keys at the top that begin with `x-` are the person's own: a place for anchors that other keys refer to. */
function withoutAnchorKeys(raw: unknown): unknown {
  if (!isMapping(raw)) return raw;
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith('x-')));
}

function refused(path: KeyPath): Problem {
  const key = path.findLast((step) => typeof step === 'string');
  return {
    code: 'secret-refused',
    path,
    message: `${String(key)} cannot hold a secret: it becomes part of a container's settings, which "docker inspect" shows`,
    hint: "secrets may stand wherever the program's own syntax begins, such as in alertmanager.receivers",
  };
}

/** Whether a value is a YAML mapping, in any shape the parser gives it. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}
