import { isAlias, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import * as z from 'zod';
import { type InhibitRule, isMuted } from './alertmanager/inhibition.ts';
import { type Labels, labelOf } from './alertmanager/matcher.ts';
import { nameHint } from './alertmanager/route-problems.ts';
import { type Route, routeOf } from './alertmanager/routing-tree.ts';
import type { Problem } from './diagnostic.ts';
import { closest } from './values/closest.ts';
import { isMapping, mappingsIn } from './values/mapping.ts';
import { andList, expects, quoted } from './values/words.ts';

const string = z.string({ error: expects('a string') });
const labels = z.record(z.string(), string, { error: expects('a mapping of labels') });
const alerts = z.array(labels, { error: expects('a list of alerts') });
const name = z.string({ error: expects('a string that names the test') }).min(1);

/** A file of tests of routes and inhibit rules: in promstack's own format, and below `tests` in the one proposed for amtool. */
export const testFileSchema = z.strictObject({
  routes: z
    .array(
      z.strictObject({
        name,
        /** As Alertmanager gets them, including Prometheus's external labels where they matter. */
        labels,
        /** All receivers that are notified, in any order. */
        receivers: z.array(string, { error: expects('a list of receivers') }),
      }),
      { error: expects('a list of tests') },
    )
    .default([]),
  inhibit: z
    .array(
      z.strictObject({
        name,
        /** The labels of alerts that fire at the same time. */
        firing: alerts.min(1, { error: 'expected at least one alert' }),
        /** The muted ones, each by enough labels to identify it; all others must not be muted. */
        muted: alerts,
      }),
      { error: expects('a list of tests') },
    )
    .default([]),
  tests: z
    .array(
      z.strictObject({
        name,
        /** They fire at the same time. */
        alerts: z
          .array(
            z.strictObject({
              labels,
              /** All receivers that are notified, in any order; absent means any. */
              expected_receivers: z.array(string, { error: expects('a list of receivers') }).optional(),
              expected_inhibited: z.boolean({ error: expects('true or false') }).default(false),
            }),
            { error: expects('a list of alerts') },
          )
          .min(1, { error: 'expected at least one alert' }),
      }),
      { error: expects('a list of tests') },
    )
    .default([]),
});

/** A parsed test file with all defaults. */
export type TestFile = z.infer<typeof testFileSchema>;
type RouteTest = TestFile['routes'][number];
type InhibitTest = TestFile['inhibit'][number];
type AlertTest = TestFile['tests'][number];

/** The top-level keys of promtool's own format (cmd/promtool/unittest.go). */
const promtoolKeys: readonly string[] = [
  'rule_files',
  'evaluation_interval',
  'group_eval_order',
  'tests',
  'fuzzy_compare',
  'start_timestamp',
];
const ownKeys: readonly string[] = ['routes', 'inhibit'];

type TestFileKind = 'promtool' | 'own' | 'both' | 'unknown';

/**
 * The format of a YAML file in the tests folder, by its top-level keys; probable typos of them count when the file has no other keys, so
 * that they are reported. Other programs have files of tests too.
 */
export function testFileKind(content: unknown): TestFileKind {
  if (!isMapping(content)) return 'unknown';
  const keys = Object.keys(content);
  const has = (known: readonly string[]): boolean => keys.some((key) => known.includes(key));
  const isOnly = (known: readonly string[]): boolean =>
    keys.length > 0 && keys.every((key) => known.includes(key) || closest(key, known, 2) !== undefined);
  const hasAlerts = hasItemsLike(content['tests'], ['alerts']);
  const isOwn = hasAlerts || isOnly(ownKeys) || ownKeys.some((key) => hasItemsLike(content[key], ownItemKeys));
  const isPromtool =
    has(promtoolKeys.filter((key) => key !== 'tests')) ||
    (!hasAlerts && isOnly(promtoolKeys)) ||
    hasItemsLike(content['tests'], promtoolItemKeys);
  if (isOwn) return isPromtool ? 'both' : 'own';
  if (isPromtool) return has(ownKeys) ? 'both' : 'promtool';
  return 'unknown';
}

const ownItemKeys: readonly string[] = ['labels', 'receivers', 'firing', 'muted'];
const promtoolItemKeys: readonly string[] = ['input_series', 'alert_rule_test', 'promql_expr_test'];

/** Whether a list has a mapping with one of some keys, or a probable typo of one. */
function hasItemsLike(list: unknown, keys: readonly string[]): boolean {
  return mappingsIn(list, []).some(({ value }) =>
    Object.keys(value).some((key) => keys.includes(key) || closest(key, keys, 2) !== undefined),
  );
}

/** Whether a text that is not valid YAML looks like a test file: it has one of the top-level keys. */
export function resemblesTestFile(text: string): boolean {
  return [...text.matchAll(/^(?:"|')?(\w+)(?:"|')?\s*:/gm)].some(
    ([, key = '']) => ownKeys.includes(key) || promtoolKeys.includes(key),
  );
}

/**
 * A promtool test file with its `rule_files` replaced by rendered paths. `targetsOf` returns the rendered paths of a path or glob,
 * relative to the rendered test file; none when it matches no rule file of the stack. Line numbers stay.
 */
export function rewriteRuleFiles(
  text: string,
  targetsOf: (path: string) => readonly string[],
  known: readonly string[],
): { readonly text: string; readonly problems: readonly Problem[] } {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  const node = document.get('rule_files', true);
  const resolved = isAlias(node) ? node.resolve(document) : node;
  if (!isNode(node) || !isSeq(resolved)) return { text, problems: [] };
  const paths = resolved.items.map((item) => (isScalar(item) ? String(item.value) : ''));
  const problems = paths.flatMap((path, at): readonly Problem[] => {
    if (targetsOf(path).length > 0) return [];
    if (/[*?[]/.test(path)) {
      const message = `no rule file of this stack matches ${quoted(path)}`;
      return [{ code: 'no-rule-file', severity: 'warning', path: ['rule_files', at], message }];
    }
    const near = closest(path, known);
    const hint =
      near === undefined
        ? 'use a path of prometheus.rules in stack.yml, relative to this file, or a shipped rule file as ../rules/NAME.yml'
        : `did you mean ${quoted(near)}?`;
    const message = `${quoted(path)} is not a rule file of this stack`;
    return [{ code: 'no-rule-file', path: ['rule_files', at], message, hint }];
  });
  const [from, to] = node.range ?? [0, 0];
  const lines = text.slice(from, to).split('\n').length - 1;
  const list = JSON.stringify([...new Set(paths.flatMap(targetsOf))]);
  return { text: text.slice(0, from) + list + '\n'.repeat(lines) + text.slice(to), problems };
}

/** Failed tests of routes, and tests of undefined receivers; paths are inside their file. */
export function routeTestProblems(
  tests: readonly RouteTest[],
  root: Route,
  receivers: readonly string[],
): readonly Problem[] {
  return tests.flatMap(({ name, ...test }, at) =>
    receiverProblems({ title: `route test ${quoted(name)}`, ...test }, root, receivers, ['routes', at, 'receivers']),
  );
}

/** `path` leads to the receivers that are expected for these labels. */
function receiverProblems(
  { title, labels, receivers: expected }: Omit<RouteTest, 'name'> & { readonly title: string },
  root: Route,
  known: readonly string[],
  path: Problem['path'],
): readonly Problem[] {
  const unknown = expected.flatMap((receiver, index): readonly Problem[] => {
    if (known.includes(receiver)) return [];
    const message = `unknown receiver ${quoted(receiver)}`;
    const hint = nameHint(receiver, known, 'the stack defines no receivers');
    return [{ code: 'unknown-receiver', path: [...path, index], message, hint }];
  });
  if (unknown.length > 0) return unknown;
  const { certain, possible } = routeOf(root, { ...absentLabels(root), ...labels });
  if (possible.length > certain.length) return [unsupportedRegExp(title, path)];
  const isSame = certain.length === new Set(expected).size && certain.every((receiver) => expected.includes(receiver));
  if (isSame) return [];
  const message = `${title} failed: ${labelsText(labels)} should notify ${andList(expected, 'nobody')}, but notifies ${andList(certain, 'nobody')}`;
  return [{ code: 'test-failed', path, message }];
}

function unsupportedRegExp(test: string, path: Problem['path']): Problem {
  const message = `${test} was not run: it depends on a regular expression that only Alertmanager can evaluate`;
  return { code: 'could-not-check', severity: 'warning', path, message, hint: 'simplify the matcher' };
}

/** All labels that routes match on, as empty strings: to a matcher an absent label is empty. */
function absentLabels(root: Route): Labels {
  const names = [
    ...root.matchers.map(({ name }) => [name, '']),
    ...root.routes.flatMap((route) => Object.entries(absentLabels(route))),
  ];
  return Object.fromEntries(names);
}

/** Failed tests of inhibit rules, and tests of alerts that do not fire in them. */
export function inhibitTestProblems(tests: readonly InhibitTest[], rules: readonly InhibitRule[]): readonly Problem[] {
  return tests.flatMap((test, at) => {
    const unknown = test.muted.flatMap((labels, index): readonly Problem[] => {
      if (test.firing.some((alert) => hasLabels(alert, labels))) return [];
      const message = `no alert under "firing" has the labels ${labelsText(labels)}`;
      const hint = 'under "muted", use labels of alerts under "firing"';
      return [{ code: 'no-such-alert', path: ['inhibit', at, 'muted', index], message, hint }];
    });
    return unknown.length > 0 ? unknown : assessInhibition(test, rules, at);
  });
}

function assessInhibition(
  { name, firing, muted }: InhibitTest,
  rules: readonly InhibitRule[],
  at: number,
): readonly Problem[] {
  const path = ['inhibit', at, 'muted'];
  const actual = firing.map((alert) => isMuted(alert, firing, rules));
  if (actual.includes(undefined)) return [unsupportedRegExp(`inhibit test ${quoted(name)}`, path)];
  const should = firing.map((alert) => muted.some((labels) => hasLabels(alert, labels)));
  if (should.every((isMutedHere, index) => isMutedHere === actual[index])) return [];
  const list = (chosen: readonly (boolean | undefined)[]): string =>
    andList(firing.filter((_, index) => chosen[index] === true).map(labelsText), 'nothing');
  const message = `inhibit test ${quoted(name)} failed: it should mute ${list(should)}, but mutes ${list(actual)}`;
  return [{ code: 'test-failed', path, message }];
}

/** Failed tests of alerts that fire together: the receivers of each, and whether the others mute it. */
export function alertTestProblems(
  tests: readonly AlertTest[],
  root: Route,
  rules: readonly InhibitRule[],
  receivers: readonly string[],
): readonly Problem[] {
  return tests.flatMap(({ name, alerts }, at) => {
    const firing = alerts.map((alert) => alert.labels);
    return alerts.flatMap((alert, index): readonly Problem[] => {
      const path = ['tests', at, 'alerts', index];
      const title = `test ${quoted(name)}`;
      const { expected_receivers: expected, expected_inhibited: shouldBeMuted } = alert;
      const routed =
        expected === undefined
          ? []
          : receiverProblems({ title, labels: alert.labels, receivers: expected }, root, receivers, [
              ...path,
              'expected_receivers',
            ]);
      const isMutedHere = isMuted(alert.labels, firing, rules);
      if (isMutedHere === shouldBeMuted) return routed;
      const mutedPath = [...path, 'expected_inhibited'];
      if (isMutedHere === undefined) return [...routed, unsupportedRegExp(title, mutedPath)];
      const message = `${title} failed: ${labelsText(alert.labels)} should ${shouldBeMuted ? '' : 'not '}be inhibited, but is${isMutedHere ? '' : ' not'}`;
      return [...routed, { code: 'test-failed', path: mutedPath, message }];
    });
  });
}

function hasLabels(alert: Labels, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => labelOf(alert, name) === value);
}

/** `{severity="critical", team="db"}`. */
function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
