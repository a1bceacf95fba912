import type { Diagnostic, KeyPath, Problem } from '../../stack/diagnostic.ts';
import { type FoundRename, type RenamedKey, withNewNames } from '../../stack/renamed-keys.ts';
import { quoted } from '../../stack/values/words.ts';
import type { MergedYaml } from './merge.ts';

/** The merged stack files with the new names of keys; positions are those of the former names. */
export function withoutFormerNames(
  merged: MergedYaml,
  table?: readonly RenamedKey[],
): MergedYaml & { readonly renamed: readonly FoundRename[] } {
  const { value, renamed } = withNewNames(merged.value, table);
  if (renamed.length === 0) return { ...merged, renamed };
  const written = (path: KeyPath): KeyPath => {
    const found = renamed.find(({ to }) => to.every((step, at) => step === path[at]));
    return found === undefined ? path : [...found.from, ...path.slice(found.to.length)];
  };
  const toDiagnostic = ({ path, related, ...problem }: Problem): Diagnostic =>
    merged.toDiagnostic({
      ...problem,
      path: written(path),
      related: related?.map((place) => ({ ...place, path: written(place.path) })),
    });
  const warnings = renamed.map(({ from, to, by }) =>
    merged.toDiagnostic({
      severity: 'warning',
      code: 'former-key',
      path: from,
      atKey: true,
      message: `${by} has renamed ${quoted(String(from.at(-1)))} to ${quoted(String(to.at(-1)))}, by which it is used`,
      hint: '`promstack fix` rewrites it in place',
    }),
  );
  return {
    value,
    renamed,
    diagnostics: [...merged.diagnostics, ...warnings],
    locate: (path, atKey) => merged.locate(written(path), atKey),
    toDiagnostic,
  };
}
