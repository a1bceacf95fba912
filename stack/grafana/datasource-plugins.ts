import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { misspeltKeys, type Native } from '../values/native.ts';
import { parseDuration } from '../values/units.ts';
import { either, inWords, quoted } from '../values/words.ts';
import { knownDatasources } from './datasources.ts';

/** Reads the jsonData of a plugin. */
type PluginProblems = (jsonData: Native, path: KeyPath, config: StackConfig) => readonly Problem[];

/** What promstack knows of the settings of plugins (the tables of Grafana 12.4's own sources). */
export const pluginProblems: Readonly<Record<string, PluginProblems>> = {
  prometheus: (jsonData, path, config) => [
    ...misspeltKeys(jsonData, prometheusKeys, path),
    ...['timeInterval', 'queryTimeout', 'incrementalQueryOverlapWindow'].flatMap((key) =>
      spanProblem(jsonData, key, path),
    ),
    ...choiceProblem(jsonData, 'httpMethod', ['POST', 'GET'], path),
    ...choiceProblem(jsonData, 'prometheusType', ['Prometheus', 'Cortex', 'Mimir', 'Thanos'], path),
    ...choiceProblem(jsonData, 'cacheLevel', ['Low', 'Medium', 'High', 'None'], path),
    ...textProblem(jsonData, 'prometheusVersion', path),
    ...truthProblem(jsonData, 'manageAlerts', path),
    ...alertmanagerProblem(jsonData, path, config),
  ],
  alertmanager: (jsonData, path) => [
    ...misspeltKeys(jsonData, ['implementation', 'handleGrafanaManagedAlerts', ...commonKeys], path),
    ...choiceProblem(jsonData, 'implementation', ['prometheus', 'mimir', 'cortex'], path),
    ...truthProblem(jsonData, 'handleGrafanaManagedAlerts', path),
    ...(jsonData['implementation'] === undefined
      ? [
          {
            severity: 'warning' as const,
            code: 'missing-key',
            path,
            atKey: true,
            message: "without jsonData.implementation Grafana takes the Alertmanager for Mimir's",
            hint: 'write implementation: prometheus, unless it is',
          },
        ]
      : []),
  ],
};

const commonKeys = [
  'tlsAuth',
  'tlsAuthWithCACert',
  'tlsSkipVerify',
  'serverName',
  'timeout',
  'keepCookies',
  'oauthPassThru',
  'httpHeaderName1',
  'httpHeaderName2',
];

const prometheusKeys = [
  'httpMethod',
  'timeInterval',
  'queryTimeout',
  'prometheusType',
  'prometheusVersion',
  'manageAlerts',
  'allowAsRecordingRulesTarget',
  'alertmanagerUid',
  'cacheLevel',
  'incrementalQuerying',
  'incrementalQueryOverlapWindow',
  'disableRecordingRules',
  'disableMetricsLookup',
  'seriesEndpoint',
  'seriesLimit',
  'customQueryParameters',
  'defaultEditor',
  'exemplarTraceIdDestinations',
  ...commonKeys,
];

function wrong(section: Native, key: string, path: KeyPath, expected: string, hint?: string): readonly Problem[] {
  return [
    {
      code: 'wrong-value',
      path: [...path, key],
      message: `${expected} is expected here, not ${inWords(section[key])}`,
      ...(hint === undefined ? {} : { hint }),
    },
  ];
}

function spanProblem(section: Native, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || (typeof value === 'string' && parseDuration(value) !== undefined)) return [];
  return wrong(
    section,
    key,
    path,
    'a duration such as 15s or 5m',
    typeof value === 'number' ? `is it ${value}s?` : undefined,
  );
}

function choiceProblem(section: Native, key: string, choices: readonly string[], path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || choices.includes(String(value))) return [];
  const meant = choices.find((choice) => choice.toLowerCase() === String(value).toLowerCase());
  return wrong(section, key, path, either(choices), meant === undefined ? undefined : `did you mean ${quoted(meant)}?`);
}

function textProblem(section: Native, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || typeof value === 'string') return [];
  return wrong(section, key, path, 'a text', `put it in quotes: "${String(value)}"`);
}

function truthProblem(section: Native, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || typeof value === 'boolean') return [];
  return wrong(section, key, path, 'true or false');
}

function alertmanagerProblem(jsonData: Native, path: KeyPath, config: StackConfig): readonly Problem[] {
  const uid = jsonData['alertmanagerUid'];
  const known = knownDatasources(config).filter(({ type }) => type === 'alertmanager');
  if (uid === undefined || known.some((one) => one.uid === uid)) return [];
  return [
    {
      code: 'unknown-datasource',
      path: [...path, 'alertmanagerUid'],
      message: `no Alertmanager datasource has the uid ${quoted(String(uid))}`,
      hint: known.length === 0 ? 'the stack has none' : `there is ${known.map((one) => one.uid).join(', ')}`,
    },
  ];
}
