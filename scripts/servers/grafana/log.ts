import { told } from '../../../stack/grafana/explain-exit.ts';
import type { RenderedFile } from '../../../stack/model.ts';

/** A line of Grafana's log that says why files were not taken. */
export interface ProvisioningError {
  /** Grafana's own words. */
  readonly message: string;
  /** The rendered file it speaks of, when it can be told. */
  readonly file: RenderedFile | undefined;
  /** The line of that file, when Grafana names it. */
  readonly line: number | undefined;
}

/** The errors about provisioning in the last lines of Grafana's log, the newest of each message, oldest first. */
export function provisioningErrors(
  lines: readonly string[],
  files: readonly RenderedFile[],
): readonly ProvisioningError[] {
  const found = new Map<string, ProvisioningError>();
  for (const line of lines) {
    if (
      !/\blevel=(?:error|crit)\b/.test(line) ||
      !/provision|dashboard-?service|failed to (?:load|save) dashboard/i.test(line) ||
      unused.test(line)
    )
      continue;
    const message = told(line);
    found.delete(message);
    found.set(message, { message, file: fileIn(line, files), line: lineIn(message) });
  }
  return [...found.values()];
}

/** Grafana misses folders for what the stack provisions none of, at each start, and goes on. */
const unused = /provisioning\/(?:plugins|alerting|notifiers|access-control)\b.*no such file or directory/;

/** An error as one sentence with its place. */
export function inWords({ message, file, line }: ProvisioningError): string {
  if (file === undefined) return message;
  if (line === undefined) return `${message} (${file.origin})`;
  // Holes that were filled move the lines: then the line is one of the file that promstack render shows.
  const place =
    file.isVerbatim === true ? `${file.origin}:${line}` : `line ${line} of ${file.path}, made of ${file.origin}`;
  return `${message} (${place})`;
}

/** A file whose path, or else a name inside it, the line holds. */
function fileIn(line: string, files: readonly RenderedFile[]): RenderedFile | undefined {
  return (
    files.find(({ path }) => line.includes(`/${path}`)) ??
    files.find(({ path }) => path.includes('/') && line.includes(path.slice(path.lastIndexOf('/') + 1)))
  );
}

/** As Go's YAML parser says it: `yaml: line 7: did not find expected key`. */
function lineIn(message: string): number | undefined {
  const line = /\byaml: line (\d+)/.exec(message)?.[1];
  return line === undefined ? undefined : Number(line);
}
