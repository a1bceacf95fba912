/** What a template is rendered to, by its path. */
export type TemplateKind =
  | { readonly kind: 'file' }
  | { readonly kind: 'test' }
  /** A list whose items other templates use as `contributed.KIND`. */
  | { readonly kind: 'list'; readonly of: string }
  /** A file for the service that collects its kind. */
  | { readonly kind: 'contribution'; readonly of: string; readonly name: string };

/** `path` is relative to the folder of the template's service. */
export function templateKindOf(path: string): TemplateKind {
  if (path.startsWith('tests/')) return { kind: 'test' };
  const [, kind = '', name] = /^contribute\/([^/]+?)(?:\.ya?ml|\/(.+))$/.exec(path) ?? [];
  if (kind === '') return { kind: 'file' };
  return name === undefined ? { kind: 'list', of: kind } : { kind: 'contribution', of: kind, name };
}
