import { isMap, isPair, isScalar, isSeq, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import { isMapping, type Mapping, mappingsIn } from '../values/mapping.ts';
import { parseMapping, ruleFiles } from './alerts.ts';
import { templateError } from './health.ts';

/** The folder of the generated rules and their test during the check. */
const folder = 'template-check';

interface Sample {
  /** The value of every label but `own`. */
  readonly label: string;
  readonly value: string;
  readonly own?: Readonly<Record<string, string>>;
}

/** The samples that every template is filled in with. */
const samples: readonly [Sample, ...Sample[]] = [
  { label: 'sample-value.example.com:9100/path', value: '0' },
  { label: '1', value: '1.5' },
  { label: '5m', value: '123456' },
];

/**
 * Fills in the labels and annotations of all alerts with sample values: promtool parses them when it checks rules, but
 * executes none. One generated test does it for all files. A rule in it has the template as a label, since only labels
 * can be queried; Prometheus fills in labels and annotations by the same function.
 */
export function alertTemplateChecks(files: readonly RenderedFile[], flags: readonly string[]): readonly CheckCommand[] {
  // The shipped rules have tests of their own, and a user cannot have changed them.
  const sources = ruleFiles(files).filter(({ isShipped }) => isShipped !== true);
  const templates = [...new Set(sources.flatMap((file) => templatesIn(parseMapping(file))))].sort();
  if (templates.length === 0) return [];
  const prometheus = parseMapping(files.find(({ path }) => path === 'prometheus.yml'));
  const rules = {
    groups: [
      {
        name: 'templates',
        rules: templates.map((text, at) => ({
          // Where the template itself has what a failed printf leaves, finding it in the result says nothing.
          alert: `${at}${printfError.test(text) ? literal : ''}`,
          expr: 'promstack_sample',
          labels: { promstack_text: text },
        })),
      },
    ],
  };
  const test = {
    rule_files: ['rules.yml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        external_labels: externalLabels(prometheus),
        external_url: 'http://prometheus.example.com:9090',
        input_series: seriesFor(templates),
        promql_expr_test: [{ expr: failedTexts, eval_time: '0s', exp_samples: [] }],
      },
    ],
  };
  return [
    {
      title: `the labels and annotations of alerts, with sample values`,
      tool: 'promtool',
      argv: ['promtool', 'test', 'rules', ...flags, `CONFIG/${folder}/test.yml`],
      reads: [checkFile('rules.yml', rules), checkFile('test.yml', test)],
      explain: (output) => explainTemplates(output, templates, sources),
    },
  ];
}

/** Ends the names of alerts in whose template a failed printf cannot be told from the text. */
const literal = 'l';

/** What Go's fmt prints for a verb that does not fit: `%!d(float64=3)`. */
const printfError = /%!\S?\(/;

/**
 * Errors that a template may have with the samples alone: a number read from a label that is none, a query without data,
 * a text that is too short, and functions that promtool lacks.
 */
const ofSamples = `(?:parsing|duration string:?) "(?:|${samples.map(({ label }) => label).join('|')})"|first[(][)] called on vector with no elements|out of range|nil pointer dereference`;

/** The texts of templates that failed; PromQL takes what is between backquotes as it is. */
const failedTexts = [
  'max by (alertname, promstack_text) (',
  `ALERTS{promstack_text=~\`(?s:.*<error expanding template: .*)\`, promstack_text!~\`(?s:.*(?:${ofSamples}).*)\`}`,
  `or ALERTS{promstack_text=~\`(?s:.*%![^ ]?[(].*)\`, alertname!~\`.*${literal}\`}`,
  ')',
].join(' ');

/** The texts with a template among the labels and annotations of the alerts. */
function templatesIn(file: Mapping | undefined): readonly string[] {
  return mappingsIn(file?.['groups'], []).flatMap(({ value: group }) =>
    mappingsIn(group['rules'], []).flatMap(({ value: rule }) =>
      rule['alert'] === undefined
        ? []
        : [group['labels'], rule['labels'], rule['annotations']]
            .flatMap((texts) => (isMapping(texts) ? Object.values(texts) : []))
            .map(String)
            .filter((text) => text.includes('{{') && !cannotFail(text)),
    ),
  );
}

/**
 * Whether a template only prints labels and the value, or the value by a function that takes any number. That is nearly
 * every template, and running ten thousand of them takes minutes.
 */
function cannotFail(template: string): boolean {
  return template.replaceAll(harmlessAction, '').includes('{{') === false;
}

const label = String.raw`(?:\$labels|\.Labels)\.[A-Za-z_]\w*`;
const value = String.raw`(?:\$value|\.Value)`;
const ofNumber = String.raw`(?:humanize(?:1024|Duration|Percentage)?|printf\s+"(?:[^"%\\]|%%)*%[.\d]*[efgEFGv](?:[^"%\\]|%%)*")`;
const harmlessAction = new RegExp(
  String.raw`\{\{-?\s*(?:${label}|${value}(?:\s*\|\s*${ofNumber})?|${ofNumber}\s+${value})\s*-?\}\}`,
  'g',
);

/** The most samples; each template is filled in with all of them. */
const maxSamples = 40;

/**
 * The sample series of a test. Those beyond `samples` have labels and values that the templates compare with, so that
 * both branches of a condition are taken.
 */
function seriesFor(templates: readonly string[]): readonly { readonly series: string; readonly values: string }[] {
  const names = [...new Set(templates.flatMap(labelsUsedIn))].sort();
  const all = templates.join('\n');
  const [plain] = samples;
  const compared = [...all.matchAll(comparedLabel)].map(([, name = '', text = '']): Sample => {
    return { ...plain, own: { [name]: unquoted(text) } };
  });
  const around = [...all.matchAll(comparedValue)].flatMap(([, number]) =>
    [-1, 0, 1].map((step): Sample => ({ ...plain, value: String(Number(number) + step) })),
  );
  const distinct = new Map([...samples, ...compared, ...around].map((sample) => [JSON.stringify(sample), sample]));
  return [...distinct.values()].slice(0, maxSamples).map(({ label: text, value: values, own = {} }, at) => {
    const labels = names.map((name) => `, ${name}=${JSON.stringify(own[name] ?? text)}`);
    return { series: `promstack_sample{promstack_sample="${at}"${labels.join('')}}`, values };
  });
}

const comparedLabel = /\b(?:eq|ne)\s+(?:\$labels|\.Labels)\.([A-Za-z_]\w*)\s+"((?:[^"\\]|\\.)*)"/g;
const comparedValue = /\b(?:eq|ne|lt|le|gt|ge)\s+(?:\$value|\.Value)\s+(-?\d+(?:\.\d+)?)/g;

/** The labels that a template reads by their names. */
function labelsUsedIn(template: string): readonly string[] {
  return [...template.matchAll(/(?:\$labels|\.Labels)(?:\.|\s+["`])([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
}

function externalLabels(prometheus: Mapping | undefined): Readonly<Record<string, string>> {
  const global = prometheus?.['global'];
  const labels = isMapping(global) ? global['external_labels'] : undefined;
  return isMapping(labels)
    ? Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, String(text)]))
    : {};
}

function checkFile(name: string, content: object): RenderedFile {
  // JSON is YAML, but for characters that YAML does not take unescaped.
  const text = JSON.stringify(content).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { service: 'prometheus', path: `${folder}/${name}`, content: text, mode: 0o444, origin: 'promstack' };
}

/** A template's text in the output of promtool, by the number of its rule. */
const failedText = /\{alertname="(\d+)l?", promstack_text="((?:\\.|[^"\\])*)"\}/g;

/**
 * The failed templates in the output of promtool. When it could not even load the rules, a template cannot be parsed,
 * which the check of the rule files reports.
 */
function explainTemplates(
  output: string,
  templates: readonly string[],
  sources: readonly RenderedFile[],
): readonly CheckFinding[] {
  if (/^\s*CONFIG\/\S+: .*group "templates", rule \d+/m.test(output)) {
    return [{ message: 'a template cannot be parsed', isReportedElsewhere: true }];
  }
  const failures = new Map<string, string>();
  for (const [, number = '', quoted = ''] of output.matchAll(failedText)) {
    const template = templates[Number(number)];
    if (template !== undefined && !failures.has(template)) failures.set(template, whyFailed(unquoted(quoted)));
  }
  if (failures.size > 0) return sources.flatMap((file) => findingsIn(file, failures));
  // The user's files are not to blame when promtool does not take the generated ones, as an old one might not.
  const [said = ''] = output.split('\n').filter((line) => line.trim() !== '' && !/^\s*FAILED/.test(line));
  return [{ message: `promtool cannot run the samples: ${said.trim()}`, isReportedElsewhere: true }];
}

function whyFailed(text: string): string {
  const [, error] = /<error expanding template: (.*)>/s.exec(text) ?? [];
  if (error !== undefined) return `cannot be filled in: ${templateError(error)}`;
  return `becomes ${JSON.stringify(text)} when it is filled in`;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** Every place of the failed templates in a file. */
function findingsIn(file: RenderedFile, failures: ReadonlyMap<string, string>): readonly CheckFinding[] {
  const text = contentOf(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: lines, logLevel: 'silent', prettyErrors: false });
  const findings: CheckFinding[] = [];
  const search = (map: YAMLMap, key: 'labels' | 'annotations', owner: string): void => {
    const texts = map.get(key);
    for (const pair of isMap(texts) ? texts.items : []) {
      const why = failures.get(textOf(pair));
      if (why === undefined || !isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      findings.push({
        path: file.path,
        line: lines.linePos(pair.key.range?.[0] ?? 0).line,
        about: name,
        message: `the ${key.slice(0, -1)} ${name} of ${owner} ${why}`,
      });
    }
  };
  for (const group of mapsIn(isMap(document.contents) ? document.contents.get('groups') : undefined)) {
    search(group, 'labels', `the group ${String(group.get('name'))}`);
    for (const rule of mapsIn(group.get('rules'))) {
      search(rule, 'labels', `the alert ${String(rule.get('alert'))}`);
      search(rule, 'annotations', `the alert ${String(rule.get('alert'))}`);
    }
  }
  return findings;
}

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter((item) => isMap(item)) : []);

function textOf(pair: unknown): string {
  return isPair(pair) && isScalar((pair as Pair).value)
    ? String(((pair as Pair).value as { value: unknown }).value)
    : '';
}
