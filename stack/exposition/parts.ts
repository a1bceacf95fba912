import { isHistogram } from './family.ts';
import type { Draft, Part } from './family-builder.ts';
import { parseFloat64 } from './float.ts';
import type { LabelPiece, Piece } from './read-line.ts';

/** Something wrong with a sample in the light of its family. */
export interface SampleProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at: { readonly from: number; readonly to: number };
}

/** A sample of a histogram or summary, with the label that says which bucket or quantile it is. */
interface PartSample {
  readonly draft: Draft;
  readonly part: Part;
  readonly name: Piece<string>;
  readonly value: Piece<number>;
  readonly bound: LabelPiece | undefined;
  /** The other labels, which say whose bucket or quantile it is. */
  readonly owner: string;
}

/** The label that sets buckets or quantiles apart in this family. */
export function boundLabel(draft: Draft): 'le' | 'quantile' | undefined {
  if (isHistogram(draft.type)) return 'le';
  return draft.type === 'summary' ? 'quantile' : undefined;
}

/**
 * What is wrong with a part of a histogram or summary. The Pushgateway answers 200 to much of it and then loses the
 * value (a bucket without `le`) or keeps another (a count below zero becomes 1.8e19), so it is said here.
 */
export function checkPart(sample: PartSample): SampleProblem | undefined {
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

function isNumber(bound: LabelPiece | undefined): boolean {
  return bound !== undefined && !Number.isNaN(parseFloat64(bound.value));
}

function badBound(label: string, at: LabelPiece): SampleProblem {
  return { code: 'bound', message: `${label}=${JSON.stringify(at.value)} is not a number`, at };
}

function strayBound(label: string, part: Part, at: LabelPiece): SampleProblem {
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
