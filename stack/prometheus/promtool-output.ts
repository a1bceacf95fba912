import type { CheckFinding } from '../model.ts';
import { parseGoMessage } from '../values/go-words.ts';

/** One finding for each problem `promtool check config` printed, without its progress lines. */
export function explainPromtool(output: string): readonly CheckFinding[] {
  const findings: CheckFinding[] = [];
  let path: string | undefined;
  let isLint = false;
  for (const line of output.split('\n')) {
    const [, checking] = /^Checking CONFIG\/(.+)$/.exec(line) ?? [];
    const [, before] = /CONFIG\/(\S+): yaml: unmarshal errors:$/.exec(line) ?? [];
    path = checking ?? before ?? path;
    if (checking !== undefined) isLint = false;
    else if (line.startsWith('lint error ')) isLint = true;
    if (checking !== undefined || isLint || isProgress(line)) continue;
    findings.push(toFinding(line, path));
  }
  return unique(findings);
}

/** Where a sentence begins with the file it is about, and maybe a place in it: `CONFIG/rules/a.yml: 5:15: …`. */
const named = /^CONFIG\/(.+?): (?:(\d+):(\d+): )?(?:\d+:\d+: )?(.*)$/;
/** What a rule's problem begins with; `0:0` is the place of what has none. */
const ofRule = /^group "(.*?)", rule (\d+), "(.*?)": (.*)$/s;

/** A line that tells a problem; `section` is the file that is being read, for lines that name none. */
function toFinding(printed: string, section: string | undefined): CheckFinding {
  const failed = printed.trim().replace(/^FAILED: /, '');
  const [, parsed, said = failed] = /^parsing YAML file CONFIG\/(\S+): (.*)$/.exec(failed) ?? [];
  const [, path = parsed ?? section, line = '0', column = '0', sentence = said] = named.exec(said) ?? [];
  const place = {
    ...(path === undefined ? {} : { path }),
    ...(line === '0' ? {} : { line: Number(line), column: Number(column) }),
  };
  return { ...place, ...inWords(sentence.replaceAll('CONFIG/', '')) };
}

function inWords(sentence: string): Omit<CheckFinding, 'path'> {
  const [, group, number, name, problem] = ofRule.exec(sentence) ?? [];
  if (problem !== undefined) {
    const rule = name === '' ? `rule ${number}` : `rule ${name}`;
    const about = name === '' ? {} : { about: name as string };
    return {
      ...about,
      message: `${rule} of group ${group}: ${problem.replace(parseError, 'at $1 of the expression: ')}`,
    };
  }
  const [, repeated] = /^groupname: "(.*)" is repeated in the same file$/.exec(sentence) ?? [];
  if (repeated !== undefined) {
    return { message: `there are two groups named ${repeated} in one file`, about: `name: ${repeated}` };
  }
  for (const [pattern, about] of abouts) {
    const match = pattern.exec(sentence);
    if (match !== null) return { message: sentence, about: about(match[1] ?? '') };
  }
  return parseGoMessage(sentence);
}

/** Sentences that name what they are about, and how that is written in the file. */
const abouts: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/\bwith job name "(.*)"$/, (job) => `job_name: ${job}`],
  [/^"(.*)" is not a valid hostname$/, (host) => host],
  [/^unknown relabel action "(.*)"$/, (action) => action],
  [/^unsupported scheme "(.*)"/, (scheme) => scheme],
];

const parseError = /^could not parse expression: (\d+:\d+): parse error: /;

/** Whether a line only says what promtool does, or opens a paragraph. */
function isProgress(line: string): boolean {
  return (
    line.trim() === '' || /^\s*SUCCESS\b/.test(line) || /^\s*FAILED:\s*$/.test(line) || /unmarshal errors:$/.test(line)
  );
}

/** promtool reads rule files twice, and then tells some problems twice. */
function unique(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  const keyOf = ({ path, line, message }: CheckFinding): string => `${path}:${line}:${message}`;
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()];
}
