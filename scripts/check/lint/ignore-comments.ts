import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { closest } from '../../../stack/values/closest.ts';
import { quoted } from '../../../stack/values/words.ts';

const comment = /(?:^|\s)#\s*promstack:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)/;

/** The comments of one file that keep lints quiet. */
export interface IgnoreComments {
  /** Whether a comment in a line, or right above it, names a lint; lines count from 1. */
  isQuiet(line: number, code: string): boolean;
}

/** Reads the comments `# promstack: ignore CODE, CODE` of a file. */
export function ignoreComments(text: string): IgnoreComments {
  const lines = text.split('\n');
  const codesIn = (line: number): readonly string[] => codesOf(lines[line - 1] ?? '');
  const isComment = (line: number): boolean => /^\s*#/.test(lines[line - 1] ?? '');
  return {
    isQuiet: (line, code) => {
      if (codesIn(line).includes(code)) return true;
      for (let above = line - 1; isComment(above); above--) {
        if (codesIn(above).includes(code)) return true;
      }
      return false;
    },
  };
}

/** Comments that name lints nobody knows: they keep nothing quiet. */
export function unknownIgnores(text: string, file: string, codes: readonly string[]): readonly Diagnostic[] {
  let begin = 0;
  return text.split('\n').flatMap((line, at) => {
    const offset = begin;
    begin += line.length + 1;
    return codesOf(line)
      .filter((code) => !codes.includes(code))
      .map((code): Diagnostic => {
        const near = closest(code, codes);
        const column = line.lastIndexOf(code);
        return {
          severity: 'warning',
          code: 'unknown-lint',
          message: `this comment keeps nothing quiet: there is no warning named ${quoted(code)}`,
          hint: near === undefined ? `there are ${codes.join(', ')}` : `did you mean ${quoted(near)}?`,
          where: { file, line: at + 1, column: column + 1, offset: offset + column, length: code.length },
        };
      });
  });
}

function codesOf(line: string): readonly string[] {
  return comment.exec(line)?.[1]?.split(/\s*,\s*/) ?? [];
}
