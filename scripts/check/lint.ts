import { readMainFile, receiversIn } from '../../stack/alertmanager/main-file.ts';
import type { Diagnostic, KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import { codesOf, type IgnoreComments, ignoreComments, silenceHint } from '../../stack/lint/ignore-comments.ts';
import { type Finding, type Lint, type LintContext, lintContext } from '../../stack/lint/lint.ts';
import type { LiveSeries } from '../../stack/lint/linted-alert.ts';
import { lints } from '../../stack/lint/lints.ts';
import { noHeartbeat } from '../../stack/lint/no-heartbeat.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { closest } from '../../stack/values/closest.ts';
import { quoted } from '../../stack/values/words.ts';
import { readYaml, type YamlSource } from '../config/yaml-source.ts';
import type { Rendering } from '../render/rendering.ts';
import { revealed } from '../render/show.ts';

/** Warnings about valid configuration that is probably a mistake; `live` is what the running Prometheus has stored. */
export function lintRendering(rendering: Rendering, live?: LiveSeries): readonly Diagnostic[] {
  const context = contextOf(rendering, live);
  const places = new Places(rendering);
  const findings = lints.flatMap((lint) => {
    const heard = lint.find(context).filter((finding) => !places.isSilenced(finding, lint));
    return (lint.merge?.(heard) ?? heard).map((finding) => places.toDiagnostic(finding, lint));
  });
  const codes = [...lints, noHeartbeat].map(({ code }) => code);
  const own = [...new Set(context.rules.flatMap((rule) => (rule.isOwn ? [rule.file] : [])))];
  return [
    ...findings,
    ...[...(rendering.written?.texts ?? [])].flatMap(([file, text]) => unknownIgnores(text, file, codes)),
    ...own.flatMap((file) => unknownIgnores(revealed(file), file.origin, codes)),
  ];
}

function contextOf({ config, services }: Rendering, live?: LiveSeries): LintContext {
  const filesOf = (name: string): readonly RenderedFile[] =>
    services.find(({ service }) => service.name === name)?.files ?? [];
  return lintContext(config, filesOf, live);
}

/** A note when Alertmanager has only receivers without a destination. */
function nobodyNotified({ services, locate }: Rendering): readonly Diagnostic[] {
  const files = services.find(({ service }) => service.name === 'alertmanager')?.files ?? [];
  const receivers = receiversIn(readMainFile(files));
  if (receivers.length === 0 || receivers.some(({ integrations }) => integrations.length > 0)) return [];
  return [
    {
      severity: 'note',
      code: 'nobody-notified',
      message: 'no receiver notifies anybody: alerts are shown only by Prometheus and Alertmanager themselves',
      hint: 'add alertmanager.receivers and alertmanager.route; `sink: {enabled: true}` shows notifications on a page',
      where: locate?.(['alertmanager', 'receivers']),
    },
  ];
}

/** Notes about what a stack may lack; comments silence them, as they do warnings. */
export function noteRendering(rendering: Rendering): readonly Diagnostic[] {
  const places = new Places(rendering);
  const found = noHeartbeat.find(contextOf(rendering)).filter((finding) => !places.isSilenced(finding, noHeartbeat));
  const notes = found.map((finding) => ({ ...places.toDiagnostic(finding, noHeartbeat), severity: 'note' as const }));
  return [...nobodyNotified(rendering), ...notes];
}

/** Locates findings in stack.yml and in the user's files, which are read on the first finding in them. */
class Places {
  readonly #rendering: Rendering;
  readonly #files = new Map<RenderedFile, { readonly source: YamlSource; readonly comments: IgnoreComments }>();
  readonly #stack: IgnoreComments;

  constructor(rendering: Rendering) {
    this.#rendering = rendering;
    this.#stack = ignoreComments((file) => rendering.written?.texts.get(file) ?? '');
  }

  /** Whether a comment at the finding or at a parent key silences the lint. */
  isSilenced({ file, path, alsoIgnoredAt }: Finding, { code }: Lint): boolean {
    const comments = file === undefined ? this.#stack : this.#read(file).comments;
    return (
      comments.silences(path, code, (at, atKey) => this.#locate(file, at, atKey)) ||
      (alsoIgnoredAt !== undefined &&
        this.#stack.silences(alsoIgnoredAt, code, (at, atKey) => this.#locate(undefined, at, atKey)))
    );
  }

  toDiagnostic(finding: Finding, { code }: Lint): Diagnostic {
    const { file, path, atKey, within, message, hint } = finding;
    const diagnostic = {
      severity: 'warning',
      code,
      message,
      hint: silenceHint(code, hint),
    } as const;
    if (file !== undefined) {
      return this.#read(file).source.toDiagnostic({ ...diagnostic, path, within });
    }
    return { ...diagnostic, where: this.#locate(undefined, path, atKey ?? false) };
  }

  #locate(file: RenderedFile | undefined, path: KeyPath, atKey: boolean): SourceRange | undefined {
    return file === undefined ? this.#rendering.locate?.(path, atKey) : this.#read(file).source.locate(path, atKey);
  }

  #read(file: RenderedFile): { readonly source: YamlSource; readonly comments: IgnoreComments } {
    const text = revealed(file);
    const known = this.#files.get(file) ?? {
      source: readYaml(text, file.origin),
      comments: ignoreComments(() => text),
    };
    this.#files.set(file, known);
    return known;
  }
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
