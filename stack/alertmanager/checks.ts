import type { AlertRule } from '../alert.ts';
import type { StackConfig } from '../config.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';
import { parseGoMessage } from '../values/go-words.ts';
import { notificationChecks } from './notification-checks.ts';

/** amtool reads alertmanager.yml and its template files, then fills in the texts of notifications. */
export function alertmanagerChecks(
  _config: StackConfig,
  files: readonly RenderedFile[],
  _tests: readonly RenderedFile[],
  alerts: () => readonly AlertRule[],
): readonly CheckCommand[] {
  return [
    {
      title: 'alertmanager.yml and its templates',
      tool: 'amtool',
      argv: ['amtool', 'check-config', 'CONFIG/alertmanager.yml'],
      explain: explainAmtool,
    },
    ...notificationChecks(files, alerts),
  ];
}

/** One finding for each problem `amtool check-config` printed, without its progress lines. */
export function explainAmtool(output: string): readonly CheckFinding[] {
  const lines = output
    .split('\n')
    .map((line) => line.replace(checking, '').trim())
    .filter((line) => line !== '' && !isProgress.test(line));
  return lines.map((line) => toFinding(line.replace(/^FAILED: /, '').replaceAll('CONFIG/', '')));
}

const checking = /^Checking '[^']*'/;
/** What was found, that all is well, that something is not, and the line before the lines that say what. */
const isProgress =
  /^(?:SUCCESS|Found:|FAILED:|- .*|amtool: error: failed to validate \d+ file\(s\))$|unmarshal errors:$/;

function toFinding(sentence: string): CheckFinding {
  const [, template, line, problem] = /^template: (.+?):(\d+)(?::\d+)?: (.*)$/.exec(sentence) ?? [];
  // A template is named by its file's name alone; its folder is looked for by whoever knows the files.
  if (template !== undefined) return { path: template, line: Number(line), message: problem ?? sentence };
  const path = 'alertmanager.yml';
  for (const [pattern, about] of abouts) {
    const match = pattern.exec(sentence);
    if (match !== null) return { path, message: sentence, about: about(match[1] ?? '') };
  }
  return { path, ...parseGoMessage(sentence) };
}

/** Sentences that name what they are about. */
const abouts: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^undefined receiver "(.*)" used in route$/, (name) => `receiver: ${name}`],
  [/^notification config name "(.*)" is not unique$/, (name) => `name: ${name}`],
  [/^undefined (?:mute )?time interval "(.*)" used in route$/, (name) => name],
  [/^bad matcher format: (.*)$/, (matcher) => matcher],
  [/^unknown time zone (.*)$/, (zone) => zone],
];
