const classes: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/**
 * A whole-text match in Go's syntax (RE2) as JavaScript's; undefined when it uses what only Go knows. Both agree on
 * almost everything: the differences are flags at the start, names of groups, POSIX classes, `\A`, `\z`, `\Q…\E`.
 */
export function fromGoRegExp(pattern: string): RegExp | undefined {
  const translated = translate(pattern);
  if (translated === undefined) return undefined;
  try {
    return new RegExp(`^(?:${translated.source})$`, translated.flags);
  } catch {
    return undefined;
  }
}

/** Whether an expression is none for sure: with what Go alone knows, or repeats where Go alone does, nothing is said. */
export function isBroken(pattern: string): boolean {
  const repeatsOfPlaces = /(?:[$^]|\\[ABbz])[*+?{]|\(\?P?<\d/;
  return translate(pattern) !== undefined && !repeatsOfPlaces.test(pattern) && fromGoRegExp(pattern) === undefined;
}

function translate(pattern: string): { readonly source: string; readonly flags: string } | undefined {
  const [, flags = '', rest = ''] = /^(?:\(\?([a-zU]+)\))?(.*)$/s.exec(pattern) ?? [];
  if (/[^ims]/.test(flags)) return undefined;
  const source = rest
    .replaceAll(/\\Q(.*?)(?:\\E|$)/gs, (_, text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\[:(\w+):\]/g, (all, name: string) => classes[name] ?? all)
    .replaceAll('\\A', '(?<![\\s\\S])')
    .replaceAll('\\z', '(?![\\s\\S])');
  return /\(\?[a-zU-]+[:)]|\[:|\\[pPC]/.test(source) ? undefined : { source, flags };
}
