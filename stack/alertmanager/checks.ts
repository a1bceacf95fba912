import type { AlertRule } from '../alert.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { CheckCommand, CheckFinding, ConfigPart, RenderedFile } from '../model.ts';
import { contentOf, Secret } from '../secret.ts';
import { partsOfKey } from '../values/config-parts.ts';
import { featuresIn } from '../values/container.ts';
import { featureKey } from '../values/flag-check.ts';
import { explainCrash, parseGoMessage, withKeyHints } from '../values/go-messages.ts';
import { isMapping, type Mapping, mappingsIn } from '../values/mapping.ts';
import { counted, quoted } from '../values/words.ts';
import { explainMissingRecorder } from './event-recorder.ts';
import { mainFile } from './main-file.ts';
import { type NotificationTemplate, templatesOfConfig, templatesOfFiles } from './notification-templates.ts';
import { receiverKeys } from './problems.ts';
import { eachRoute } from './route-problems.ts';
import { type Notification, sampleNotifications } from './sample-notifications.ts';

/** amtool checks alertmanager.yml and its template files, then renders the templates of notifications. */
export function alertmanagerChecks(
  config: StackConfig,
  files: readonly RenderedFile[],
  _tests: readonly RenderedFile[],
  alerts: () => readonly AlertRule[],
): readonly CheckCommand[] {
  const { extra_args, image } = config.alertmanager;
  // Features decide which matchers are valid. amtool has those of the server.
  const features = featuresIn(extra_args);
  const flags = features.length === 0 ? [] : [`--enable-feature=${features.join(',')}`];
  return [
    {
      title: 'alertmanager.yml and its templates',
      tool: 'amtool',
      argv: ['amtool', 'check-config', ...flags, `CONFIG/${mainFile}`],
      explain: (output) =>
        unknownFeature(output, extra_args, image) ??
        withKeyHints(explainAmtool(output, files), receiverKeys).map((finding) =>
          explainMissingRecorder(config, finding),
        ),
      divisible: { path: mainFile, shared: ['global'], partsOf },
    },
    ...notificationChecks(files, alerts),
  ];
}

/** A receiver for the parts that need a route, and a route for those that need a receiver. */
const stubName = 'promstack';
const stub = { route: { receiver: stubName }, receivers: [{ name: stubName }] };

const partNames = {
  receivers: 'receiver',
  time_intervals: 'time interval',
  mute_time_intervals: 'mute time interval',
};

/** The parts of alertmanager.yml; each route without the routes below it, beside the names that it may refer to. */
function partsOf(config: Mapping): readonly ConfigPart[] {
  const named = (key: string): readonly Mapping[] =>
    [...new Set(mappingsIn(config[key], []).map(({ value }) => value['name']))].map((name) => ({ name }));
  const intervals = [...named('time_intervals'), ...named('mute_time_intervals')];
  const names = { receivers: [...stub.receivers, ...named('receivers')], time_intervals: intervals };
  return Object.entries(config).flatMap(([key, value]) => {
    if (key === 'route') return routeParts(value, ['route'], names);
    const parts = partsOfKey(key, value, partNames, stub);
    return key === 'receivers' ? parts.map((part) => ({ ...part, under: [key, stub.receivers.length] })) : parts;
  });
}

function routeParts(root: unknown, path: KeyPath, names: Mapping): readonly ConfigPart[] {
  if (!isMapping(root)) return [{ at: path, under: path, frame: { receivers: stub.receivers } }];
  return eachRoute(root, path).map(({ value, path: at }) => ({
    at,
    under: at.length === path.length ? path : [...path, 'routes', 0],
    frame: { ...names, route: stub.route },
    without: 'routes',
    kind: 'route to',
    name: typeof value['receiver'] === 'string' ? value['receiver'] : undefined,
  }));
}

/** Alertmanager does not start with a feature that it does not have. */
function unknownFeature(output: string, extra: readonly string[], image: string): readonly CheckFinding[] | undefined {
  const [, feature] = /unknown option '(.*)' for --enable-feature/.exec(output) ?? [];
  if (feature === undefined) return undefined;
  return [
    {
      key: featureKey(feature, 'alertmanager', extra),
      message: `this version of Alertmanager does not have the feature ${quoted(feature)}`,
      hint: `docker run --rm ${image} --help lists the features of this version`,
    },
  ];
}

/** The problems in the output of `amtool check-config`; `files` are those it read. */
export function explainAmtool(output: string, files: readonly RenderedFile[] = []): readonly CheckFinding[] {
  const main = files.find(({ path }) => path === mainFile);
  const crash = explainCrash('amtool', output, main);
  if (crash !== undefined) return crash;
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^Checking '[^']*'/, '').trim())
    .filter((line) => line !== '' && !isProgress.test(line));
  return lines.map((line) => toFinding(line.replace(/^FAILED: /, '').replaceAll('CONFIG/', '')));
}

const isProgress =
  /^(?:SUCCESS|Found:|FAILED:|- .*|amtool: error: failed to validate \d+ file\(s\))$|^time=\S+ level=WARN |unmarshal errors:$/;

function toFinding(sentence: string): CheckFinding {
  // amtool names a template by its file name, without the folder.
  const [, template, line, problem] = /^template: (.+?):(\d+)(?::\d+)?: (.*)$/.exec(sentence) ?? [];
  if (template !== undefined) return { path: template, line: Number(line), message: problem ?? sentence };
  for (const [pattern, about] of searchTexts) {
    const match = pattern.exec(sentence);
    if (match !== null) return { path: mainFile, message: sentence, about: about(match[1] ?? '') };
  }
  return { path: mainFile, ...parseGoMessage(sentence) };
}

/** Messages that quote a value, and how the file contains it. */
const searchTexts: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^undefined receiver "(.*)" used in route$/, (name) => `receiver: ${name}`],
  [/^notification config name "(.*)" is not unique$/, (name) => `name: ${name}`],
  [/^undefined (?:mute )?time interval "(.*)" used in route$/, (name) => name],
  [/^bad matcher format: (.*)$/, (matcher) => matcher],
  [/^unknown time zone (.*)$/, (zone) => zone],
];

/** Alertmanager's own templates, for builds that do not embed them, such as Debian's. The glob may match nothing. */
const defaultTemplates = '/usr/share/prometheus/alertmanager/*.tmpl';
/** The folder of the templates and samples during the check. */
const folder = 'notification-check';

/**
 * Renders every template in the receivers, and every template in the user's files, with sample notifications of the stack's alerts:
 * `amtool check-config` executes none of them. Nothing runs when there are only promstack's own templates.
 */
function notificationChecks(
  files: readonly RenderedFile[],
  alerts: () => readonly AlertRule[],
): readonly CheckCommand[] {
  const config = files.find(({ path }) => path === mainFile);
  if (config === undefined) return [];
  const templateFiles = files.filter(({ path }) => path.startsWith('templates/'));
  const userFiles = templateFiles.filter(({ isShipped }) => isShipped !== true);
  const ofConfig = templatesOfConfig(contentOf(config));
  const texts = ofConfig.templates.map(({ text = '' }) => text);
  const templates = [...ofConfig.templates, ...templatesOfFiles(userFiles, texts)].map((template, at) => ({
    ...template,
    name: template.text === undefined ? template.title : `promstack-text-${at + 1}.tmpl`,
  }));
  if (templates.length === 0) return [];

  const source = [...templates.map(({ text = '' }) => text), ...userFiles.map(contentOf)].join('\n');
  const samples = sampleNotifications(alerts(), (alertname) => source.includes(alertname));
  const batches = batchesOf(templates, samples);
  const globs = [defaultTemplates, ...ofConfig.globs.map((glob) => `CONFIG/${glob}`)].map(
    (glob) => `--template.glob=${glob}`,
  );
  const [argv = [], ...alsoRun] = [
    // Each template alone, so that an error in one does not hide another; then all of them with each of the other samples.
    ...batches.flatMap((batch) => batch.templates.map((template) => rendering([template], batch.samples[0]))),
    ...batches.flatMap((batch) => batch.samples.slice(1).map((sample) => rendering(batch.templates, sample))),
  ].map((args) => ['amtool', 'template', 'render', ...globs, ...args]);
  return [
    {
      title: `the templates of notifications, with ${counted(samples.length, 'sample')} of the stack's alerts`,
      tool: 'amtool',
      argv,
      alsoRun,
      reads: [
        ...templateFiles,
        ...templates.flatMap(({ name, text }) => (text === undefined ? [] : [textFile(name, text, config)])),
        ...batches.flatMap((batch) => batch.samples),
      ],
      explain: (output) => explainRendering(output, templates),
    },
  ];
}

type NamedTemplate = NotificationTemplate & { readonly name: string };

/** Templates that are rendered together, with files of samples. */
interface Batch {
  readonly templates: readonly NamedTemplate[];
  readonly samples: readonly RenderedFile[];
}

/** Templates of one type and with the same labels of a route. */
function batchesOf(templates: readonly NamedTemplate[], samples: readonly Notification[]): readonly Batch[] {
  const batches = new Map<string, NamedTemplate[]>();
  for (const template of templates) {
    const key = JSON.stringify([template.isHtml, template.routeLabels]);
    batches.set(key, [...(batches.get(key) ?? []), template]);
  }
  return [...batches.values()].map((batch, number) => ({
    templates: batch,
    samples: samples.map((sample, at) => ({
      ...checkFile(`sample-${number + 1}-${at + 1}.json`),
      content: `${JSON.stringify({ ...sample, routeLabels: batch[0]?.routeLabels ?? {} })}\n`,
    })),
  }));
}

/** amtool's arguments to render templates with a sample; those of alertmanager.yml are files of the check. */
function rendering(templates: readonly NamedTemplate[], sample: RenderedFile | undefined): readonly string[] {
  return [
    ...templates.flatMap(({ name, text }) => (text === undefined ? [] : [`--template.glob=CONFIG/${folder}/${name}`])),
    `--template.type=${templates[0]?.isHtml === true ? 'html' : 'text'}`,
    `--template.data=CONFIG/${sample?.path}`,
    `--template.text=${templates.map(({ name, argument = '.' }) => `{{ template ${JSON.stringify(name)} ${argument} }}`).join('')}`,
  ];
}

/** The errors in the output of `amtool template render`, between the rendered text. */
function explainRendering(output: string, templates: readonly NamedTemplate[]): readonly CheckFinding[] {
  const crash = explainCrash('amtool', output, undefined);
  if (crash !== undefined) return crash;
  const errors = new Set([...output.matchAll(/amtool: error: (.*)$/gm)].map(([, error = '']) => shortened(error)));
  return [...errors].map((error): CheckFinding => {
    const [, name = '', line = '1', problem = error] =
      /^(?:html\/)?template: ?(.*?):(\d+)(?::\d+)?: (.*)$/.exec(error) ?? [];
    const message = problem.replace(/^executing "[^"]*" /, '');
    const template = templates.find((candidate) => candidate.text !== undefined && candidate.name === name);
    if (template === undefined) return name === '' ? { message } : { path: name, line: Number(line), message };
    const inBlock = (template.text ?? '').includes('\n') ? Number(line) - 1 : 0;
    return {
      path: mainFile,
      line: template.line === undefined ? undefined : template.line + inBlock,
      message: `in the ${template.title}: ${message}`,
    };
  });
}

/** Without the data of the sample, which Go prints in full where a template takes it for something else. */
function shortened(error: string): string {
  const short = error.replace(/\{sample (?:firing|resolved) .*/, 'a whole notification');
  return short.length <= longestError ? short : `${short.slice(0, longestError - 1)}…`;
}

const longestError = 200;

function textFile(name: string, text: string, { content, secrets = [] }: RenderedFile): RenderedFile {
  if (!(content instanceof Secret)) return { ...checkFile(name), content: text };
  return { ...checkFile(name), content: new Secret(text, content.origin), secrets, mode: 0o400 };
}

function checkFile(name: string): Omit<RenderedFile, 'content'> {
  return { service: 'alertmanager', path: `${folder}/${name}`, mode: 0o444, origin: 'promstack' };
}
