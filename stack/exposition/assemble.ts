import type { SourceRange } from '../diagnostic.ts';
import type { MetricType } from './family.ts';
import { type Draft, Drafts, type Resolved } from './family-builder.ts';
import { isReservedLabel } from './names.ts';
import { boundLabel, checkPart, type SampleProblem } from './parts.ts';
import type { LabelPiece, Line, Piece } from './read-line.ts';

/** Columns of a line, from 0, as a place in the file. */
export type Place = (piece: { readonly from: number; readonly to: number }) => SourceRange;

type SampleLine = Extract<Line, { kind: 'sample' }>;

/** Puts lines together to families, in their order; answers with what is wrong with a line in the light of those before. */
export class Assembly {
  readonly drafts = new Drafts();

  add(line: Line, place: Place): SampleProblem | undefined {
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

  #addHelp(name: Piece<string>, help: string, place: Place): SampleProblem | undefined {
    const { draft } = this.drafts.resolve(name.value, place(name));
    if (draft.help !== undefined) {
      const message = `${draft.name} has a HELP line already`;
      return { code: 'second-help', message, hint: 'one HELP line for each metric', at: name };
    }
    draft.help = help;
    return undefined;
  }

  #addType(name: Piece<string>, type: MetricType, place: Place): SampleProblem | undefined {
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

  #addSample(line: SampleLine, place: Place): SampleProblem | undefined {
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

function checkLabels(labels: readonly LabelPiece[], draft: Draft): SampleProblem | undefined {
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
function checkOrder(line: SampleLine, draft: Draft, before: Draft | undefined): SampleProblem | undefined {
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
