import type { KeyPath } from '../diagnostic.ts';
import type { CheckFinding, RenderedFile } from '../model.ts';
import { explainCrash, parseGoMessage } from '../values/go-messages.ts';
import { isMapping, mappingsIn, valueAt } from '../values/mapping.ts';
import { parseYaml } from '../values/parse.ts';

/** The problems in the output of `promtool check config`; `files` are those it read. */
export function explainPromtool(output: string, files: readonly RenderedFile[] = []): readonly CheckFinding[] {
  const last = [...output.matchAll(/^Checking CONFIG\/(\S+?)(?=panic:|$)/gm)].at(-1)?.[1];
  const crash = explainCrash(
    'promtool',
    output,
    files.find(({ path }) => path === last),
  );
  if (crash !== undefined) return crash;
  const findings: RuleFinding[] = [];
  let path: string | undefined;
  let isLint = false;
  for (const line of withoutFeatureWarnings(output).split('\n')) {
    const [, checking] = /^Checking CONFIG\/(.+)$/.exec(line) ?? [];
    const [, invalid] = /CONFIG\/(\S+): yaml: unmarshal errors:$/.exec(line) ?? [];
    path = checking ?? invalid ?? path;
    if (checking !== undefined) isLint = false;
    else if (line.startsWith('lint error ')) isLint = true;
    if (checking !== undefined || isLint || isProgress(line)) continue;
    findings.push(toFinding(line, path));
  }
  // promtool reads rule files twice, and reports some problems twice.
  const keyOf = ({ path, line, message }: CheckFinding): string => `${path}:${line}:${message}`;
  const placed = findings.map(({ rule, ...finding }): CheckFinding => {
    const file = files.find(({ path }) => path === finding.path);
    if (finding.line !== undefined || rule === undefined || file === undefined) return finding;
    return { ...finding, at: keysOf(rule, parseYaml(file.content)) };
  });
  return [...new Map(placed.map((finding) => [keyOf(finding), finding])).values()];
}

/** A part of a rule file, as promtool names it. */
interface RulePart {
  readonly group: string | undefined;
  /** Counts from 1; absent for the group itself. */
  readonly rule?: number | undefined;
  /** Keys in the rule or group. */
  readonly keys: readonly string[];
}

type RuleFinding = CheckFinding & { readonly rule?: RulePart | undefined };

/** The keys that lead to a part of a rule file: in the last group of that name, or in the first that has them. */
function keysOf({ group, rule, keys }: RulePart, content: unknown): KeyPath | undefined {
  const groups = mappingsIn(isMapping(content) ? content['groups'] : undefined, ['groups']);
  const inner = [...(rule === undefined ? [] : ['rules', rule - 1]), ...keys];
  const part =
    group === undefined
      ? groups.find(({ value }) => valueAt(value, inner) !== undefined)
      : groups.findLast(({ value }) => String(value['name'] ?? '') === group);
  return part && [...part.path, ...inner];
}

/** The label or annotation that a message is about. */
function keysIn(problem: string): readonly string[] {
  const [, kind = '', key = ''] =
    /^invalid (label|annotation) name: ?(.*)$/s.exec(problem) ?? /^(label|annotation) "(.*?)": /.exec(problem) ?? [];
  return kind === '' ? [] : [`${kind}s`, key];
}

/** What the parser says of syntax that is not enabled, and the feature that enables it. */
const gated: readonly (readonly [RegExp, string])[] = [
  [/function ".*" is not enabled|must be enabled with --enable-feature=/, 'promql-experimental-functions'],
  [/(?:anchored|smoothed) modifier is experimental and not enabled/, 'promql-extended-range-selectors'],
  [/fill modifiers are experimental and not enabled/, 'promql-binop-fill-modifiers'],
  [/duration expression is not enabled/, 'promql-duration-expr'],
];

/** The findings with a hint at the feature that an expression needs; `features` are those that promtool was started with. */
export function withFeatureHints(
  findings: readonly CheckFinding[],
  features: readonly string[],
): readonly CheckFinding[] {
  return findings.map((finding) => {
    const feature = gated.find(([pattern]) => pattern.test(finding.message))?.[1];
    if (feature === undefined) return finding;
    const hint = features.includes(feature)
      ? `the server accepts it, with ${feature}, but promtool of this image does not: remove the test of this expression`
      : `add --enable-feature=${feature} to prometheus.extra_args, if the version of the image has it`;
    return { ...finding, hint };
  });
}

/** promtool prints these about features that only the server knows, without a line end. */
export function withoutFeatureWarnings(output: string): string {
  return output.replaceAll(/ {2}WARNING: Unknown feature passed to --enable-feature: promql-[a-z-]+/g, '');
}

/** A message that starts with its file, and maybe a location in it: `CONFIG/rules/a.yml: 5:15: …`. */
const located = /^CONFIG\/(.+?): (?:(\d+):(\d+): )?(?:\d+:\d+: )?(.*)$/;
/** A message about a rule; the location `0:0` means none. */
const ofRule = /^group "(.*?)", rule (\d+), "(.*?)": (.*)$/s;

/** A line with a problem; `currentFile` is for messages without a file. */
function toFinding(printed: string, currentFile: string | undefined): RuleFinding {
  const failure = printed.trim().replace(/^FAILED: /, '');
  const [, parsed, unprefixed = failure] = /^parsing YAML file CONFIG\/(\S+): (.*)$/.exec(failure) ?? [];
  const [, path = parsed ?? currentFile, line = '0', column = '0', message = unprefixed] =
    located.exec(unprefixed) ?? [];
  const finding = rewrite(message.replaceAll('CONFIG/', ''));
  if (line === '0') return { ...finding, path };
  return { ...finding, path, line: finding.line ?? Number(line), column: Number(column) };
}

function rewrite(message: string): Omit<RuleFinding, 'path'> {
  const [, group, number, name, problem] = ofRule.exec(message) ?? [];
  if (problem !== undefined) {
    const rule = name === '' ? `rule ${number}` : `rule ${name}`;
    const text = problem.replace(parseError, 'at $1 of the expression: ');
    return {
      message: `${rule} of group ${group}: ${text}`,
      about: name === '' ? undefined : name,
      rule: { group, rule: Number(number), keys: keysIn(problem) },
    };
  }
  const [, repeated] = /^groupname: "(.*)" is repeated in the same file$/.exec(message) ?? [];
  if (repeated !== undefined) {
    const rule = { group: repeated, keys: ['name'] };
    return { message: `there are two groups named ${repeated} in one file`, about: `name: ${repeated}`, rule };
  }
  if (message === 'Groupname must not be empty') return { message, rule: { group: '', keys: [] } };
  const keys = keysIn(message);
  if (keys.length > 0) return { message, rule: { group: undefined, keys } };
  for (const [pattern, about] of searchTexts) {
    const match = pattern.exec(message);
    if (match !== null) return { message, about: about(match[1] ?? '') };
  }
  return parseGoMessage(message);
}

/** Messages that quote a value, and how the file contains it. */
const searchTexts: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/\bwith job name "(.*)"$/, (job) => `job_name: ${job}`],
  [/^"(.*)" is not a valid hostname$/, (host) => host],
  [/^unknown relabel action "(.*)"$/, (action) => action],
  [/^unsupported scheme "(.*)"/, (scheme) => scheme],
];

const parseError = /^could not parse expression: (\d+:\d+): parse error: /;

/** Whether a line is about no problem; a warning does not make the check fail. */
function isProgress(line: string): boolean {
  return line.trim() === '' || /^\s*(?:SUCCESS\b|WARNING: |FAILED:\s*$)/.test(line) || /unmarshal errors:$/.test(line);
}
