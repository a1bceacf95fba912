/** A log line a server may exit with, and its cause. */
export interface ExitCause {
  readonly pattern: RegExp;
  explain(match: RegExpExecArray): string;
}

/** Causes that all Go programs have in common. */
const common: readonly ExitCause[] = [
  {
    pattern: /(?:open|mkdir|create|rename|unlink) (\/\S+?): permission denied/,
    explain: ([, path]) =>
      `its user may not write ${path}: the volume belongs to another user, for example after a change of image`,
  },
  {
    pattern: /listen tcp (\S+): bind: address already in use/,
    explain: ([, address]) => `${address} is already in use in its container`,
  },
  {
    pattern: /no space left on device/,
    explain: () => 'no space left on device: free some space, or shorten the retention',
  },
  {
    pattern: /unknown (?:long|short) flag '([^']+)'/,
    explain: ([, flag]) => `it does not know the flag ${flag}: check extra_args and the version of the image`,
  },
  {
    pattern: /(?:fatal error: runtime: out of memory|cannot allocate memory)/,
    explain: () => 'it ran out of memory: raise its memory limit',
  },
  {
    pattern: /flag '([^']+)' cannot be repeated/,
    explain: ([, flag]) => `the flag --${flag} is set twice: remove it from extra_args`,
  },
];

/**
 * The likely cause of a container's exit, from the last log line that matches one; the server's own causes come first, `otherwise` last.
 */
export function explainExit(
  lines: readonly string[],
  own: readonly ExitCause[] = [],
  otherwise: readonly ExitCause[] = [],
): string | undefined {
  for (const line of lines.toReversed()) {
    for (const { pattern, explain } of [...own, ...common, ...otherwise]) {
      const match = pattern.exec(line);
      if (match !== null) return explain(match);
    }
  }
  return undefined;
}

/** The unescaped `err` or `error` of a logfmt line; undefined when it has none. */
export function errorIn(line: string): string | undefined {
  const [, quoted, bare] = /\berr(?:or)?=(?:"((?:\\.|[^"\\])*)"|(\S+))/.exec(line) ?? [];
  return quoted?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? ' ' : escaped)) ?? bare;
}
