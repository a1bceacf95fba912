import type { SourceRange } from '../diagnostic.ts';
import type { LabelToken, Token } from './cursor.ts';
import {
  boundLabel,
  hasPart,
  isReservedLabel,
  type MetricType,
  type Part,
  parseFloat64,
  type Sample,
} from './family.ts';
import type { Line } from './read-line.ts';

/** A family while its lines are parsed. */
export interface FamilyDraft {
  readonly name: string;
  type: MetricType | undefined;
  help: string | undefined;
  where: SourceRange;
  readonly samples: Sample[];
  /** The parts of each histogram or summary so far, by its labels without `le` and `quantile`. */
  readonly parts: Map<string, Set<string>>;
}

/** The family a name belongs to, and the part of it that it names; `plain` is the family's own name. */
interface Resolved {
  readonly draft: FamilyDraft;
  readonly part: Part | 'plain';
}

/** Converts columns of the current line, from 0, to a range in the file. */
export type RangeInFile = (columns: { readonly from: number; readonly to: number }) => SourceRange;

type SampleLine = Extract<Line, { kind: 'sample' }>;

/** A problem of a line that depends on the lines before. */
interface SampleProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at: { readonly from: number; readonly to: number };
}

/** Combines lines into families, in order. */
export class FamilyBuilder {
  readonly drafts = new Map<string, FamilyDraft>();
  /** The family of the previous line. */
  #latest: FamilyDraft | undefined;

  add(line: Line, rangeOf: RangeInFile): SampleProblem | undefined {
    switch (line.kind) {
      case 'nothing':
      case 'wrong':
        return undefined;
      case 'mention':
        this.#resolve(line.name, rangeOf);
        return undefined;
      case 'help':
        return this.#addHelp(line.name, line.help, rangeOf);
      case 'type':
        return this.#addType(line.name, line.type, rangeOf);
      case 'sample':
        return this.#addSample(line, rangeOf);
    }
  }

  /**
   * Resolves a name like the Pushgateway's parser (expfmt's TextParser): to a family of exactly this name, whatever its type, else to the
   * summary or histogram that it is a part of, else to a new family.
   */
  #resolve({ value: name, ...columns }: Token<string>, rangeOf: RangeInFile): Resolved {
    const resolved = this.#find(name) ?? { draft: this.#create(name, rangeOf(columns)), part: 'plain' };
    this.#latest = resolved.draft;
    return resolved;
  }

  #find(name: string): Resolved | undefined {
    const exact = this.drafts.get(name);
    if (exact !== undefined) return { draft: exact, part: 'plain' };
    for (const part of ['count', 'sum', 'bucket'] as const) {
      if (!name.endsWith(`_${part}`)) continue;
      const whole = this.drafts.get(name.slice(0, -part.length - 1));
      if (whole !== undefined && hasPart(whole.type, part)) return { draft: whole, part };
    }
    return undefined;
  }

  #create(name: string, where: SourceRange): FamilyDraft {
    const draft = { name, type: undefined, help: undefined, where, samples: [], parts: new Map() };
    this.drafts.set(name, draft);
    return draft;
  }

  #addHelp(name: Token<string>, help: string, rangeOf: RangeInFile): SampleProblem | undefined {
    const { draft } = this.#resolve(name, rangeOf);
    if (draft.help !== undefined) {
      const message = `${draft.name} already has a HELP line`;
      return { code: 'second-help', message, hint: 'write one HELP line per metric', at: name };
    }
    draft.help = help;
    return undefined;
  }

  #addType(name: Token<string>, type: MetricType, rangeOf: RangeInFile): SampleProblem | undefined {
    const { draft } = this.#resolve(name, rangeOf);
    if (draft.name !== name.value) {
      const message = `${name.value} is a part of the ${draft.type} ${draft.name}, which already has a TYPE line`;
      return { code: 'second-type', message, hint: 'remove this line', at: name };
    }
    if (draft.samples.length > 0) {
      const message = `the TYPE line of ${draft.name} comes after its first sample`;
      return { code: 'type-after-samples', message, hint: 'move it before the samples', at: name };
    }
    if (draft.type !== undefined) {
      const message = `${draft.name} already has a TYPE line, with the type ${draft.type}`;
      return { code: 'second-type', message, hint: 'write one TYPE line per metric', at: name };
    }
    draft.type = type;
    draft.where = rangeOf(name);
    return undefined;
  }

  #addSample(line: SampleLine, rangeOf: RangeInFile): SampleProblem | undefined {
    const before = this.#latest;
    const resolved = this.#resolve(line.name, rangeOf);
    const { draft } = resolved;
    draft.type ??= 'untyped';
    const problem =
      labelsProblem(line.labels, draft) ?? orderProblem(line, draft, before) ?? partProblem(line, resolved);
    const labels = new Map(line.labels.map((label) => [label.name, label.value]));
    // Added even with a problem, so that a later TYPE line is still reported as late.
    draft.samples.push({ name: line.name.value, labels, value: line.value.value, where: rangeOf(line.name) });
    return problem;
  }
}

function labelsProblem(labels: readonly LabelToken[], draft: FamilyDraft): SampleProblem | undefined {
  const seen = new Set<string>();
  for (const label of labels) {
    if (isReservedLabel(label.name)) {
      const message = `the label ${label.name} is reserved: labels that start with __ are internal to Prometheus`;
      return { code: 'reserved-label', message, at: label };
    }
    if (seen.has(label.name)) {
      // The Pushgateway rejects it too, except for `le` and `quantile`, of which it uses the last.
      const code = label.name === boundLabel(draft.type) ? 'repeated-part' : 'repeated-label';
      return { code, message: `the label ${label.name} occurs twice in one sample`, at: label };
    }
    seen.add(label.name);
  }
  return undefined;
}

/**
 * When the name is inside the braces, the Pushgateway's parser handles the labels of a histogram or summary before it knows the name,
 * based on the previous line. After a line of another metric it confuses the two or fails.
 */
function orderProblem(
  line: SampleLine,
  draft: FamilyDraft,
  before: FamilyDraft | undefined,
): SampleProblem | undefined {
  if (!line.isBraced || boundLabel(draft.type) === undefined || before === draft) return undefined;
  return {
    code: 'scattered-family',
    message: `the lines of the ${draft.type} ${draft.name} are not consecutive`,
    hint: 'move this line up: the Pushgateway confuses a quoted histogram or summary with the metric of the previous line',
    at: line.name,
  };
}

/**
 * A problem of a part of a histogram or summary. The Pushgateway accepts most of them with status 200 and then loses the value (a bucket
 * without `le`) or stores another one (a count below zero becomes 1.8e19).
 */
function partProblem({ name, value, labels }: SampleLine, { draft, part }: Resolved): SampleProblem | undefined {
  const bound = boundLabel(draft.type);
  if (bound === undefined) return undefined;
  const label = labels.find((candidate) => candidate.name === bound);
  const limit = label === undefined ? undefined : parseFloat64(label.value);
  if (label !== undefined && limit === undefined) {
    return {
      code: 'bound-not-a-number',
      message: `${bound}=${JSON.stringify(label.value)} is not a number`,
      at: label,
    };
  }
  const isWithoutLimit = limit === undefined || Number.isNaN(limit);
  const repeated = (what: string) => repeatedPart(draft, what, labels, bound, name);
  if (bound === 'quantile') {
    if (part === 'plain') {
      if (!isWithoutLimit) return repeated(`quantile ${limit}`);
      const message = `${draft.name} is a summary: its samples need a quantile, or end with _sum or _count`;
      return lostSample(message, 'write quantile="0.99", or change the type', label ?? name);
    }
    if (label !== undefined) return unexpectedBound(name, bound, label);
    if (part === 'count' && !(value.value >= 0 && Number.isInteger(value.value))) {
      return {
        code: 'summary-count',
        message: 'the count of a summary must be a whole number of at least 0',
        at: value,
      };
    }
    return repeated(part);
  }
  if (part === 'plain') {
    const message = `${draft.name} is a histogram: its samples end with _bucket, _sum or _count`;
    return lostSample(message, 'add the suffix, or change the type', name);
  }
  if (part !== 'bucket' && label !== undefined) return unexpectedBound(name, bound, label);
  if (part === 'sum') return repeated(part);
  if (part === 'bucket' && isWithoutLimit) {
    return lostSample('a bucket needs an upper bound', 'write le="0.5" or le="+Inf"', label ?? name);
  }
  if (value.value < 0) {
    return { code: 'negative-bucket', message: `${name.value} is a count, so it cannot be below 0`, at: value };
  }
  return repeated(label === undefined ? part : `bucket ${limit}`);
}

function unexpectedBound(name: Token<string>, bound: string, at: LabelToken): SampleProblem {
  return lostSample(`${name.value} must not have the label ${bound}`, `remove ${bound}`, at);
}

function lostSample(message: string, hint: string, at: SampleProblem['at']): SampleProblem {
  return { code: 'lost-sample', message, hint, at };
}

function repeatedPart(
  draft: FamilyDraft,
  what: string,
  labels: readonly LabelToken[],
  bound: string,
  at: Token<string>,
): SampleProblem | undefined {
  const others = labels.filter(({ name }) => name !== bound).map(({ name, value }) => [name, value]);
  const owner = JSON.stringify(others.sort());
  const parts = draft.parts.get(owner) ?? new Set();
  draft.parts.set(owner, parts);
  if (parts.has(what)) return { code: 'repeated-part', message: `the ${what} of ${draft.name} occurs twice`, at };
  parts.add(what);
  return undefined;
}
