import { titleOf } from '../../../stack/alert.ts';
import type { ComparedPlan } from '../../inspect/compare-stacks.ts';
import type { AlertImpact, RouteChange } from '../../plan/alert-impact.ts';
import type { PartChange } from '../../plan/compare.ts';
import type { FileChange } from '../../plan/file-changes.ts';
import { type Action, type Change, describe, type Plan } from '../../plan/plan.ts';
import type { PlanReport } from '../../plan/plan-stack.ts';
import type { Substitute } from '../../plan/substitutes.ts';
import type { Colours } from '../terminal-output.ts';

const marks: Readonly<Record<Change['action'], string>> = {
  none: '=',
  create: '+',
  start: '>',
  write: '~',
  reload: '~',
  recreate: '±',
  remove: '-',
};

/** The plan as text: a line per changing service with its reasons, and the data at risk. */
export function printPlan(plan: Plan<Action>, title?: string): string {
  const changing = plan.changes.filter((change) => change.action !== 'none');
  const kept = plan.changes.length - changing.length;
  const chores = plan.steps.filter(({ do: kind }) =>
    ['createConfigWriter', 'createNetwork', 'provideCertificates'].includes(kind),
  );
  const isNothing = title === undefined && plan.steps.length === 0;
  const what =
    changing.length > 0 ? `${changing.length} to change` : isNothing ? 'nothing to do' : 'no service changes';
  const head = `${title ?? `plan for ${plan.stack}`}: ${what}, ${kept} unchanged`;
  const width = Math.max(14, ...changing.map(({ service }) => service.length));
  const lines = changing.map((change) => {
    const [first = '', ...rest] = change.because;
    const name = change.service.padEnd(width);
    const start = `  ${marks[change.action]} ${name} ${change.action.padEnd(9)} `;
    const risks = (change.risks ?? []).map((risk) => `  ! ${name} ${'at risk'.padEnd(9)} ${risk}`);
    return [`${start}${first}`, ...rest.map((reason) => `${' '.repeat(start.length)}${reason}`), ...risks].join('\n');
  });
  const choreLines = changing.length === 0 ? chores.map((step) => `  + ${describe(step)}: ${step.because}`) : [];
  return `${[head, ...lines, ...choreLines].join('\n')}\n`;
}

/** The complete report: changes of services, drift, effects on alerts, and diffs of files. */
export function printReport(report: Omit<PlanReport<Action>, 'stackFiles'>, colours: Colours): string {
  const { plan, drift, files, meaning } = report;
  const sections = [
    printPlan(plan),
    printImages(report, colours),
    drift.length === 0
      ? ''
      : section(
          'drift since the last confirmed change:',
          drift.flatMap(({ service, message, tryThis }) => [
            `  ${service}: ${message}`,
            ...(tryThis === undefined ? [] : [`    try: ${tryThis}`]),
          ]),
        ),
    printMeaning(meaning),
    printFiles(plan, files),
  ];
  return sections
    .filter((text) => text !== '')
    .map((text) => coloured(text, colours))
    .join('\n');
}

/** The same for two stacks that were compared without an engine; `title` names them. */
export function printDifference(
  { plan, meaning, files, parts }: ComparedPlan,
  title: string,
  { colours, isShort }: { readonly colours: Colours; readonly isShort: boolean },
): string {
  const details = isShort ? [] : [printParts(parts), printMeaning(meaning), printFiles(plan, files)];
  return [printPlan(plan, title), ...details]
    .filter((text) => text !== '')
    .map((text) => coloured(text, colours))
    .join('\n');
}

function printParts(parts: readonly PartChange[]): string {
  const lines = parts.map(({ kind, name, change, removed, added }) => {
    if (change !== 'changed') return `  ${change === 'added' ? '+' : '-'} ${kind} ${name}`;
    const inside = [...removed.map((line) => `\n      - ${line}`), ...added.map((line) => `\n      + ${line}`)];
    return `  ~ ${kind} ${name}:${inside.join('')}`;
  });
  return lines.length === 0 ? '' : section('jobs and receivers:', lines);
}

/** A line for each image that stack.yml names and that is not the one that runs, and one for all defaults and all absent ones. */
export function printImages(
  { substitutes, absentImages }: Pick<PlanReport, 'substitutes' | 'absentImages'>,
  { yellow }: Colours,
): string {
  const isOnce = ({ reference }: Substitute, at: number): boolean =>
    substitutes.findIndex((substitute) => substitute.reference === reference) === at;
  const describe = ({ reference, ref }: Substitute): string => `${ref} is a substitute for ${reference}`;
  const once = substitutes.filter(isOnce);
  const defaults = once.filter(({ isNamed }) => !isNamed).map(describe);
  return [
    ...once.filter(({ isNamed }) => isNamed).map((substitute) => `${yellow(describe(substitute))}\n`),
    ...(defaults.length === 0 ? [] : [`${defaults.join(', ')}\n`]),
    ...(absentImages.length === 0 ? [] : [yellow(`not on the engine yet: ${absentImages.join(', ')}`), '\n']),
  ].join('');
}

function printMeaning(meaning: AlertImpact): string {
  const { added, removed, changed, ways, total } = meaning;
  // In a new stack there is nothing to compare with.
  if (added.length === total && removed.length === 0) return total === 0 ? '' : `alerts: ${total}, all new\n`;
  const receiversOf = (alert: RouteChange['alert']): string | undefined =>
    ways.find((change) => change.alert === alert)?.after;
  const rerouted = ways.filter(({ alert }) => !added.includes(alert));
  const lines = [
    ...added.map((alert) => `  + ${titleOf(alert)} in ${alert.file}${notifies(receiversOf(alert))}`),
    ...removed.map((alert) => `  - ${titleOf(alert)} in ${alert.file}`),
    ...changed.map(({ after, fields }) => `  ~ ${titleOf(after)}: ${fields.join('\n      ')}`),
    ...byRoute(rerouted).map(([route, names]) => `  > ${route}:\n${wrapped(names)}`),
  ];
  if (lines.length === 0) return '';
  const counts = [
    [added.length, 'added'],
    [removed.length, 'removed'],
    [changed.length, 'changed'],
    [rerouted.length, 'routed differently'],
  ] as const;
  const head = counts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])).join(', ');
  return section(`alerts: ${head}, ${total} in all`, lines);
}

/** Groups alerts with the same receivers before and after. */
function byRoute(changes: readonly RouteChange[]): readonly (readonly [route: string, names: readonly string[]])[] {
  const groups = new Map<string, string[]>();
  for (const { alert, before, after } of changes) {
    const route = `${before ?? 'nobody'} -> ${after ?? 'nobody'}`;
    groups.set(route, [...(groups.get(route) ?? []), titleOf(alert)]);
  }
  return [...groups];
}

/** Names in lines of limited width. */
function wrapped(names: readonly string[]): string {
  const lines: string[] = [];
  for (const [index, name] of names.entries()) {
    const word = index === names.length - 1 ? name : `${name},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`      ${word}`);
  }
  return lines.join('\n');
}

/** The differences of files whose lines do not differ. */
const otherDifferences = {
  added: 'it is empty\n',
  removed: 'it is empty\n',
  changed: 'its permissions differ\n',
} as const;

function printFiles(plan: Plan<Action>, files: readonly FileChange[]): string {
  const created = new Set(plan.changes.flatMap(({ service, action }) => (action === 'create' ? [service] : [])));
  return files
    .filter(({ service }) => !created.has(service))
    .map(({ service, path, kind, diff, hasOtherSecret }) => {
      const unseen = hasOtherSecret ? 'a secret in it differs\n' : diff === '' ? otherDifferences[kind] : '';
      return printFileDiff({ path: `${service}/${path}`, kind, diff: unseen + diff });
    })
    .join('');
}

/** A unified diff below the names of its file. */
export function printFileDiff({ path, kind, diff }: Pick<FileChange, 'path' | 'kind' | 'diff'>): string {
  const from = kind === 'added' ? '/dev/null' : path;
  const to = kind === 'removed' ? '/dev/null' : path;
  return `--- ${from}\n+++ ${to}\n${diff}`;
}

const notifies = (receivers: string | undefined): string => (receivers === undefined ? '' : `, notifies ${receivers}`);

const section = (head: string, lines: readonly string[]): string => `${[head, ...lines].join('\n')}\n`;

function coloured(text: string, colours: Colours): string {
  if (!colours.isColorSupported) return text;
  return text
    .split('\n')
    .map((line) => {
      if (/^(?: {2})?!/.test(line)) return colours.red(line);
      if (/^(?: {2})?\+/.test(line)) return colours.green(line);
      if (/^(?: {2})?-/.test(line)) return colours.red(line);
      if (/^ {2}[~\u00b1>]/.test(line)) return colours.yellow(line);
      return /^@@/.test(line) ? colours.cyan(line) : line;
    })
    .join('\n');
}
