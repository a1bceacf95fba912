import type { Cursor } from './cursor.ts';
import { type MetricType, toMetricType } from './family.ts';

/** Takes the rest of a `# TYPE` line. */
export function readType(cursor: Cursor): MetricType {
  const from = cursor.at;
  const word = cursor.take(/.*/sy) ?? '';
  const type = toMetricType(word);
  if (type !== undefined) return type;
  // The Pushgateway's parser drops backslashes here: a slip of its own that no one may lean on.
  if (toMetricType(word.replaceAll('\\', '')) !== undefined) {
    cursor.fail('type-backslash', 'a backslash stands in the type', { from });
  }
  cursor.fail('unknown-type', `there is no metric type ${JSON.stringify(word)}`, { from, hint: hintFor(word) });
}

function hintFor(word: string): string {
  const trimmed = word.trim();
  if (toMetricType(trimmed) !== undefined) {
    return word.endsWith('\r') ? 'the line ends in CR LF; only LF may end it' : 'nothing may follow it, blanks neither';
  }
  if (/^(info|stateset|unknown)$/i.test(trimmed)) return 'that is OpenMetrics; here it is gauge or untyped';
  return 'one of counter, gauge, histogram, summary, untyped';
}
