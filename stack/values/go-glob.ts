/** Whether a path matches a pattern of Go's filepath.Match, which Prometheus uses for the files that its config names: wildcards do not match a slash. */
export function matchesGoGlob(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[*?]|[^\\[*?]+|[\\[]/g,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '^' ? '^/' : ''}${set.replaceAll('[', '\\[')}]`;
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      // An unclosed pattern is invalid and matches nothing; Prometheus reports it.
      if (part === '[' || part === '\\') return '(?!)';
      return literal(part);
    },
  );
  try {
    return new RegExp(`^${source}$`, 'u').test(path);
  } catch {
    // An invalid range matches nothing either.
    return false;
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
