import { errorOf } from '../../../stack/grafana/service.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { asLogfmt } from '../../../stack/values/logfmt.ts';
import type { DriverContext } from '../service-driver.ts';

/** An error in Grafana's log about a provisioning file. */
export interface ProvisioningError {
  readonly message: string;
  /** The rendered file, if the line names one. */
  readonly file: RenderedFile | undefined;
  /** The line in that file, if Grafana names it. */
  readonly line: number | undefined;
}

/** The provisioning errors in log lines, oldest first; of equal messages only the newest. */
export function provisioningErrors(
  lines: readonly string[],
  files: readonly RenderedFile[],
): readonly ProvisioningError[] {
  const errors = new Map<string, ProvisioningError>();
  for (const line of lines.map(asLogfmt)) {
    if (
      !/\blevel=(?:error|crit)\b/.test(line) ||
      !/provision|dashboard-?service|failed to (?:load|save) dashboard/i.test(line) ||
      unused.test(line)
    )
      continue;
    const message = errorOf(line);
    errors.delete(message);
    errors.set(message, { message, file: fileIn(line, files), line: lineIn(message) });
  }
  return [...errors.values()];
}

/** How long after a response the engine may still receive the lines that explain it. */
const lateMs = 1_000;

/** What Grafana's log says, since the change, about the files of a reload that it has refused. */
export async function refusalReasons(context: DriverContext): Promise<readonly string[]> {
  const { changedAt, clock, lastLines, release, signal } = context;
  const end = clock.now() + lateMs;
  for (;;) {
    const errors = provisioningErrors(await lastLines(changedAt), release.files);
    if (errors.length > 0 || clock.now() >= end) return errors.map(formatError);
    await clock.sleep(100, signal);
  }
}

/** Logged at each start for kinds of which the stack provisions none. */
const unused = /provisioning\/(?:plugins|alerting|notifiers|access-control)\b.*no such file or directory/;

/** An error as one sentence with its location. */
export function formatError({ message, file, line }: ProvisioningError): string {
  if (file === undefined) return message;
  if (line === undefined) return `${message} (${file.origin})`;
  // Filled placeholders shift the lines: then the line is one of the file that promstack render shows.
  const location =
    file.isVerbatim === true ? `${file.origin}:${line}` : `line ${line} of ${file.path}, rendered from ${file.origin}`;
  return `${message} (${location})`;
}

/** The file whose path, or else whose name, is in the line. */
function fileIn(line: string, files: readonly RenderedFile[]): RenderedFile | undefined {
  return (
    files.find(({ path }) => line.includes(`/${path}`)) ??
    files.find(({ path }) => path.includes('/') && line.includes(path.slice(path.lastIndexOf('/') + 1)))
  );
}

/** From the format of Go's YAML parser: `yaml: line 7: did not find expected key`. */
function lineIn(message: string): number | undefined {
  const line = /\byaml: line (\d+)/.exec(message)?.[1];
  return line === undefined ? undefined : Number(line);
}
