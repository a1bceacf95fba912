import type { Diagnostic, KeyPath } from '../../stack/diagnostic.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { type FoundNode, type Places, placesOf, type YamlSource } from './yaml-source.ts';

/** Several stack files as one. */
export interface MergedYaml extends Places {
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/** A value of the merged stack, and where it is written. */
interface Part {
  readonly value: unknown;
  readonly source: YamlSource;
  readonly path: KeyPath;
  /** The parts of a mapping outside of lists. */
  readonly keys?: ReadonlyMap<string, Part>;
  /** The items of a list that `!append` has made longer. */
  readonly items?: readonly Part[];
}

/**
 * Merges stack files, the later ones over the earlier ones: mappings by key, other values replace what was there. A key without
 * a value changes nothing; `!append` adds to a list, `!override` replaces a mapping, `!reset` removes a key.
 */
export function mergeYaml(sources: readonly [YamlSource, ...YamlSource[]]): MergedYaml {
  const diagnostics: Diagnostic[] = [];
  const whole = sources.reduce<Part | undefined>((base, source) => {
    return lay(base, { value: source.value, source, path: [] }, (conflict) => diagnostics.push(conflict));
  }, undefined);
  const find = (path: KeyPath): FoundNode => findIn(whole ?? { value: undefined, source: sources[0], path: [] }, path);
  return { value: whole?.value, diagnostics, ...placesOf(find) };
}

type Report = (conflict: Diagnostic) => void;

/** A value over the one before it, if any; undefined when nothing is left of both. */
function lay(base: Part | undefined, over: Part, report: Report): Part | undefined {
  const tag = tagOf(over);
  if (tag === '!reset') return undefined;
  const [below, above] = [kindOf(base?.value), kindOf(over.value)];
  if (base === undefined || below === undefined || tag === '!override') return fresh(over, report);
  if (above === undefined) return base;
  if (below !== above) {
    report(conflictOf(base, over));
    return base;
  }
  if (above === 'mapping') return withKeys(base, over, report);
  return above === 'list' && tag === '!append' ? appended(base, over) : over;
}

function fresh(over: Part, report: Report): Part {
  return isMapping(over.value) ? withKeys({ ...over, value: {}, keys: new Map() }, over, report) : over;
}

function withKeys(base: Part, over: Part, report: Report): Part {
  const keys = new Map(base.keys);
  for (const [key, value] of Object.entries(over.value as object)) {
    const laid = lay(keys.get(key), { value, source: over.source, path: [...over.path, key] }, report);
    if (laid === undefined) keys.delete(key);
    else keys.set(key, laid);
  }
  return { ...base, keys, value: Object.fromEntries([...keys].map(([key, part]) => [key, part.value])) };
}

function appended(base: Part, over: Part): Part {
  const items = [...itemsOf(base), ...itemsOf(over)];
  return { ...base, items, value: items.map(({ value }) => value) };
}

function itemsOf({ items, value, source, path }: Part): readonly Part[] {
  return items ?? (value as readonly unknown[]).map((item, at) => ({ value: item, source, path: [...path, at] }));
}

/** The node of a key of the merged stack; one that was removed is not found, although its file has it. */
function findIn(part: Part, [step, ...rest]: KeyPath): FoundNode {
  if (step === undefined) return part.source.find(part.path);
  const inner = part.keys?.get(String(step)) ?? part.items?.[Number(step)];
  if (inner !== undefined) return findIn(inner, rest);
  if (part.keys !== undefined || part.items !== undefined) return { ...part.source.find(part.path), isFound: false };
  return part.source.find([...part.path, step, ...rest]);
}

function tagOf({ source, path }: Part): string | undefined {
  return source.hasMergeTags ? source.find(path).node?.tag : undefined;
}

type Kind = 'mapping' | 'list' | 'single value';

/** Undefined for a key without a value. */
function kindOf(value: unknown): Kind | undefined {
  if (value === undefined || value === null) return undefined;
  if (isMapping(value)) return 'mapping';
  return Array.isArray(value) ? 'list' : 'single value';
}

function conflictOf(base: Part, over: Part): Diagnostic {
  const [below, above] = [kindOf(base.value), kindOf(over.value)];
  const first = placesOf((path) => base.source.find([...base.path, ...path])).locate([]);
  return {
    severity: 'error',
    code: 'merge-types',
    message: `a ${above} cannot be merged into the ${below} of ${first.file}`,
    hint: `write it as a ${below}, or !override before it to replace the ${below}`,
    where: over.source.locate(over.path),
    related: [{ where: first, message: `the ${below} is here` }],
  };
}
