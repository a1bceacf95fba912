import type { Diagnostic } from '../../stack/diagnostic.ts';
import { services } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { useOf } from './template-kind.ts';
import type { TemplateFile } from './templates.ts';

/** Warns of contributions of the person's own that nothing takes, most often because their kind is misspelt. */
export function unusedContributions(files: readonly TemplateFile[]): readonly Diagnostic[] {
  const collected = new Set(services.flatMap((service) => (service.collects ?? []).map(({ kind }) => kind)));
  const named = new Set(
    files.flatMap(({ text }) => [...text.matchAll(/\bcontributed\.([\w-]+)/g)].map(([, kind]) => kind ?? '')),
  );
  return files
    .filter(({ isShipped }) => !isShipped)
    .flatMap((file) => {
      const use = useOf(file.path);
      if (use.kind === 'contribution' && !collected.has(use.of)) return [unused(file, use.of, 'collects', collected)];
      if (use.kind === 'list' && !named.has(use.of)) return [unused(file, use.of, 'names', named)];
      return [];
    });
}

function unused(file: TemplateFile, kind: string, verb: string, kinds: ReadonlySet<string>): Diagnostic {
  const near = closest(kind, kinds);
  return {
    severity: 'warning',
    code: 'contribution-unused',
    message: `${file.origin} is not used: nothing ${verb} contributions of the kind ${kind}`,
    hint: near === undefined ? `the kinds are ${[...kinds].sort().join(', ')}` : `did you mean ${near}?`,
  };
}
