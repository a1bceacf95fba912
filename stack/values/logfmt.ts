import { isMapping } from './mapping.ts';
import { parseJson } from './parse.ts';

/** A log line in JSON as the same in logfmt; any other line as it is. */
export function asLogfmt(line: string): string {
  const fields = line.startsWith('{') ? parseJson(line) : undefined;
  if (!isMapping(fields)) return line;
  return Object.entries(fields)
    .map(
      ([key, value]) => `${key}=${typeof value === 'string' && !/^\w+$/.test(value) ? JSON.stringify(value) : value}`,
    )
    .join(' ');
}

/** The fields of a log line of Prometheus or Alertmanager: `level=WARN msg="Notify attempt failed" receiver=sink`, or the same as JSON. */
export function logfmt(line: string): Readonly<Record<string, string>> {
  if (line.startsWith('{')) {
    const fields = parseJson(line);
    return isMapping(fields)
      ? Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]))
      : {};
  }
  const pairs = [...line.matchAll(/(\w+)=(?:"((?:\\.|[^"\\])*)"|(\S*))/g)];
  return Object.fromEntries(
    pairs.map(([, key = '', quoted, plain = '']) => [
      key,
      quoted?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)) ?? plain,
    ]),
  );
}
