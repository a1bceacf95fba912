import { isLabelName, isReservedLabel, type LabelMap, type NameScheme } from '../../../stack/exposition/family.ts';
import { quoted } from '../../../stack/values/words.ts';

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

/** The prefix of an escaped name. */
const escaped = 'U__';

/** Whether all label names mean the same to every Pushgateway. */
export function hasPlainNames(group: Group): boolean {
  return [...group.keys()].every((name) => isLabelName(name, 'legacy') && !name.startsWith(escaped));
}

/** Why a Pushgateway with this name scheme would store a group under other label names; undefined when it would not. */
export function groupNameProblem(
  group: Group,
  names: NameScheme,
): { readonly message: string; readonly hint: string } | undefined {
  const invalid = [...group.keys()].find((name) => !isLabelName(name, names) || isUnreadable(name));
  if (invalid === undefined) return undefined;
  const message = `this Pushgateway does not accept the label name ${quoted(invalid)} in a group`;
  if (isUnreadable(invalid)) return { message, hint: 'use another name: it cannot read characters from U+100000 on' };
  return { message, hint: 'use only letters, digits and _, or start the Pushgateway with --push.enable-utf8-names' };
}

/** The Pushgateway reads at most five hexadecimal digits of an escaped character. */
const isUnreadable = (name: string): boolean => /[\u{100000}-\u{10ffff}]/u.test(name);

/** The labels under which a Pushgateway without UTF-8 names stores a group that was pushed with escaped names. */
export function escapedGroup(group: Group): Group {
  return new Map([...group].map(([name, value]) => [isLabelName(name, 'legacy') ? name : escapeName(name), value]));
}

/**
 * The path of a group: `/metrics/job/backup/instance/a`. Values not possible in a path are in base64: empty ones, those
 * with a slash, and `.` and `..`, which servers and clients resolve.
 */
export function groupPath(group: Group, names: NameScheme): string {
  const pathName = (name: string): string =>
    names === 'legacy' || (isLabelName(name, 'legacy') && !name.startsWith(escaped)) ? name : escapeName(name);
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
 * A name as the Pushgateway decodes it with `--push.enable-utf8-names`: `U__`, and each character outside the legacy
 * alphabet by its code (prometheus/common, model.ValueEncodingEscaping).
 */
function escapeName(name: string): string {
  const encoded = [...name].map((char) => {
    if (char === '_') return '__';
    return /^[a-zA-Z0-9:]$/.test(char) ? char : `_${char.codePointAt(0)?.toString(16)}_`;
  });
  return `${escaped}${encoded.join('').replace(/^\d/, (digit) => `_${digit.charCodeAt(0).toString(16)}_`)}`;
}
