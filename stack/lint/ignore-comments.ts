import type { KeyPath, SourceRange } from '../diagnostic.ts';

const comment = /(?:^|\s)#\s*promstack:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)/;

/** The comments that silence lints. */
export interface IgnoreComments {
  /** Whether a comment at a key or at a parent key, on its line or right above it, names a lint. */
  silences(path: KeyPath, code: string, locate: Locate): boolean;
}

/** Reads the comments `# promstack: ignore CODE, CODE` of files by their names. */
export function ignoreComments(textOf: (file: string) => string): IgnoreComments {
  const files = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const lines = files.get(file) ?? textOf(file).split('\n');
    files.set(file, lines);
    return lines;
  };
  const isSilenced = ({ file, line }: SourceRange, code: string): boolean => {
    const lines = linesOf(file);
    if (codesOf(lines[line - 1] ?? '').includes(code)) return true;
    for (let above = line - 1; /^\s*#/.test(lines[above - 1] ?? ''); above--) {
      if (codesOf(lines[above - 1] ?? '').includes(code)) return true;
    }
    return false;
  };
  return {
    silences: (path, code, locate) => {
      const keys = path.map((_, at) => locate(path.slice(0, at + 1), true));
      return [...keys, locate(path, false)].some((place) => place !== undefined && isSilenced(place, code));
    },
  };
}

type Locate = (path: KeyPath, atKey: boolean) => SourceRange | undefined;

/** The lints that a comment in a line names. */
export function codesOf(line: string): readonly string[] {
  return comment.exec(line)?.[1]?.split(/\s*,\s*/) ?? [];
}

/** A hint that also names the comment which silences a lint. */
export function silenceHint(code: string, hint: string | undefined): string {
  const silence = `"# promstack: ignore ${code}" silences this`;
  return hint === undefined ? silence : `${hint}; ${silence}`;
}
