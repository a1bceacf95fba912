import { titleOf } from '../../../stack/alert.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { counted } from '../../../stack/values/words.ts';
import type { ComparedPlan } from '../../inspect/compare-stacks.ts';
import { printFileDiff } from './plan.ts';

/** A comment on GitHub has at most 65,536 characters. */
const maxLength = 62_000;
const maxDiffLength = 40_000;

/** The problems that `check` found, for a summary or a comment; `level` is the severity that counts. */
export function checkMarkdown(
  verdict: string,
  diagnostics: readonly Diagnostic[],
  level: (diagnostic: Diagnostic) => Diagnostic['severity'],
): string {
  const isValid = !diagnostics.some((diagnostic) => level(diagnostic) === 'error');
  const rows = diagnostics.map((diagnostic) => {
    const { where, message, hint } = diagnostic;
    const place = where === undefined ? '' : code(`${where.file}:${where.line}`);
    return [level(diagnostic), place, text(hint === undefined ? message : `${message}\n${hint}`)];
  });
  const parts = [`### ${isValid ? '✅' : '❌'} promstack check`, text(verdict), table(['', 'place', 'problem'], rows)];
  return cutToFit(join(parts));
}

/** What a change means, for a pull request. */
export function differenceMarkdown(compared: ComparedPlan, title: string): string {
  const { plan, parts, meaning, files } = compared;
  const changing = plan.changes.filter(({ action }) => action !== 'none');
  const { added, removed, changed, ways } = meaning;
  const rerouted = ways.filter(({ alert }) => !added.includes(alert));
  const isNewStack = added.length === meaning.total && removed.length === 0;
  const alertRows = [
    ...added.map((alert) => [
      'added',
      code(titleOf(alert)),
      text(ways.find((way) => way.alert === alert)?.after ?? ''),
    ]),
    ...removed.map((alert) => ['removed', code(titleOf(alert)), '']),
    ...changed.map(({ after, fields }) => ['changed', code(titleOf(after)), text(fields.join('\n'))]),
    ...rerouted.map(({ alert, before, after }) => [
      'routed differently',
      code(titleOf(alert)),
      text(`${before ?? 'nobody'} -> ${after ?? 'nobody'}`),
    ]),
  ];
  const changeRows = changing.map(({ service, action, because, risks = [] }) => {
    const reasons = [...because, ...risks.map((risk) => `⚠️ ${risk}`)];
    return [code(service), action, text(reasons.join('\n'))];
  });
  const partRows = parts.map(({ kind, name, change, removed: old, added: now }) => {
    const lines = change === 'changed' ? [...old.map((line) => `- ${line}`), ...now.map((line) => `+ ${line}`)] : [];
    return [kind, code(name), change, lines.map(code).join('<br>')];
  });
  const total = meaning.total;
  const tables = join([
    `### promstack: ${text(title)}`,
    changing.length === 0
      ? 'No service changes.'
      : `${counted(changing.length, 'service')} to change, ${plan.changes.length - changing.length} unchanged.`,
    table(['service', 'action', 'why'], changeRows),
    table(['', 'name', 'change', ''], partRows),
    isNewStack && total > 0 ? `${counted(total, 'alert')}, all new.` : table(['alert', 'name', ''], alertRows),
  ]);
  const shown = cutToFit(tables);
  return join([shown.trimEnd(), diffs(files, Math.min(maxDiffLength, maxLength - shown.length))]);
}

/** As many lines as a comment may have. */
function cutToFit(markdown: string): string {
  if (markdown.length <= maxLength) return markdown;
  return `${markdown.slice(0, markdown.lastIndexOf('\n', maxLength))}\n\n… and more than fits here.\n`;
}

function diffs(files: ComparedPlan['files'], maxDiff: number): string {
  if (files.length === 0 || maxDiff < 200) return '';
  const whole = files
    .map(({ service, path, kind, diff, hasOtherSecret }) => {
      return printFileDiff({
        path: `${service}/${path}`,
        kind,
        diff: (hasOtherSecret ? '# a secret in it differs\n' : '') + diff,
      });
    })
    .join('');
  const isCut = whole.length > maxDiff;
  const shown = isCut ? whole.slice(0, whole.lastIndexOf('\n', maxDiff) + 1) : whole;
  // Longer than any in the files.
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  const head = `${counted(files.length, 'file')} changed${isCut ? ', of which the first are shown' : ''}`;
  return `<details><summary>${head}</summary>\n\n${fence}diff\n${shown}${fence}\n\n</details>`;
}

const join = (blocks: readonly string[]): string => `${blocks.filter((block) => block !== '').join('\n\n')}\n`;

/** More rows would not fit into a comment. */
const maxRows = 50;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const more = rows.length > maxRows ? [`\n… and ${rows.length - maxRows} more.`] : [];
  return [line(head), line(head.map(() => '---')), ...rows.slice(0, maxRows).map(line), ...more].join('\n');
}

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '&': '&amp;' };

/** Plain text in a cell or a paragraph. */
function text(plain: string): string {
  return plain
    .trim()
    .replaceAll(/[\\`*_{}[\]<>|#~$@&]/g, (character) => entities[character] ?? `\\${character}`)
    .replaceAll(/\r\n?|\n/g, '<br>');
}

/** Code in a cell. */
function code(plain: string): string {
  const line = plain.replaceAll(/[\r\n]/g, ' ').replaceAll('|', '\\|');
  const ticks = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([found]) => found.length)) + 1);
  return ticks.length === 1 ? `\`${line}\`` : `${ticks} ${line} ${ticks}`;
}
