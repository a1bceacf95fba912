import type { Node } from 'yaml';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import type { KeyPath } from '../../stack/diagnostic.ts';
import type { Service } from '../../stack/service.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { knownKeys, schemaAt } from '../config/schema.ts';

/** The value of a placeholder's name. */
export type Resolution =
  | { readonly kind: 'value'; readonly value: unknown; readonly path: KeyPath }
  | { readonly kind: 'nodes'; readonly nodes: readonly Node[] }
  | { readonly kind: 'unknown' };

/** The names that placeholders of a template may use. */
export interface Scope {
  resolve(name: string): Resolution;
  /** All names, to suggest the nearest one. */
  names(): readonly string[];
}

/** The keys of the config, and each service's computed values as `<service>.<key>`, which win over keys of the same name. */
export function configScope(config: StackConfig, services: readonly Service[]): Scope {
  const computed = new Map(services.map((service) => [service.name, service.placeholders?.(config) ?? {}]));

  const resolve = (name: string): Resolution => {
    const path = name.split('.');
    const [first = '', second = '', ...rest] = path;
    const placeholders = computed.get(first);
    const isComputed = placeholders !== undefined && Object.hasOwn(placeholders, second);
    const entry = isComputed ? dig(placeholders[second], rest) : dig(config, path);
    if (entry !== undefined) return { kind: 'value', value: entry.value, path };
    // A known key that is not set is left out; a key that the schema does not know is a mistake.
    const isKnown = isComputed ? placeholders[second] === undefined : schemaAt(stackSchema, path) !== undefined;
    return isKnown ? { kind: 'value', value: undefined, path } : { kind: 'unknown' };
  };

  const names = (): readonly string[] => [
    ...new Set([
      ...[...computed].flatMap(([service, placeholders]) =>
        Object.keys(placeholders).map((key) => `${service}.${key}`),
      ),
      ...knownKeys(stackSchema)
        .filter(({ path }) => !path.includes('[]'))
        .map(({ path }) => path.join('.')),
    ]),
  ];

  return { resolve, names };
}

/** A scope that also has `contributed.KIND`: the items that services contribute to that kind. */
export function withContributions(scope: Scope, contributed: ReadonlyMap<string, readonly Node[]>): Scope {
  return {
    resolve: (name) => {
      const kind = /^contributed\.(.+)$/.exec(name)?.[1];
      if (kind === undefined) return scope.resolve(name);
      const nodes = contributed.get(kind);
      return nodes === undefined ? { kind: 'unknown' } : { kind: 'nodes', nodes };
    },
    names: () => [...scope.names(), ...[...contributed.keys()].map((kind) => `contributed.${kind}`)],
  };
}

/** The value at a path of keys; undefined when one of the keys is missing. */
function dig(value: unknown, keys: readonly string[]): { readonly value: unknown } | undefined {
  let at = value;
  for (const key of keys) {
    if (!isMapping(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return { value: at };
}
