/** Reads out of Grafana's last log lines why it could not go on; undefined when none of the known reasons is there. */
export function explainExit(lines: readonly string[]): string | undefined {
  for (const line of lines.toReversed()) {
    const found = reasons.find(({ sign }) => sign.test(line));
    if (found !== undefined) return found.why(line);
  }
  return undefined;
}

interface Reason {
  readonly sign: RegExp;
  why(line: string): string;
}

const reasons: readonly Reason[] = [
  {
    sign: /GF_PATHS_DATA='.*' is not writable/,
    why: () => 'it cannot write to its data volume, which must belong to user 472',
  },
  {
    sign: /Datasource provisioning error|failed to provision.* data source|datasource\.yaml config is invalid/i,
    why: (line) => `it could not take its datasources: ${told(line)}`,
  },
  {
    sign: /Only one datasource per organization can be marked as default/,
    why: () => 'two datasources are marked as the default',
  },
  {
    sign: /failed to (?:connect to|start) (?:the )?database|could not (?:connect|create) .*database|dial tcp .*(?:5432|3306)/i,
    why: (line) => `it cannot reach its database: ${told(line)}`,
  },
  { sign: /database is locked/, why: () => 'its database is in use by another Grafana' },
  {
    sign: /no space left on device/,
    why: () => 'the disk of its data volume is full',
  },
  {
    sign: /preinstall.*(?:failed|error)|failed to install plugin/i,
    why: (line) => `it could not download a plugin that it was told to install at start: ${told(line)}`,
  },
  { sign: /^Error: \u2717 |level=(?:error|crit)/, why: told },
];

/** The error inside a line of Grafana's log (logfmt), else the line itself. */
export function told(line: string): string {
  const [, quoted, bare] = /\berr(?:or)?=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(line) ?? [];
  return (quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? line).trim();
}
