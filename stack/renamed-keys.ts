import type { KeyPath } from './diagnostic.ts';
import { defaultImages } from './values/default-images.ts';
import { compareVersions, versionNumbers } from './values/known-versions.ts';
import { isMapping, valueAt } from './values/mapping.ts';

/** A key of stack.yml that has another name in the same section. Its former name works for a major version. */
export interface RenamedKey {
  /** `[]` is any item of a list. */
  readonly path: readonly string[];
  readonly to: string;
  /** What has renamed it. */
  readonly by: string;
  /** Whether the stack has the new name, where that depends on its other keys. */
  applies?(stack: unknown): boolean;
}

const hasPrometheus3 = (stack: unknown): boolean => {
  const image = valueAt(stack, ['prometheus', 'image']) ?? defaultImages.prometheus;
  const [, tag = ''] = /:([^:/]+)$/.exec(String(image)) ?? [];
  return versionNumbers(tag) === undefined || compareVersions(tag, '3.0.0') >= 0;
};

const renamedKeys: readonly RenamedKey[] = [
  {
    path: ['prometheus', 'scrape_configs', '[]', 'scrape_classic_histograms'],
    to: 'always_scrape_classic_histograms',
    by: 'Prometheus 3.0',
    applies: hasPrometheus3,
  },
];

/** A former name in a stack.yml. */
export interface FoundRename {
  readonly from: KeyPath;
  readonly to: KeyPath;
  readonly by: string;
}

/** The value of stack.yml with the new names, in the order of before. A section that has both keeps both. */
export function withNewNames(
  stack: unknown,
  table: readonly RenamedKey[] = renamedKeys,
): { readonly value: unknown; readonly renamed: readonly FoundRename[] } {
  const renamed: FoundRename[] = [];
  const walk = (value: unknown, rest: readonly string[], at: KeyPath, key: RenamedKey): unknown => {
    const [step = '', ...below] = rest;
    if (step === '[]')
      return Array.isArray(value) ? value.map((item, index) => walk(item, below, [...at, index], key)) : value;
    if (!isMapping(value) || !Object.hasOwn(value, step)) return value;
    if (below.length > 0) return { ...value, [step]: walk(value[step], below, [...at, step], key) };
    if (Object.hasOwn(value, key.to)) return value;
    renamed.push({ from: [...at, step], to: [...at, key.to], by: key.by });
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name === step ? key.to : name, inner]));
  };
  const value = table
    .filter(({ applies }) => applies?.(stack) !== false)
    .reduce<unknown>((changed, key) => walk(changed, key.path, [], key), stack);
  return { value, renamed };
}
