import { isAlias, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import * as z from 'zod';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { isNative, type Native } from '../values/native.ts';
import { expects, quoted } from '../values/words.ts';

const labels = z.record(z.string(), z.string({ error: expects('a text') }), { error: expects('a mapping of labels') });
const name = z.string({ error: expects('a text that names the test') }).min(1);

/** A file of tests of the routing tree and of what mutes what, in promstack's own format. */
export const testFileSchema = z.strictObject({
  routes: z
    .array(
      z.strictObject({
        name,
        /** As Alertmanager gets them: with Prometheus's external labels, where they matter. */
        labels,
        /** Everyone who is told, in any order. */
        receivers: z.array(z.string({ error: expects('a text') }), { error: expects('a list of receivers') }),
      }),
      { error: expects('a list of tests') },
    )
    .default([]),
  inhibit: z
    .array(
      z.strictObject({
        name,
        /** The alerts that fire at one time, each by its labels. */
        firing: z
          .array(labels, { error: expects('a list of alerts') })
          .min(1, { error: 'at least one alert is expected here' }),
        /** Those of them that nobody is told of, each by enough labels to know it; all others must not be muted. */
        muted: z.array(labels, { error: expects('a list of alerts') }),
      }),
      { error: expects('a list of tests') },
    )
    .default([]),
});

/** A file of tests as read, every default filled in. */
export type TestFile = z.infer<typeof testFileSchema>;
export type RouteTest = TestFile['routes'][number];
export type InhibitTest = TestFile['inhibit'][number];

/** The top keys of promtool's own format (cmd/promtool/unittest.go). */
const promtoolKeys: readonly string[] = [
  'rule_files',
  'evaluation_interval',
  'group_eval_order',
  'tests',
  'fuzzy_compare',
  'start_timestamp',
];
const ownKeys: readonly string[] = ['routes', 'inhibit'];

/** What a YAML file in the folder of tests is; `unlike` is nothing that promstack or promtool runs. */
type TestFileKind = 'promtool' | 'own' | 'both' | 'unlike';

/** Tells by its top keys what a file is; a key one slip away from one of ours makes it ours, so that the slip is told. */
export function testFileKind(content: unknown): TestFileKind {
  if (!isNative(content)) return 'unlike';
  const has = (keys: readonly string[]): boolean => Object.keys(content).some((key) => keys.includes(key));
  if (has(ownKeys)) return has(promtoolKeys) ? 'both' : 'own';
  if (has(promtoolKeys)) return 'promtool';
  return isNearly(content, ownKeys) ? 'own' : isNearly(content, promtoolKeys) ? 'promtool' : 'unlike';
}

function isNearly(content: Native, keys: readonly string[]): boolean {
  return Object.keys(content).some((key) => closest(key, keys, 2) !== undefined);
}

/** Labels as an alert's are written: `{severity="critical", team="db"}`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}

/** `a, b and c`; `nobody` for none. */
export function inList(names: readonly string[], none = 'nobody'): string {
  if (names.length < 2) return names[0] ?? none;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

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
