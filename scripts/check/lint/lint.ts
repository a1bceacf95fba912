import type { Diagnostic, KeyPath, SourceRange } from '../../../stack/diagnostic.ts';
import { type Finding, type Lint, lintContext } from '../../../stack/lint/lint.ts';
import { lints } from '../../../stack/lint/lints.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { readYaml, type YamlSource } from '../../config/yaml-source.ts';
import type { Rendering } from '../../render/rendering.ts';
import { revealed } from '../../render/show.ts';
import { type IgnoreComments, ignoreComments, unknownIgnores } from './ignore-comments.ts';

/** Warns of what no server refuses and hardly anybody means; `metrics` are those that the running Prometheus knows. */
export function lintRendering(rendering: Rendering, metrics?: ReadonlySet<string>): readonly Diagnostic[] {
  const filesOf = (name: string): readonly RenderedFile[] =>
    rendering.services.find(({ service }) => service.name === name)?.files ?? [];
  const context = lintContext(rendering.config, filesOf, metrics);
  const places = new Places(rendering);
  const found = lints.flatMap((lint) =>
    lint
      .find(context)
      .flatMap((finding) => (places.isQuiet(finding, lint) ? [] : [places.toDiagnostic(finding, lint)])),
  );
  const codes = lints.map(({ code }) => code);
  const own = [...new Set(context.rules.flatMap((rule) => (rule.isOwn ? [rule.file] : [])))];
  const stack = places.stackFile();
  return [
    ...found,
    ...(stack === undefined ? [] : unknownIgnores(stack.text, stack.name, codes)),
    ...own.flatMap((file) => unknownIgnores(revealed(file), file.origin, codes)),
  ];
}

/** Where findings stand, in stack.yml and in files of the person's own; each file is read once, when something is found in it. */
class Places {
  readonly #rendering: Rendering;
  readonly #files = new Map<RenderedFile, { readonly source: YamlSource; readonly quiet: IgnoreComments }>();
  readonly #stack: IgnoreComments;

  constructor(rendering: Rendering) {
    this.#rendering = rendering;
    this.#stack = ignoreComments(rendering.written?.text ?? '');
  }

  /** stack.yml, when somebody wrote one. */
  stackFile(): { readonly name: string; readonly text: string } | undefined {
    const { written, locate } = this.#rendering;
    const name = locate?.([])?.file;
    return written === undefined || name === undefined ? undefined : { name, text: written.text };
  }

  /** Whether a comment at the finding's place, or at a key above it, keeps the lint quiet. */
  isQuiet({ file, path, alsoIgnoredAt }: Finding, { code }: Lint): boolean {
    const quiet = file === undefined ? this.#stack : this.#read(file).quiet;
    return (
      this.#isQuietAt(path, code, quiet, (at, atKey) => this.#locate(file, at, atKey)) ||
      (alsoIgnoredAt !== undefined &&
        this.#isQuietAt(alsoIgnoredAt, code, this.#stack, (at, atKey) => this.#locate(undefined, at, atKey)))
    );
  }

  toDiagnostic(finding: Finding, { code }: Lint): Diagnostic {
    const { file, path, atKey, within, message, hint } = finding;
    const silence = `"# promstack: ignore ${code}" keeps this quiet`;
    const told = {
      severity: 'warning',
      code,
      message,
      hint: hint === undefined ? silence : `${hint}; ${silence}`,
    } as const;
    if (file !== undefined) {
      const inText = within === undefined ? {} : { within };
      return this.#read(file).source.toDiagnostic({ ...told, path, ...inText });
    }
    const where = this.#locate(undefined, path, atKey ?? false);
    return where === undefined ? told : { ...told, where };
  }

  #isQuietAt(
    path: KeyPath,
    code: string,
    quiet: IgnoreComments,
    locate: (path: KeyPath, atKey: boolean) => SourceRange | undefined,
  ): boolean {
    const keys = path.map((_, at) => locate(path.slice(0, at + 1), true));
    return [...keys, locate(path, false)].some((place) => place !== undefined && quiet.isQuiet(place.line, code));
  }

  #locate(file: RenderedFile | undefined, path: KeyPath, atKey: boolean): SourceRange | undefined {
    return file === undefined ? this.#rendering.locate?.(path, atKey) : this.#read(file).source.locate(path, atKey);
  }

  #read(file: RenderedFile): { readonly source: YamlSource; readonly quiet: IgnoreComments } {
    const text = revealed(file);
    const known = this.#files.get(file) ?? { source: readYaml(text, file.origin), quiet: ignoreComments(text) };
    this.#files.set(file, known);
    return known;
  }
}
