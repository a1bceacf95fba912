import { isLabelName, isReservedLabel, type LabelMap } from '../../../stack/exposition/family.ts';

/** The grouping labels of a push: `job` first, then additional labels. */
export type Group = LabelMap;

export function toGroup(
  job: string,
  labels: Readonly<Record<string, string>> | Iterable<readonly [string, string]> = {},
): Group {
  return new Map([['job', job], ...(Symbol.iterator in labels ? labels : Object.entries(labels))]);
}

/** Why the Pushgateway would reject a group; undefined when it would not. */
export function groupProblem(job: string, labels: Iterable<readonly [string, string]>): string | undefined {
  if (job === '') return 'the job has no name';
  const seen = new Set<string>();
  for (const [name] of labels) {
    if (name === 'job') return 'job cannot be an additional label: it is the name of the job';
    if (!isLabelName(name, 'utf8')) return 'a label has no name';
    if (isReservedLabel(name)) return `labels that begin with __, such as ${name}, are reserved for Prometheus`;
    if (seen.has(name)) return `the label ${name} is given twice`;
    seen.add(name);
  }
  return undefined;
}

/**
 * The path of a group: `/metrics/job/backup/instance/a`. Values not possible in a path are in base64: empty ones, those
 * with a slash, and `.` and `..`, which servers and clients resolve.
 */
export function groupPath(group: Group): string {
  return `/metrics${[...group].map(([name, value]) => `/${pathName(name)}${pathValue(value)}`).join('')}`;
}

function pathValue(value: string): string {
  if (value === '') return '@base64/=';
  if (value === '.' || value === '..' || value.includes('/')) {
    return `@base64/${Buffer.from(value, 'utf8').toString('base64url')}`;
  }
  return `/${encodeURIComponent(value)}`;
}

/**
 * Names outside the legacy alphabet, as the Pushgateway decodes them with `--push.enable-utf8-names`: `U__`, and each
 * other character by its code (prometheus/common, model.ValueEncodingEscaping).
 */
function pathName(name: string): string {
  if (isLabelName(name, 'legacy')) return name;
  const encoded = [...name].map((char) => {
    if (char === '_') return '__';
    return /^[a-zA-Z0-9:]$/.test(char) ? char : `_${char.codePointAt(0)?.toString(16)}_`;
  });
  return `U__${encoded.join('').replace(/^\d/, (digit) => `_${digit.charCodeAt(0).toString(16)}_`)}`;
}
