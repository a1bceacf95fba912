import type { Problem } from '../diagnostic.ts';
import { isNative } from '../values/native.ts';
import { parseExpression } from './expression.ts';
import { type LabelSet, labelsOf, mayHave } from './labels-of.ts';
import type { Finding, Lint, LintedRule } from './lint.ts';

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

/** A label that a template of Prometheus names, and where in its text. */
interface LabelUse {
  readonly label: string;
  readonly from: number;
  readonly length: number;
}

/** What `.` stands for: all that a template is given, the labels, or something that is not known. */
type Dot = 'all' | 'labels' | 'other';

/** The labels of the alert that a template names, in their order; what only may be one is none. */
export function labelUses(text: string): readonly LabelUse[] {
  const uses = [...text.matchAll(byVariable)].map((match) => ({
    label: match[1] ?? match[2] ?? '',
    ...placeOf(match),
  }));
  return [...uses, ...usesByDot(text)].toSorted((one, other) => one.from - other.from);
}

const byVariable = /\$labels\.([A-Za-z_]\w*)|index\s+\$labels\s+"([^"]+)"/g;
const action = /\{\{-?\s*(.*?)\s*-?\}\}/gs;
const quotedTexts = /"(?:\\.|[^"\\])*"|`[^`]*`/g;
const ofAll = /(?<![\w$.)])\$?\.Labels\.([A-Za-z_]\w*)/g;
const ofLabels = /(?<![\w$.)])\.([A-Za-z_]\w*)/g;

/** Follows the blocks of a template; one that defines templates is left alone, since theirs begin with something else. */
function usesByDot(text: string): readonly LabelUse[] {
  const uses: LabelUse[] = [];
  const dots: Dot[] = ['all'];
  for (const match of text.matchAll(action)) {
    const [whole, inner = ''] = match;
    if (inner.startsWith('/*')) continue;
    const code = inner.replaceAll(quotedTexts, (one) => ' '.repeat(one.length));
    const [word = ''] = /^\w+/.exec(code) ?? [];
    const dot = dots.at(-1) ?? 'other';
    if (word === 'define' || word === 'block') return [];
    if (word === 'end') dots.pop();
    else if (word === 'else' && code !== 'else') dots.splice(-1, 1, 'other');
    // Without what was asked for, `.` is what it was before, as it is in both ways of an `if`.
    else if (word === 'else') dots.splice(-1, 1, dots.at(-2) ?? 'other');
    const begin = match.index + whole.indexOf(inner);
    const named = dot === 'all' ? ofAll : dot === 'labels' ? ofLabels : undefined;
    for (const use of named === undefined ? [] : code.matchAll(named)) {
      const { from, length } = placeOf(use);
      uses.push({ label: use[1] ?? '', from: begin + from, length });
    }
    if (word === 'if') dots.push(dot);
    else if (word === 'range') dots.push('other');
    else if (word === 'with') dots.push(standsForLabels(code, dot) ? 'labels' : 'other');
  }
  return uses;
}

const standsForLabels = (code: string, dot: Dot): boolean =>
  /^with\s+(?:\$labels|\$\.Labels)$/.test(code) || (dot === 'all' && /^with\s+\.Labels$/.test(code));

const placeOf = (match: RegExpExecArray): Omit<LabelUse, 'label'> => ({ from: match.index, length: match[0].length });
