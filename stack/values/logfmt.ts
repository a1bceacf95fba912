import { isMapping } from './mapping.ts';
import { parseJson } from './parse.ts';

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
