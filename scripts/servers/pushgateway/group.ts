import { formatLabels, isLabelName, isReservedLabel, type LabelMap } from '../../../stack/exposition/family.ts';

/** What a push goes to: the metrics under one job and its further grouping labels; `job` is the first of them. */
export type Group = LabelMap;

/** A group of its job and further labels. */
export function toGroup(
  job: string,
  labels: Readonly<Record<string, string>> | Iterable<readonly [string, string]> = {},
): Group {
  return new Map([['job', job], ...(isIterable(labels) ? labels : Object.entries(labels))]);
}

function isIterable(value: object): value is Iterable<readonly [string, string]> {
  return Symbol.iterator in value;
}

/** Why the Pushgateway would not take such a group; undefined when it would. */
export function whyNoGroup(job: string, labels: Iterable<readonly [string, string]>): string | undefined {
  if (job === '') return 'the job has no name';
  const seen = new Set<string>();
  for (const [name] of labels) {
    if (name === 'job') return 'job is no label of its own here: it is the name of the job';
    if (!isLabelName(name, 'utf8')) return 'a label has no name';
    if (isReservedLabel(name)) return `labels that begin with __ such as ${name} belong to Prometheus itself`;
    if (seen.has(name)) return `the label ${name} is given twice`;
    seen.add(name);
  }
  return undefined;
}

/**
 * The path of a group: `/metrics/job/backup/instance/a`. A value that a path cannot carry is given in base64: an empty
 * one, one with a slash, and `.` and `..`, which servers and clients alike resolve away.
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
 * Names outside the old alphabet are spelt as the Pushgateway reads them with `--push.enable-utf8-names`: `U__` and
 * each foreign character by its code (prometheus/common, model.ValueEncodingEscaping).
 */
function pathName(name: string): string {
  if (isLabelName(name, 'legacy')) return name;
  const spelt = [...name].map((char) => {
    if (char === '_') return '__';
    return /^[a-zA-Z0-9:]$/.test(char) ? char : `_${char.codePointAt(0)?.toString(16)}_`;
  });
  return `U__${spelt.join('').replace(/^\d/, (digit) => `_${digit.charCodeAt(0).toString(16)}_`)}`;
}

/** A group as people write it: `{job="backup", instance="a"}`. */
export function formatGroup(group: Group): string {
  return formatLabels(group);
}
