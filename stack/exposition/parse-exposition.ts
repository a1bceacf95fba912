import type { Diagnostic, SourceRange } from '../diagnostic.ts';
import type { Family, LabelMap, NameScheme } from './family.ts';
import { FamilyBuilder, type FamilyDraft, type FamilyPlace } from './family-builder.ts';
import { readLine } from './read-line.ts';
import { checkConsistency, findWarnings } from './warnings.ts';

/** What the text is read for. */
export interface ExpositionOptions {
  /** The file's name as a person would type it, for places. */
  readonly file?: string;
  /** The names the receiving Pushgateway takes; those of old unless it runs with `--push.enable-utf8-names`. */
  readonly names?: NameScheme;
  /** The labels of the group it is pushed to, `job` among them: they replace labels of the same name. */
  readonly group?: LabelMap;
}

/** A text that can be pushed, or everything that is wrong with it. */
export type Exposition =
  | {
      readonly ok: true;
      readonly value: readonly Family[];
      /** The text to send: its last line ended. */
      readonly text: string;
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly error: readonly Diagnostic[] };

/**
 * Reads Prometheus's text format 0.0.4 as the Pushgateway takes it: by the grammar of its parser (prometheus/common,
 * expfmt/text_parse.go), then by the checks it makes on the whole (client_golang, Gatherers.Gather).
 *
 * Whatever passes here a Pushgateway takes, unless what it holds already stands against it. What is refused here it
 * refuses too, save for the codes that test/scenarios/exposition.test.ts lists, which holds this against a real one.
 */
export function parseExposition(text: string, options: ExpositionOptions = {}): Exposition {
  const { file = 'metrics', names = 'legacy', group = new Map() } = options;
  const assembly = new FamilyBuilder();
  const problems: Diagnostic[] = [];
  let offset = 0;
  for (const [index, content] of linesOf(text).entries()) {
    const place = placeIn({ file, line: index + 1, offset });
    const line = readLine(content, names);
    if (line.kind === 'wrong') problems.push(toDiagnostic(line.problem, place(line.problem)));
    const problem = assembly.add(line, place);
    if (problem !== undefined) problems.push(toDiagnostic(problem, place(problem.at)));
    offset += content.length + 1;
  }
  // A family without samples is none: the Pushgateway drops it before it looks any further.
  const families = [...assembly.drafts.byName.values()].filter((draft) => draft.samples.length > 0).map(toFamily);
  problems.push(...checkConsistency(families, group));
  if (problems.length > 0) return { ok: false, error: problems.sort(byPlace) };
  return { ok: true, value: families, text: endLastLine(text), warnings: findWarnings(families, group).sort(byPlace) };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function endLastLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function placeIn(start: { readonly file: string; readonly line: number; readonly offset: number }): FamilyPlace {
  return ({ from, to }): SourceRange => ({
    file: start.file,
    line: start.line,
    column: from + 1,
    offset: start.offset + from,
    length: Math.max(to - from, 1),
  });
}

function toFamily(draft: FamilyDraft): Family {
  const { name, type = 'untyped', help, samples, where } = draft;
  return { name, type, samples, where, ...(help === undefined ? {} : { help }) };
}

function toDiagnostic(
  { code, message, hint }: { readonly code: string; readonly message: string; readonly hint?: string | undefined },
  where: SourceRange,
): Diagnostic {
  return { severity: 'error', code, message, where, ...(hint === undefined ? {} : { hint }) };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.where?.offset ?? 0) - (b.where?.offset ?? 0);
}
