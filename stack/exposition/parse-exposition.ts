import type { Diagnostic } from '../diagnostic.ts';
import type { Family, LabelMap, NameScheme } from './family.ts';
import { FamilyBuilder, type RangeInFile } from './family-builder.ts';
import { readLine } from './read-line.ts';
import { checkConsistency, findWarnings } from './warnings.ts';

export interface ExpositionOptions {
  /** The file's name for diagnostics. */
  readonly file?: string | undefined;
  /** The names the Pushgateway accepts: classic ones, unless it runs with `--push.enable-utf8-names`. */
  readonly names?: NameScheme | undefined;
  /** The labels of the target group, including `job`, which override labels of the same name. */
  readonly group?: LabelMap | undefined;
}

/** A text that can be pushed, or all its problems. */
export type Exposition =
  | {
      readonly ok: true;
      readonly value: readonly Family[];
      /** The text to send, with a line feed at its end. */
      readonly text: string;
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly error: readonly Diagnostic[] };

/**
 * Parses Prometheus's text format 0.0.4 like the Pushgateway: by the grammar of its parser (prometheus/common, expfmt/text_parse.go), then
 * by its consistency checks (client_golang, Gatherers.Gather).
 *
 * The Pushgateway accepts whatever is valid here, unless it conflicts with stored groups. It rejects whatever is invalid here, except for
 * the codes in test/scenarios/exposition.test.ts, which compares the two.
 */
export function parseExposition(text: string, options: ExpositionOptions = {}): Exposition {
  const { file = 'metrics', names = 'legacy', group = new Map() } = options;
  const builder = new FamilyBuilder();
  const problems: Diagnostic[] = [];
  let offset = 0;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, content] of lines.entries()) {
    const start = offset;
    const rangeOf: RangeInFile = ({ from, to }) => {
      return { file, line: index + 1, column: from + 1, offset: start + from, length: Math.max(to - from, 1) };
    };
    const line = readLine(content, names);
    if (line.kind === 'wrong') {
      const { code, message, hint } = line.problem;
      problems.push({ severity: 'error', code, message, where: rangeOf(line.problem), hint });
    }
    const problem = builder.add(line, rangeOf);
    if (problem !== undefined) {
      const { code, message, hint, at } = problem;
      problems.push({ severity: 'error', code, message, where: rangeOf(at), hint });
    }
    offset += content.length + 1;
  }
  // The Pushgateway drops families without samples before its checks.
  const families = [...builder.drafts.values()]
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type = 'untyped', help, samples, where }): Family => ({ name, type, samples, where, help }));
  problems.push(...checkConsistency(families, group));
  if (problems.length > 0) return { ok: false, error: problems.sort(byOffset) };
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return { ok: true, value: families, text: ended, warnings: findWarnings(families, group).sort(byOffset) };
}

function byOffset(a: Diagnostic, b: Diagnostic): number {
  return (a.where?.offset ?? 0) - (b.where?.offset ?? 0);
}
