/** A sentence a server may end with, and what it means to a person. */
export interface ExitCause {
  readonly pattern: RegExp;
  readonly say: (found: RegExpExecArray) => string;
}

/** Causes of death that programs in Go have in common, by the sentences of the system and of their flag parsers. */
const common: readonly ExitCause[] = [
  {
    pattern: /(?:open|mkdir|create|rename|unlink) (\/\S+?): permission denied/,
    say: ([, path]) => `its user may not write ${path}: the volume belongs to another user, as after a change of image`,
  },
  {
    pattern: /listen tcp (\S+): bind: address already in use/,
    say: ([, address]) => `something in its container listens on ${address} already`,
  },
  {
    pattern: /no space left on device/,
    say: () => 'the disk is full: make room, or shorten the retention',
  },
  {
    pattern: /unknown (?:long|short) flag '([^']+)'/,
    say: ([, flag]) => `it knows no flag ${flag}: look at extra_args and at the version of the image`,
  },
  {
    pattern: /(?:fatal error: runtime: out of memory|cannot allocate memory)/,
    say: () => 'it ran out of memory: raise its memory limit',
  },
  {
    pattern: /flag '([^']+)' cannot be repeated/,
    say: ([, flag]) => `the flag --${flag} is set twice: take it out of extra_args`,
  },
];

/** The likely cause of a container's end, read from its last log lines: the last line that tells one, the server's own causes first. */
export function explainExit(lines: readonly string[], own: readonly ExitCause[] = []): string | undefined {
  for (const line of lines.toReversed()) {
    for (const { pattern, say } of [...own, ...common]) {
      const found = pattern.exec(line);
      if (found !== null) return say(found);
    }
  }
  return undefined;
}

/** The `err="…"` of a log line in logfmt, without its escapes. */
export function errIn(line: string): string | undefined {
  const quoted = / err="((?:\\.|[^"\\])*)"/.exec(line)?.[1];
  return quoted?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? ' ' : escaped));
}
