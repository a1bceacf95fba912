/** Whether a path matches a pattern of Go's filepath.Match, which Prometheus reads `rule_files` with: no wildcard crosses a slash. */
export function matchesGoGlob(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[*?]|[^\\[*?]+|[\\[]/g,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '^' ? '^/' : ''}${set.replaceAll('[', '\\[')}]`;
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      // What is not closed is no pattern, and matches nothing; Prometheus refuses it.
      if (part === '[' || part === '\\') return '(?!)';
      return literal(part);
    },
  );
  try {
    return new RegExp(`^${source}$`, 'u').test(path);
  } catch {
    // A range that runs backwards is no pattern either.
    return false;
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
