import { render } from '../../scripts/render/render.ts';
import type { Rendering } from '../../scripts/render/rendering.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { loadedFrom } from './loaded.ts';

/** The files of a stack by their paths: stack.yml, rule files and tests. */
export interface Folder {
  readonly stack: string;
  readonly rules?: Readonly<Record<string, string>>;
  readonly tests?: Readonly<Record<string, string>>;
  /** User templates by their paths below templates/. */
  readonly templates?: Readonly<Record<string, string>>;
}

/** A stack as it would be rendered from these files with the shipped templates, lying in and seen from /stack. */
export async function renderingOf({ stack, rules = {}, tests = {}, templates = {} }: Folder): Promise<Rendering> {
  const userFiles = Object.entries(rules).map(([path, content]) => ({
    service: 'prometheus',
    path: `rules/user/${path.replaceAll('/', '__')}`,
    origin: path,
    content,
  }));
  const loaded = {
    ...loadedFrom(stack, userFiles),
    written: {
      texts: new Map([['stack.yml', stack]]),
      cwd: '/stack',
      tests: Object.entries(tests).map(([path, content]) => ({ path: `/stack/${path}`, origin: path, content })),
    },
  };
  const shipped = await loadTemplates(undefined, '/stack');
  const files = shipped.files.map((file) => {
    const text = templates[`${file.service}/${file.path}`];
    return text === undefined ? file : { ...file, text, isShipped: false };
  });
  const rendered = render(loaded, { ...shipped, files });
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return rendered.value;
}

/** Diagnostics as one line each: severity, code, place, message and hint. */
export function printed(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ severity, code, where, message, hint, related }) =>
    [
      `${severity} ${code}`,
      where === undefined ? undefined : `${where.file}:${where.line}:${where.column}+${where.length}`,
      message,
      ...(related ?? []).map((other) => `[${other.where.line}:${other.where.column} ${other.message}]`),
      hint === undefined ? undefined : `(${hint})`,
    ]
      .filter((part) => part !== undefined)
      .join(' '),
  );
}
