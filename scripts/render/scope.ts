import type { Node } from 'yaml';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import type { KeyPath } from '../../stack/diagnostic.ts';
import type { Service } from '../../stack/service.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { knownKeys, schemaAt } from '../config/schema.ts';

/** What a hole's name stands for. */
export type Named =
  | { readonly kind: 'value'; readonly value: unknown; readonly path: KeyPath }
  | { readonly kind: 'nodes'; readonly nodes: readonly Node[] }
  | { readonly kind: 'unknown' };

/** The names the holes of a template may use. */
export interface Scope {
  find(name: string): Named;
  /** Every name, for someone who mistyped one. */
  names(): readonly string[];
}

/** The config under its own keys, and above it each service's own values under `<service>.<key>`. */
export function configScope(config: StackConfig, services: readonly Service[]): Scope {
  const own = new Map(services.map((service) => [service.name, service.placeholders?.(config) ?? {}]));

  const find = (name: string): Named => {
    const path = name.split('.');
    const [first = '', second = '', ...rest] = path;
    const holes = own.get(first);
    const isOwn = holes !== undefined && Object.hasOwn(holes, second);
    const found = isOwn ? dig(holes[second], rest) : dig(config, path);
    if (found !== undefined) return { kind: 'value', value: found.value, path };
    // A key that is known but not set leaves its place empty; what the schema does not know either is a mistake.
    const isKnown = isOwn ? holes[second] === undefined : schemaAt(stackSchema, path) !== undefined;
    return isKnown ? { kind: 'value', value: undefined, path } : { kind: 'unknown' };
  };

  const names = (): readonly string[] => [
    ...new Set([
      ...[...own].flatMap(([service, holes]) => Object.keys(holes).map((key) => `${service}.${key}`)),
      ...knownKeys(stackSchema)
        .filter(({ path }) => !path.includes('[]'))
        .map(({ path }) => path.join('.')),
    ]),
  ];

  return { find, names };
}

/** A scope that also knows `contributed.KIND`: the items that services gave to that kind. */
export function withContributions(scope: Scope, contributed: ReadonlyMap<string, readonly Node[]>): Scope {
  return {
    find: (name) => {
      const kind = /^contributed\.(.+)$/.exec(name)?.[1];
      if (kind === undefined) return scope.find(name);
      const nodes = contributed.get(kind);
      return nodes === undefined ? { kind: 'unknown' } : { kind: 'nodes', nodes };
    },
    names: () => [...scope.names(), ...[...contributed.keys()].map((kind) => `contributed.${kind}`)],
  };
}

/** The value below a path of keys; undefined when a key on the way is not there. */
function dig(value: unknown, keys: readonly string[]): { readonly value: unknown } | undefined {
  let at = value;
  for (const key of keys) {
    if (!isMapping(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return { value: at };
}
