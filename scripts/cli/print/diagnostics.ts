import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import pc from 'picocolors';
import type { Diagnostic, SourceRange } from '../../../stack/diagnostic.ts';
import { counted } from '../../../stack/values/words.ts';
import { covered } from '../../util/redaction.ts';

/** The most columns shown of a source line. */
const widest = 100;
/** The most diagnostics shown; a generated file may have thousands of one kind. */
const most = 50;

const severities: readonly Diagnostic['severity'][] = ['error', 'warning', 'note'];

/** Diagnostics with their lines of source; `read` returns the text of a file by its path in a diagnostic. */
export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  read: (file: string) => string | undefined,
  colours: boolean,
): string {
  const paint = pc.createColors(colours);
  const linesOf = cachedLines(read);
  // Errors come first when not all are shown.
  const shown =
    diagnostics.length <= most
      ? diagnostics
      : diagnostics.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));

  const blocks = shown.slice(0, most).map((diagnostic) => block(diagnostic, linesOf, paint));
  return `${[...blocks, closing(diagnostics)].join('\n')}\n`;
}

/** A single diagnostic, without the line that counts them. */
export function printDiagnostic(
  diagnostic: Diagnostic,
  read: (file: string) => string | undefined,
  colours: boolean,
): string {
  return `${block(diagnostic, cachedLines(read), pc.createColors(colours))}\n`;
}

/** The line of source of a diagnostic, and the marks below it; none when it cannot be read or may not be shown. */
export function plainExcerpt(
  where: SourceRange | undefined,
  read: (file: string) => string | undefined,
): readonly string[] {
  return excerpt(where, cachedLines(read), pc.createColors(false), (text) => text);
}

function block(
  diagnostic: Diagnostic,
  linesOf: (file: string) => readonly string[],
  paint: ReturnType<typeof pc.createColors>,
): string {
  const squiggle = { error: paint.red, warning: paint.yellow, note: paint.cyan }[diagnostic.severity];
  const mark = squiggle({ error: '✖', warning: '▲', note: '●' }[diagnostic.severity]);
  return [
    [mark, showPlace(diagnostic.where, paint), clean(diagnostic.message)].filter((part) => part !== '').join(' '),
    ...excerpt(diagnostic.where, linesOf, paint, squiggle),
    ...(diagnostic.related ?? []).flatMap(({ where, message }) => [
      `  ${showPlace(where, paint)} ${clean(message)}`,
      ...excerpt(where, linesOf, paint, paint.cyan),
    ]),
    ...(diagnostic.hint === undefined ? [] : [`  ${paint.cyan(clean(diagnostic.hint))}`]),
  ].join('\n');
}

function closing(diagnostics: readonly Diagnostic[]): string {
  const left = diagnostics.length - most;
  const more = left > 0 ? `… and ${left} more.\n` : '';
  const hasErrors = diagnostics.some(({ severity }) => severity === 'error');
  return `${more}${countDiagnostics(diagnostics)}.${hasErrors ? ' Nothing was changed.' : ''}`;
}

/** `2 problems, 1 warning`; empty when there are none. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const nouns = { error: 'problem', warning: 'warning', note: 'note' };
  return severities
    .flatMap((severity) => {
      const { length } = diagnostics.filter((diagnostic) => diagnostic.severity === severity);
      return length === 0 ? [] : [counted(length, nouns[severity])];
    })
    .join(', ');
}

function showPlace(where: SourceRange | undefined, paint: ReturnType<typeof pc.createColors>): string {
  return where === undefined ? '' : paint.bold(`${where.file}:${where.line}:${where.column}`);
}

/** The source line, clipped around the range when it is long, with a squiggle below the range. */
function excerpt(
  where: SourceRange | undefined,
  linesOf: (file: string) => readonly string[],
  paint: ReturnType<typeof pc.createColors>,
  squiggle: (text: string) => string,
): readonly string[] {
  const whole = where === undefined ? undefined : linesOf(where.file)[where.line - 1];
  if (where === undefined || where.isHidden === true || whole === undefined) return [];
  // A part of a secret would not be recognized as one.
  const line = whole.length <= widest ? whole : covered(whole);
  const begin = where.column - 1;
  const from = line.length <= widest ? 0 : Math.max(0, Math.min(begin - widest / 4, line.length - widest));
  const to = Math.min(line.length, from + widest);
  const start = from > 0 ? '…' : '';
  const before = start + clean(line.slice(from, begin));
  const marked = clean(line.slice(begin, Math.min(to, begin + where.length)));
  const after = clean(line.slice(begin + where.length, to)) + (to < line.length ? '…' : '');
  const number = String(where.line).padStart(4);
  const gutter = paint.dim('│');
  return [
    `${paint.dim(number)} ${gutter} ${before}${marked}${after}`,
    `${' '.repeat(number.length)} ${gutter} ${blank(before)}${squiggle(wave(marked))}`,
  ];
}

/** Characters that take two columns in a terminal: those of East Asia, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;

function blank(text: string): string {
  return text.replaceAll(wide, '  ').replaceAll(/[^ ]/gu, ' ');
}

function wave(text: string): string {
  return '~'.repeat(Math.max(1, [...text.replaceAll(wide, '  ')].length));
}

/** Control characters would break the columns, or confuse the terminal. */
function clean(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/\p{Cc}/gu, '·');
}

function cachedLines(read: (file: string) => string | undefined): (file: string) => readonly string[] {
  const files = new Map<string, readonly string[]>();
  return (file) => {
    const known = files.get(file) ?? read(file)?.split(/\r?\n/) ?? [];
    files.set(file, known);
    return known;
  };
}

/** Reads the files of diagnostics, by paths relative to `cwd`; undefined when that fails. */
export function sourceReader(cwd: string): (file: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (file) => {
    if (!known.has(file)) known.set(file, readText(resolve(cwd, file)));
    return known.get(file);
  };
}

function readText(path: string): string | undefined {
  try {
    // A pipe has been read already.
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
