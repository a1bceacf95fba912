import type { SourceRange } from '../diagnostic.ts';
import type { LabelToken, Token } from './cursor.ts';
import { isHistogram, isReservedLabel, type MetricType, parseFloat64, type Sample } from './family.ts';
import type { Line } from './read-line.ts';

/** A family while its lines are being read. */
export interface FamilyDraft {
  readonly name: string;
  type: MetricType | undefined;
  help: string | undefined;
  where: SourceRange;
  readonly samples: Sample[];
  /** What has been said of each value of a histogram or summary, by its labels without `le` and `quantile`. */
  readonly parts: Map<string, Set<string>>;
}

/** The part of a histogram or summary that a sample's name says it is; `plain` is the family's own name. */
type Part = 'plain' | 'count' | 'sum' | 'bucket';

/** A family, and which part of it a name means. */
interface Resolved {
  readonly draft: FamilyDraft;
  readonly part: Part;
}

/**
 * The families of a text by name, found as the Pushgateway's parser (expfmt's TextParser) finds them: a family of
 * exactly this name first, whatever its type, then the summary or histogram whose part the name is, else a new one.
 */
class Drafts {
  readonly byName = new Map<string, FamilyDraft>();
  /** The family of the line before. */
  latest: FamilyDraft | undefined;

  resolve(name: string, where: SourceRange): Resolved {
    const resolved = this.#find(name, where);
    this.latest = resolved.draft;
    return resolved;
  }

  #find(name: string, where: SourceRange): Resolved {
    const exact = this.byName.get(name);
    if (exact !== undefined) return { draft: exact, part: 'plain' };
    for (const part of ['count', 'sum', 'bucket'] as const) {
      if (!name.endsWith(`_${part}`)) continue;
      const whole = this.byName.get(name.slice(0, -part.length - 1));
      if (whole !== undefined && hasPart(whole.type, part)) return { draft: whole, part };
    }
    const made = { name, type: undefined, help: undefined, where, samples: [], parts: new Map() };
    this.byName.set(name, made);
    return { draft: made, part: 'plain' };
  }
}

function hasPart(type: MetricType | undefined, part: Part): boolean {
  return isHistogram(type) || (type === 'summary' && part !== 'bucket');
}

/** Columns of a line, from 0, as a place in the file. */
export type FamilyPlace = (piece: { readonly from: number; readonly to: number }) => SourceRange;

type SampleLine = Extract<Line, { kind: 'sample' }>;

/** Puts lines together to families, in their order; answers with what is wrong with a line in the light of those before. */
export class FamilyBuilder {
  readonly drafts = new Drafts();

  add(line: Line, place: FamilyPlace): SampleProblem | undefined {
    switch (line.kind) {
      case 'nothing':
      case 'wrong':
        return undefined;
      case 'mention':
        this.drafts.resolve(line.name.value, place(line.name));
        return undefined;
      case 'help':
        return this.#addHelp(line.name, line.help, place);
      case 'type':
        return this.#addType(line.name, line.type, place);
      case 'sample':
        return this.#addSample(line, place);
    }
  }

  #addHelp(name: Token<string>, help: string, place: FamilyPlace): SampleProblem | undefined {
    const { draft } = this.drafts.resolve(name.value, place(name));
    if (draft.help !== undefined) {
      const message = `${draft.name} has a HELP line already`;
      return { code: 'second-help', message, hint: 'one HELP line for each metric', at: name };
    }
    draft.help = help;
    return undefined;
  }

  #addType(name: Token<string>, type: MetricType, place: FamilyPlace): SampleProblem | undefined {
    const { draft } = this.drafts.resolve(name.value, place(name));
    if (draft.name !== name.value) {
      const message = `${name.value} is a part of the ${draft.type} ${draft.name}, which has its TYPE line already`;
      return { code: 'second-type', message, hint: `leave this line out`, at: name };
    }
    if (draft.samples.length > 0) {
      const message = `the type of ${draft.name} is told after its first sample`;
      return { code: 'type-after-samples', message, hint: 'put the TYPE line before the samples', at: name };
    }
    if (draft.type !== undefined) {
      const message = `${draft.name} has a TYPE line already, which says ${draft.type}`;
      return { code: 'second-type', message, hint: 'one TYPE line for each metric', at: name };
    }
    draft.type = type;
    draft.where = place(name);
    return undefined;
  }

  #addSample(line: SampleLine, place: FamilyPlace): SampleProblem | undefined {
    const before = this.drafts.latest;
    const resolved = this.drafts.resolve(line.name.value, place(line.name));
    const { draft } = resolved;
    draft.type ??= 'untyped';
    const problem = checkLabels(line.labels, draft) ?? checkOrder(line, draft, before) ?? checkValue(line, resolved);
    const labels = new Map(line.labels.map((label) => [label.name, label.value]));
    // Kept even when wrong, so that a TYPE line below is still seen to come too late.
    draft.samples.push({ name: line.name.value, labels, value: line.value.value, where: place(line.name) });
    return problem;
  }
}

function checkLabels(labels: readonly LabelToken[], draft: FamilyDraft): SampleProblem | undefined {
  const seen = new Set<string>();
  for (const label of labels) {
    if (isReservedLabel(label.name)) {
      const message = `labels that begin with __ such as ${label.name} belong to Prometheus itself`;
      return { code: 'reserved-label', message, at: label };
    }
    if (seen.has(label.name)) {
      // The Pushgateway refuses it too, save for `le` and `quantile`, of which it takes the last.
      const code = label.name === boundLabel(draft) ? 'repeated-part' : 'repeated-label';
      return { code, message: `the label ${label.name} stands twice in one sample`, at: label };
    }
    seen.add(label.name);
  }
  return undefined;
}

/**
 * Where the name stands inside the braces, the Pushgateway's parser makes ready for the labels of a histogram or summary
 * before it knows the name, by the line before. After a line of another metric it mixes the two up or breaks down.
 */
function checkOrder(line: SampleLine, draft: FamilyDraft, before: FamilyDraft | undefined): SampleProblem | undefined {
  if (!line.isBraced || boundLabel(draft) === undefined || before === draft) return undefined;
  return {
    code: 'scattered-family',
    message: `the lines of the ${draft.type} ${draft.name} do not stand together`,
    hint: 'the Pushgateway mixes a quoted histogram or summary up with the metric of the line before; move this line up',
    at: line.name,
  };
}

function checkValue(line: SampleLine, { draft, part }: Resolved): SampleProblem | undefined {
  const bound = boundLabel(draft);
  if (bound === undefined) return undefined;
  const others = line.labels.filter((label) => label.name !== bound).map((label) => [label.name, label.value]);
  return checkPart({
    draft,
    part,
    name: line.name,
    value: line.value,
    bound: line.labels.find((label) => label.name === bound),
    owner: JSON.stringify(others.sort()),
  });
}

/** Something wrong with a sample in the light of its family. */
interface SampleProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at: { readonly from: number; readonly to: number };
}

/** A sample of a histogram or summary, with the label that says which bucket or quantile it is. */
interface PartSample {
  readonly draft: FamilyDraft;
  readonly part: Part;
  readonly name: Token<string>;
  readonly value: Token<number>;
  readonly bound: LabelToken | undefined;
  /** The other labels, which say whose bucket or quantile it is. */
  readonly owner: string;
}

/** The label that sets buckets or quantiles apart in this family. */
function boundLabel(draft: FamilyDraft): 'le' | 'quantile' | undefined {
  if (isHistogram(draft.type)) return 'le';
  return draft.type === 'summary' ? 'quantile' : undefined;
}

/**
 * What is wrong with a part of a histogram or summary. The Pushgateway answers 200 to much of it and then loses the
 * value (a bucket without `le`) or keeps another (a count below zero becomes 1.8e19), so it is said here.
 */
function checkPart(sample: PartSample): SampleProblem | undefined {
  return sample.draft.type === 'summary' ? checkSummary(sample) : checkHistogram(sample);
}

function checkSummary(sample: PartSample): SampleProblem | undefined {
  const { draft, part, name, value, bound } = sample;
  if (bound !== undefined && parseFloat64(bound.value) === undefined) return badBound('quantile', bound);
  if (part !== 'plain') {
    if (bound !== undefined) return strayBound('quantile', part, bound);
    if (part === 'count' && !(value.value >= 0 && Number.isInteger(value.value))) {
      return { code: 'summary-count', message: 'the count of a summary is a whole number from 0 up', at: value };
    }
    return repeated(sample, part);
  }
  if (bound === undefined || !isNumber(bound)) {
    const message = `${draft.name} is a summary: its samples need a quantile, or end in _sum or _count`;
    return lost(message, 'write quantile="0.99", or say another type', bound ?? name);
  }
  return repeated(sample, `quantile ${parseFloat64(bound.value)}`);
}

function checkHistogram(sample: PartSample): SampleProblem | undefined {
  const { draft, part, name, value, bound } = sample;
  if (bound !== undefined && parseFloat64(bound.value) === undefined) return badBound('le', bound);
  if (part === 'plain') {
    const message = `${draft.name} is a histogram: its samples end in _bucket, _sum or _count`;
    return lost(message, 'add the ending, or say another type', name);
  }
  if (part !== 'bucket' && bound !== undefined) return strayBound('le', part, bound);
  if (part === 'sum') return repeated(sample, part);
  if (part === 'bucket' && !isNumber(bound)) {
    return lost('a bucket needs its upper bound', 'write le="0.5" or le="+Inf"', bound ?? name);
  }
  if (value.value < 0) {
    return { code: 'negative-bucket', message: `${name.value} counts, so it cannot be below 0`, at: value };
  }
  return repeated(sample, bound === undefined ? part : `bucket ${parseFloat64(bound.value)}`);
}

function isNumber(bound: LabelToken | undefined): boolean {
  return bound !== undefined && !Number.isNaN(parseFloat64(bound.value));
}

function badBound(label: string, at: LabelToken): SampleProblem {
  return { code: 'bound', message: `${label}=${JSON.stringify(at.value)} is not a number`, at };
}

function strayBound(label: string, part: Part, at: LabelToken): SampleProblem {
  return lost(`the _${part} has no ${label}`, `leave ${label} out`, at);
}

function lost(message: string, hint: string, at: SampleProblem['at']): SampleProblem {
  return { code: 'lost-sample', message, hint, at };
}

function repeated({ draft, name, owner }: PartSample, what: string): SampleProblem | undefined {
  const said = draft.parts.get(owner) ?? new Set();
  draft.parts.set(owner, said);
  if (!said.has(what)) {
    said.add(what);
    return undefined;
  }
  return { code: 'repeated-part', message: `the ${what} of ${draft.name} stands here a second time`, at: name };
}
