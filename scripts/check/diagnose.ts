import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import { withStore } from '../../stack/long-term/store.ts';
import type { CheckFinding, FilledLines, RenderedFile } from '../../stack/model.ts';
import { isCollection, listOf, valueAt } from '../../stack/values/mapping.ts';
import { readYaml } from '../config/yaml-source.ts';
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
export function diagnose(finding: CheckFinding, context: DiagnoseContext): Diagnostic {
  return place({ ...finding, message: shortened(finding.message) }, context);
}

/** The most characters of a message; some tools print all that they have read. */
const longest = 600;

function shortened(message: string): string {
  return message.length > longest ? `${message.slice(0, longest)}…` : message;
}

function place(finding: CheckFinding, { tool, service, files, rendering }: DiagnoseContext): Diagnostic {
  if (finding.key !== undefined) {
    const { key, message, hint } = finding;
    return {
      severity: 'error',
      code: 'check-failed',
      message: `${tool}: ${message}`,
      hint,
      where: rendering.locate?.(key),
    };
  }
  const file = findFile(finding.path, files);
  const line = file === undefined ? undefined : lineOf(finding, file);
  const where = file === undefined ? undefined : placeOf(finding, file, line, rendering);
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

/** The line that the tool reports, or that the keys lead to, else the first line with the text that the finding is about. */
function lineOf({ line, at, about }: CheckFinding, file: RenderedFile): number | undefined {
  if (at !== undefined) return readYaml(revealed(file), file.origin).locate(at).line;
  const lines = revealed(file).split('\n');
  // Some tools count one line more than there is.
  if (line !== undefined) return Math.min(line, lines.length);
  if (about === undefined || about.trim() === '') return undefined;
  const index = lines.findIndex((text) => startOf(text, about) !== -1);
  return index === -1 ? undefined : index + 1;
}

function placeOf(
  finding: CheckFinding,
  file: RenderedFile,
  line: number | undefined,
  { locate, config }: Rendering,
): SourceRange | undefined {
  const { at, about } = finding;
  if (file.isVerbatim === true) {
    if (at !== undefined) {
      const source = readYaml(revealed(file), file.origin);
      return source.locate(at, isAtKey(at, valueAt(source.value, at), about));
    }
    return line === undefined ? undefined : placeInFile(finding, file, line);
  }
  const part = file.filled?.findLast(({ from, to }) => line !== undefined && from <= line && line <= to);
  if (part === undefined || line === undefined || locate === undefined) return undefined;
  const given = withStore(config);
  const path = pathInStack(file, part, at ?? pathAtLine(revealed(file), line), given);
  return path === undefined ? undefined : locate(path, isAtKey(path, valueAt(given, path), about));
}

/** Whether a finding is shown at a key, and not at its value: it is about the key, or the value takes several lines. */
function isAtKey(path: KeyPath, value: unknown, about: string | undefined): boolean {
  const key = path.at(-1);
  return key === about || (typeof key === 'string' && isCollection(value));
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

/** The path in stack.yml of a value of a rendered file, which is in a part that came from there; undefined for promstack's own. */
function pathInStack(
  file: RenderedFile,
  { path, from }: FilledLines,
  at: KeyPath,
  config: StackConfig,
): KeyPath | undefined {
  const source = readYaml(revealed(file), file.origin);
  const given = valueAt(config, path);
  // A list begins where its first item does, so the line alone does not tell them apart.
  const isPart = (inner: KeyPath): boolean =>
    source.locate(inner).line >= from && kindOf(valueAt(source.value, inner)) === kindOf(given);
  const depth = at.findIndex((_, end) => isPart(at.slice(0, end + 1))) + 1;
  if (depth === 0) return path;
  const inner: (string | number)[] = [];
  for (const [step, key] of at.slice(depth).entries()) {
    const rendered = valueAt(source.value, at.slice(0, depth + step));
    const written = valueAt(given, inner);
    // What promstack adds to a list comes before what stack.yml has there.
    const added = Array.isArray(rendered) ? rendered.length - listOf(written).length : 0;
    if (typeof key === 'number' && key < added) return undefined;
    inner.push(typeof key === 'number' ? key - Math.max(0, added) : key);
  }
  return [...path, ...inner];
}

function kindOf(value: unknown): 'list' | 'mapping' | 'scalar' {
  if (Array.isArray(value)) return 'list';
  return isCollection(value) ? 'mapping' : 'scalar';
}

/** The path of keys that leads to a line of a YAML text. */
function pathAtLine(text: string, line: number): KeyPath {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, logLevel: 'silent', prettyErrors: false });
  const lineOf = (node: unknown): number => counter.linePos((node as Node | null)?.range?.[0] ?? 0).line;

  const descend = (node: unknown): KeyPath => {
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => lineOf(key) <= line);
      if (pair === undefined || !isScalar(pair.key)) return [];
      return [String(pair.key.value), ...descend(pair.value)];
    }
    if (!isSeq(node)) return [];
    const index = node.items.findLastIndex((item) => lineOf(item) <= line);
    return index === -1 ? [] : [index, ...descend(node.items[index])];
  };
  return descend(document.contents);
}
