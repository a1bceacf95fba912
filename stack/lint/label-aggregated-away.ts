import type { Problem } from '../diagnostic.ts';
import { isNative } from '../values/native.ts';
import type { LintedRule } from './context.ts';
import { parseExpression } from './expression.ts';
import { type LabelSet, mayHave } from './label-set.ts';
import { labelUses } from './label-uses.ts';
import { labelsOf } from './labels-of.ts';
import type { Finding, Lint } from './lint.ts';

/** A text of an alert that names a label its expression leaves behind: people read an empty place in the notification. */
export const labelAggregatedAway: Lint = {
  code: 'label-aggregated-away',
  what: 'an annotation or label that uses a label the expression aggregates away',
  find: ({ rules }) => rules.filter(({ kind, isOwn }) => kind === 'alert' && isOwn).flatMap(inRule),
};

function inRule(rule: LintedRule): readonly Finding[] {
  const uses = ['annotations', 'labels'].flatMap((field) => {
    const texts = rule.value[field];
    return Object.entries(isNative(texts) ? texts : {}).flatMap(([name, text]) =>
      usesIn(String(text)).map((use) => ({ ...use, path: [...rule.path, field, name], name, field })),
    );
  });
  if (uses.length === 0) return [];
  const labels = labelsOf(parseExpression(rule.expr));
  return uses
    .filter(({ label }) => !mayHave(labels, label))
    .map(({ label, path, within, name, field }) => ({
      file: rule.file,
      path,
      within,
      message: `the ${field === 'labels' ? 'label' : 'annotation'} ${name} of ${rule.name} uses $labels.${label}, which is always empty: ${left(labels, label)}`,
      hint: 'keep the label in the expression, or take it out of the text',
    }));
}

/** The labels of the result that a template names, each once. */
function usesIn(text: string): readonly { readonly label: string; readonly within: NonNullable<Problem['within']> }[] {
  const found = new Map<string, NonNullable<Problem['within']>>();
  for (const { label, ...within } of labelUses(text)) {
    if (!found.has(label) && label !== '__name__') found.set(label, within);
  }
  return [...found].map(([label, within]) => ({ label, within }));
}

function left({ kind, names }: LabelSet, label: string): string {
  if (kind === 'allBut') return `the expression drops ${label}`;
  return names.size === 0 ? 'the expression keeps no labels' : `the expression keeps only ${[...names].join(', ')}`;
}
