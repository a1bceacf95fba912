import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { CheckFinding, FilledLines, RenderedFile } from '../../stack/model.ts';
import { isCollection, listOf, valueAt } from '../../stack/values/mapping.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { Rendering } from '../render/rendering.ts';
import { revealed } from '../render/show.ts';

/** The tool that reported a finding, and the files that it checked. */
interface DiagnoseContext {
  readonly tool: string;
  readonly service: string;
  readonly files: readonly RenderedFile[];
  readonly rendering: Rendering;
}

/** Maps a finding in a rendered file to its source: a file of the user's or a key of stack.yml. */
export function diagnose(finding: CheckFinding, { tool, service, files, rendering }: DiagnoseContext): Diagnostic {
  const file = findFile(finding.path, files);
  const line = file === undefined ? undefined : lineOf(finding, file);
  const where = file === undefined || line === undefined ? undefined : placeOf(finding, file, line, rendering);
  const { hint } = finding;
  const error = { severity: 'error', code: 'check-failed', hint } as const;
  if (where !== undefined) return { ...error, message: `${tool}: ${finding.message}`, where };
  if (file === undefined) return { ...error, message: `${tool} in ${service}: ${finding.message}` };
  if (file.isVerbatim === true) return { ...error, message: `${file.origin}: ${tool}: ${finding.message}` };
  const name = `${service}/${file.path}${line === undefined ? '' : ` line ${line}`}`;
  return {
    ...error,
    message: `${tool}: ${finding.message}, in ${name}`,
    hint:
      hint ??
      `promstack render --service ${service} shows the file, which is rendered from ${file.origin} and stack.yml`,
  };
}

/** Some tools print only the last part of a path. */
function findFile(path: string | undefined, files: readonly RenderedFile[]): RenderedFile | undefined {
  if (path === undefined) return undefined;
  const exact = files.find((file) => file.path === path);
  if (exact !== undefined) return exact;
  const candidates = files.filter((file) => file.path.endsWith(`/${path}`));
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** The line that the tool reports, else the first line with the text that the finding is about. */
function lineOf({ line, about }: CheckFinding, file: RenderedFile): number | undefined {
  const lines = revealed(file).split('\n');
  // Some tools count one line more than there is.
  if (line !== undefined) return Math.min(line, lines.length);
  if (about === undefined || about.trim() === '') return undefined;
  const at = lines.findIndex((text) => startOf(text, about) !== -1);
  return at === -1 ? undefined : at + 1;
}

function placeOf(
  finding: CheckFinding,
  file: RenderedFile,
  line: number,
  { locate, config }: Rendering,
): SourceRange | undefined {
  if (file.isVerbatim === true) return placeInFile(finding, file, line);
  const part = file.filled?.findLast(({ from, to }) => from <= line && line <= to);
  return part === undefined || locate === undefined
    ? undefined
    : placeInStack(file, part, line, finding.about, config, locate);
}

function placeInFile({ column, about }: CheckFinding, file: RenderedFile, line: number): SourceRange {
  const lines = revealed(file).split('\n');
  const text = (lines[line - 1] ?? '').trimEnd();
  const offset = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  const begin = Math.max(startOf(text, about), 0) || Math.max(text.search(/\S/), 0);
  const from = column === undefined ? begin : Math.min(column - 1, Math.max(0, text.length - 1));
  const isAbout = about !== undefined && text.startsWith(about, from);
  const length = Math.max(1, isAbout ? about.length : text.length - from);
  return { file: file.origin, line, column: from + 1, offset: offset + from, length };
}

/** The index of a whole word in a line, or -1. */
function startOf(line: string, text: string | undefined): number {
  if (text === undefined) return -1;
  for (let at = line.indexOf(text); at !== -1; at = line.indexOf(text, at + 1)) {
    if (isWordBorder(line, at) && isWordBorder(line, at + text.length)) return at;
  }
  return -1;
}

/** Whether a word starts or ends at an index. */
function isWordBorder(line: string, at: number): boolean {
  return !/^[\w-]{2}$/.test(line.slice(Math.max(0, at - 1), at + 1));
}

/** The place in stack.yml of a line of a rendered file. */
function placeInStack(
  file: RenderedFile,
  part: FilledLines,
  line: number,
  about: string | undefined,
  config: StackConfig,
  locate: LoadedStack['locate'],
): SourceRange | undefined {
  const value = valueAt(config, part.path);
  if (!isCollection(value)) return locate(part.path);
  const lines = revealed(file).split('\n');
  const [first = '', ...rest] = lines.slice(part.from - 1, part.to);
  // A mapping that is a list item begins after the dash.
  const begin = Array.isArray(value) ? first : first.replace(/^[ -]*/, (dashes) => ' '.repeat(dashes.length));
  const inner = pathAtLine([begin, ...rest].join('\n'), line - part.from + 1, value);
  return locate([...part.path, ...inner], inner.at(-1) === about);
}

/**
 * The path of keys in a value of stack.yml that leads to a line of the YAML text it was rendered to. A list may have items of
 * promstack's own in front of the user's, such as the route of the pipeline check.
 */
function pathAtLine(text: string, line: number, value: unknown): KeyPath {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, logLevel: 'silent', prettyErrors: false });
  const lineOf = (node: unknown): number => counter.linePos((node as Node | null)?.range?.[0] ?? 0).line;

  const descend = (node: unknown, written: unknown): KeyPath => {
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => lineOf(key) <= line);
      if (pair === undefined || !isScalar(pair.key)) return [];
      const key = String(pair.key.value);
      return [key, ...descend(pair.value, valueAt(written, [key]))];
    }
    if (!isSeq(node)) return [];
    const index = node.items.findLastIndex((item) => lineOf(item) <= line);
    const at = index - (node.items.length - listOf(written).length);
    return at < 0 ? [] : [at, ...descend(node.items[index], valueAt(written, [at]))];
  };
  return descend(document.contents, value);
}
