import { isAlias, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';

/** A file of promtool's tests whose rule files are named as they lie beside the servers' other files, and what it names in vain. */
export interface RewrittenTest {
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * Puts where rule files landed in the place of the paths a person wrote under `rule_files`. `landingsOf` answers with
 * the landings of one path or glob, relative to where the test will lie; none when no rule file of the stack is there.
 * Every line but those of `rule_files` stays where it is, so that places in the file stay right.
 */
export function rewriteRuleFiles(
  text: string,
  landingsOf: (path: string) => readonly string[],
  known: readonly string[],
): RewrittenTest {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  const written = document.get('rule_files', true);
  const resolved = isAlias(written) ? written.resolve(document) : written;
  if (!isNode(written) || !isSeq(resolved)) return { text, problems: [] };
  const landings: string[] = [];
  const problems: Problem[] = [];
  for (const [at, item] of resolved.items.entries()) {
    const path = isScalar(item) ? String(item.value) : '';
    const found = landingsOf(path);
    landings.push(...found);
    if (found.length === 0) problems.push(noRuleFile(path, ['rule_files', at], known));
  }
  const [from, to] = written.range ?? [0, 0];
  const lines = text.slice(from, to).split('\n').length - 1;
  const list = JSON.stringify([...new Set(landings)]);
  return { text: text.slice(0, from) + list + '\n'.repeat(lines) + text.slice(to), problems };
}

function noRuleFile(path: string, at: KeyPath, known: readonly string[]): Problem {
  const near = closest(path, known);
  return {
    code: 'no-rule-file',
    path: at,
    message: `${quoted(path)} is no rule file of this stack`,
    hint:
      near === undefined
        ? 'name a file that prometheus.rules in stack.yml names, relative to this file, or a shipped one as ../rules/NAME.yml'
        : `did you mean ${quoted(near)}?`,
  };
}
