import type { Diagnostic, KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import { type Finding, type Lint, lintContext } from '../../stack/lint/lint.ts';
import type { LiveSeries } from '../../stack/lint/linted-alert.ts';
import { lints } from '../../stack/lint/lints.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { closest } from '../../stack/values/closest.ts';
import { quoted } from '../../stack/values/words.ts';
import { readYaml, type YamlSource } from '../config/yaml-source.ts';
import type { Rendering } from '../render/rendering.ts';
import { revealed } from '../render/show.ts';

/** Warnings about valid configuration that is probably a mistake; `live` is what the running Prometheus has stored. */
export function lintRendering(rendering: Rendering, live?: LiveSeries): readonly Diagnostic[] {
  const filesOf = (name: string): readonly RenderedFile[] =>
    rendering.services.find(({ service }) => service.name === name)?.files ?? [];
  const context = lintContext(rendering.config, filesOf, live);
  const places = new Places(rendering);
  const findings = lints.flatMap((lint) => {
    const heard = lint.find(context).filter((finding) => !places.isSilenced(finding, lint));
    return (lint.merge?.(heard) ?? heard).map((finding) => places.toDiagnostic(finding, lint));
  });
  const codes = lints.map(({ code }) => code);
  const own = [...new Set(context.rules.flatMap((rule) => (rule.isOwn ? [rule.file] : [])))];
  const stack = places.stackFile();
  return [
    ...findings,
    ...(stack === undefined ? [] : unknownIgnores(stack.text, stack.name, codes)),
    ...own.flatMap((file) => unknownIgnores(revealed(file), file.origin, codes)),
  ];
}

/** Locates findings in stack.yml and in the user's files, which are read on the first finding in them. */
class Places {
  readonly #rendering: Rendering;
  readonly #files = new Map<RenderedFile, { readonly source: YamlSource; readonly comments: IgnoreComments }>();
  readonly #stack: IgnoreComments;

  constructor(rendering: Rendering) {
    this.#rendering = rendering;
    this.#stack = ignoreComments(rendering.written?.text ?? '');
  }

  /** stack.yml, if the stack was loaded from a file. */
  stackFile(): { readonly name: string; readonly text: string } | undefined {
    const { written, locate } = this.#rendering;
    const name = locate?.([])?.file;
    return written === undefined || name === undefined ? undefined : { name, text: written.text };
  }

  /** Whether a comment at the finding or at a parent key silences the lint. */
  isSilenced({ file, path, alsoIgnoredAt }: Finding, { code }: Lint): boolean {
    const comments = file === undefined ? this.#stack : this.#read(file).comments;
    return (
      this.#isSilencedAt(path, code, comments, (at, atKey) => this.#locate(file, at, atKey)) ||
      (alsoIgnoredAt !== undefined &&
        this.#isSilencedAt(alsoIgnoredAt, code, this.#stack, (at, atKey) => this.#locate(undefined, at, atKey)))
    );
  }

  toDiagnostic(finding: Finding, { code }: Lint): Diagnostic {
    const { file, path, atKey, within, message, hint } = finding;
    const silenceHint = `"# promstack: ignore ${code}" silences this`;
    const diagnostic = {
      severity: 'warning',
      code,
      message,
      hint: hint === undefined ? silenceHint : `${hint}; ${silenceHint}`,
    } as const;
    if (file !== undefined) {
      return this.#read(file).source.toDiagnostic({ ...diagnostic, path, within });
    }
    return { ...diagnostic, where: this.#locate(undefined, path, atKey ?? false) };
  }

  #isSilencedAt(
    path: KeyPath,
    code: string,
    comments: IgnoreComments,
    locate: (path: KeyPath, atKey: boolean) => SourceRange | undefined,
  ): boolean {
    const keys = path.map((_, at) => locate(path.slice(0, at + 1), true));
    return [...keys, locate(path, false)].some((place) => place !== undefined && comments.isSilenced(place.line, code));
  }

  #locate(file: RenderedFile | undefined, path: KeyPath, atKey: boolean): SourceRange | undefined {
    return file === undefined ? this.#rendering.locate?.(path, atKey) : this.#read(file).source.locate(path, atKey);
  }

  #read(file: RenderedFile): { readonly source: YamlSource; readonly comments: IgnoreComments } {
    const text = revealed(file);
    const known = this.#files.get(file) ?? { source: readYaml(text, file.origin), comments: ignoreComments(text) };
    this.#files.set(file, known);
    return known;
  }
}

const comment = /(?:^|\s)#\s*promstack:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)/;

/** The comments of one file that silence lints. */
interface IgnoreComments {
  /** Whether a comment on a line or right above it names a lint; lines count from 1. */
  isSilenced(line: number, code: string): boolean;
}

/** Reads the comments `# promstack: ignore CODE, CODE` of a file. */
function ignoreComments(text: string): IgnoreComments {
  const lines = text.split('\n');
  const codesIn = (line: number): readonly string[] => codesOf(lines[line - 1] ?? '');
  const isComment = (line: number): boolean => /^\s*#/.test(lines[line - 1] ?? '');
  return {
    isSilenced: (line, code) => {
      if (codesIn(line).includes(code)) return true;
      for (let above = line - 1; isComment(above); above--) {
        if (codesIn(above).includes(code)) return true;
      }
      return false;
    },
  };
}

/** Warnings for comments that name unknown lints. */
function unknownIgnores(text: string, file: string, codes: readonly string[]): readonly Diagnostic[] {
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
          message: `this comment has no effect: there is no warning named ${quoted(code)}`,
          hint: near === undefined ? `the warnings are ${codes.join(', ')}` : `did you mean ${quoted(near)}?`,
          where: { file, line: at + 1, column: column + 1, offset: offset + column, length: code.length },
        };
      });
  });
}

function codesOf(line: string): readonly string[] {
  return comment.exec(line)?.[1]?.split(/\s*,\s*/) ?? [];
}
