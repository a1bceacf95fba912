/** Where a template goes, by its path. */
export type TemplateKind =
  | { readonly kind: 'file' }
  | { readonly kind: 'test' }
  /** A list whose items other templates name as `contributed.KIND`. */
  | { readonly kind: 'list'; readonly of: string }
  /** A file that lands with whoever collects its kind. */
  | { readonly kind: 'contribution'; readonly of: string; readonly name: string };

/** Reads a template's use from its path below its service's folder. */
export function templateKindOf(path: string): TemplateKind {
  if (path.startsWith('tests/')) return { kind: 'test' };
  const [, kind = '', name] = /^contribute\/([^/]+?)(?:\.ya?ml|\/(.+))$/.exec(path) ?? [];
  if (kind === '') return { kind: 'file' };
  return name === undefined ? { kind: 'list', of: kind } : { kind: 'contribution', of: kind, name };
}
