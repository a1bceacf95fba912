/** A label that a template of Prometheus names, and where in its text. */
export interface LabelUse {
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
