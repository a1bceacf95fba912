import type { AlertRule } from '../alert.ts';
import type { StackConfig } from '../config.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { parseGoMessage } from '../values/go-messages.ts';
import { counted } from '../values/words.ts';
import { mainFile } from './main-file.ts';
import { type NotificationText, textsOfConfig, textsOfFiles } from './notification-texts.ts';
import { sampleNotifications } from './sample-notifications.ts';

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

/** Alertmanager's own templates, where a build does not carry them inside: Debian's has them there. A glob may match nothing. */
const defaultTemplates = '/usr/share/prometheus/alertmanager/*.tmpl';
/** Where the texts and the samples lie while they are checked. */
const folder = 'notification-check';

/**
 * Fills in every templated text of the receivers, and every template of the person's own, with sample notifications made of the
 * stack's alerts: `amtool check-config` executes none of them. Nothing is run where promstack's own templates are all there is.
 */
function notificationChecks(
  files: readonly RenderedFile[],
  alerts: () => readonly AlertRule[],
): readonly CheckCommand[] {
  const config = files.find(({ path }) => path === mainFile);
  if (config === undefined) return [];
  const templates = files.filter(({ path, isShipped }) => path.startsWith('templates/') && isShipped !== true);
  const ofConfig = textsOfConfig(textOf(config));
  const texts = [...ofConfig.texts, ...textsOfFiles(templates)];
  if (texts.length === 0) return [];

  const written = [...texts.map(({ text = '' }) => text), ...templates.map(textOf)].join('\n');
  const samples = sampleNotifications(alerts(), (alertname) => written.includes(alertname)).map(
    (sample, at): RenderedFile => ({
      ...own(`sample-${at + 1}.json`),
      content: `${JSON.stringify(sample)}\n`,
    }),
  );
  const named = texts.map((text, at) => ({ ...text, name: text.text === undefined ? text.title : fieldName(at) }));
  const fields = named.flatMap(({ name, text }) => (text === undefined ? [] : [fieldFile(name, text, config)]));
  const globs = [defaultTemplates, ...ofConfig.globs.map((glob) => `CONFIG/${glob}`)].map(
    (glob) => `--template.glob=${glob}`,
  );
  const runs = [
    // Each text by itself, so that one that is wrong hides no other.
    ...named.map((text) => [...globs, ...ownGlob(text), ...rendering([text], samples[0])]),
    // Then all of them for each of the other notifications.
    ...samples
      .slice(1)
      .flatMap((sample) =>
        [named.filter(({ isHtml }) => !isHtml), named.filter(({ isHtml }) => isHtml)]
          .filter((some) => some.length > 0)
          .map((some) => [...globs, ...ownGlob(...some), ...rendering(some, sample)]),
      ),
  ].map((args) => ['amtool', 'template', 'render', ...args]);
  const [argv = [], ...alsoRun] = runs;
  return [
    {
      title: `the texts of notifications, with ${counted(samples.length, 'sample')} of the stack's alerts`,
      tool: 'amtool',
      argv,
      alsoRun,
      reads: [
        ...templates,
        ...files.filter(({ path, isShipped }) => path.startsWith('templates/') && isShipped === true),
        ...fields,
        ...samples,
      ],
      explain: (output) => explainRendering(output, named),
    },
  ];
}

type NamedText = NotificationText & { readonly name: string };

function rendering(texts: readonly NamedText[], sample: RenderedFile | undefined): readonly string[] {
  return [
    `--template.type=${texts[0]?.isHtml === true ? 'html' : 'text'}`,
    `--template.data=CONFIG/${sample?.path}`,
    `--template.text=${texts.map(({ name }) => `{{ template ${JSON.stringify(name)} . }}`).join('')}`,
  ];
}

/** The files of texts that stand in alertmanager.yml: amtool names them in what it says. */
function ownGlob(...texts: readonly NamedText[]): readonly string[] {
  return texts.flatMap(({ name, text }) => (text === undefined ? [] : [`--template.glob=CONFIG/${folder}/${name}`]));
}

/** One finding for each problem amtool told; what it rendered stands between. */
function explainRendering(output: string, texts: readonly NamedText[]): readonly CheckFinding[] {
  const told = new Set([...output.matchAll(/amtool: error: (.*)$/gm)].map(([, sentence = '']) => sentence));
  return [...told].map((sentence): CheckFinding => {
    const [, name = '', line = '1', problem = sentence] =
      /^(?:html\/)?template: ?(.*?):(\d+)(?::\d+)?: (.*)$/.exec(sentence) ?? [];
    const message = problem.replace(/^executing "[^"]*" /, '');
    const field = texts.find((text) => text.text !== undefined && text.name === name);
    if (field === undefined) return { ...(name === '' ? {} : { path: name, line: Number(line) }), message };
    const inBlock = (field.text ?? '').includes('\n') ? Number(line) - 1 : 0;
    return {
      path: mainFile,
      ...(field.line === undefined ? {} : { line: field.line + inBlock }),
      message: `in the ${field.title}: ${message}`,
    };
  });
}

const fieldName = (at: number): string => `promstack-text-${at + 1}.tmpl`;

function fieldFile(name: string, text: string, config: RenderedFile): RenderedFile {
  const { content, secrets = [] } = config;
  if (!(content instanceof Secret)) return { ...own(name), content: text };
  return { ...own(name), content: new Secret(text, content.origin), secrets, mode: 0o400 };
}

function own(name: string): Omit<RenderedFile, 'content'> {
  return { service: 'alertmanager', path: `${folder}/${name}`, mode: 0o444, origin: 'promstack' };
}

function textOf({ content }: RenderedFile): string {
  return content instanceof Secret ? content.reveal() : content;
}
