import type { Problem } from '../diagnostic.ts';
import { isMapping } from '../values/mapping.ts';
import { parseExpression } from './expression.ts';
import { type LabelSet, labelsOf, mayHave } from './labels-of.ts';
import type { Finding, Lint } from './lint.ts';
import type { LintedRule } from './linted-alert.ts';

/** A label or annotation of an alert that uses a label its expression drops, so that notifications show an empty value. */
export const labelAggregatedAway: Lint = {
  code: 'label-aggregated-away',
  find: ({ rules }) => rules.filter(({ kind, isOwn }) => kind === 'alert' && isOwn).flatMap(inRule),
};

function inRule(rule: LintedRule): readonly Finding[] {
  const uses = ['annotations', 'labels'].flatMap((field) => {
    const texts = rule.value[field];
    return Object.entries(isMapping(texts) ? texts : {}).flatMap(([name, text]) =>
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
      message: `the ${field === 'labels' ? 'label' : 'annotation'} ${name} of ${rule.name} uses $labels.${label}, which is always empty: ${why(labels, label)}`,
      hint: 'keep the label in the expression, or remove it from the text',
    }));
}

/** The labels that a template uses, each once. */
function usesIn(text: string): readonly { readonly label: string; readonly within: NonNullable<Problem['within']> }[] {
  const first = new Map<string, NonNullable<Problem['within']>>();
  for (const { label, ...within } of labelUses(text)) {
    if (!first.has(label) && label !== '__name__') first.set(label, within);
  }
  return [...first].map(([label, within]) => ({ label, within }));
}

function why({ kind, names }: LabelSet, label: string): string {
  if (kind === 'allBut') return `the expression drops ${label}`;
  return names.size === 0 ? 'the expression keeps no labels' : `the expression keeps only ${[...names].join(', ')}`;
}

/** A label that a template uses, and its range in the text. */
interface LabelUse {
  readonly label: string;
  readonly from: number;
  readonly length: number;
}

/** The value of `.`: the data of the template, the labels, or something unknown. */
type Dot = 'all' | 'labels' | 'unknown';

/** The labels of the alert that a template certainly uses, in order. */
export function labelUses(text: string): readonly LabelUse[] {
  const uses = [...text.matchAll(byVariable)].map((match) => ({
    label: match[1] ?? match[2] ?? '',
    ...rangeOf(match),
  }));
  return [...uses, ...usesByDot(text)].toSorted((a, b) => a.from - b.from);
}

const byVariable = /\$labels\.([A-Za-z_]\w*)|index\s+\$labels\s+"([^"]+)"/g;
const action = /\{\{-?\s*(.*?)\s*-?\}\}/gs;
const strings = /"(?:\\.|[^"\\])*"|`[^`]*`/g;
const ofAll = /(?<![\w$.)])\$?\.Labels\.([A-Za-z_]\w*)/g;
const ofLabels = /(?<![\w$.)])\.([A-Za-z_]\w*)/g;

/** Tracks `.` through the blocks of a template; empty when it defines templates, because their `.` is unknown. */
function usesByDot(text: string): readonly LabelUse[] {
  const uses: LabelUse[] = [];
  const dots: Dot[] = ['all'];
  for (const match of text.matchAll(action)) {
    const [whole, inner = ''] = match;
    if (inner.startsWith('/*')) continue;
    const code = inner.replaceAll(strings, (text) => ' '.repeat(text.length));
    const [word = ''] = /^\w+/.exec(code) ?? [];
    const dot = dots.at(-1) ?? 'unknown';
    if (word === 'define' || word === 'block') return [];
    if (word === 'end') dots.pop();
    else if (word === 'else' && code !== 'else') dots.splice(-1, 1, 'unknown');
    // In `else`, `.` is what it was before the block; an `if` never changes it.
    else if (word === 'else') dots.splice(-1, 1, dots.at(-2) ?? 'unknown');
    const start = match.index + whole.indexOf(inner);
    const pattern = dot === 'all' ? ofAll : dot === 'labels' ? ofLabels : undefined;
    for (const use of pattern === undefined ? [] : code.matchAll(pattern)) {
      const { from, length } = rangeOf(use);
      uses.push({ label: use[1] ?? '', from: start + from, length });
    }
    if (word === 'if') dots.push(dot);
    else if (word === 'range') dots.push('unknown');
    else if (word === 'with') dots.push(isLabels(code, dot) ? 'labels' : 'unknown');
  }
  return uses;
}

const isLabels = (code: string, dot: Dot): boolean =>
  /^with\s+(?:\$labels|\$\.Labels)$/.test(code) || (dot === 'all' && /^with\s+\.Labels$/.test(code));

const rangeOf = (match: RegExpExecArray): Omit<LabelUse, 'label'> => ({ from: match.index, length: match[0].length });
