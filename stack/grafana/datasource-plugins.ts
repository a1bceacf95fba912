import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { type Mapping, misspelledKeys } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import { expected, orList, quoted } from '../values/words.ts';
import { knownDatasources } from './datasources.ts';

/** Problems of a plugin's jsonData, from the sources of Grafana 12.4. */
export const pluginProblems: Readonly<
  Record<string, (jsonData: Mapping, path: KeyPath, config: StackConfig) => readonly Problem[]>
> = {
  prometheus: (jsonData, path, config) => [
    ...misspelledKeys(jsonData, prometheusKeys, path),
    ...['timeInterval', 'queryTimeout', 'incrementalQueryOverlapWindow'].flatMap((key) =>
      durationProblem(jsonData, key, path),
    ),
    ...choiceProblem(jsonData, 'httpMethod', ['POST', 'GET'], path),
    ...choiceProblem(jsonData, 'prometheusType', ['Prometheus', 'Cortex', 'Mimir', 'Thanos'], path),
    ...choiceProblem(jsonData, 'cacheLevel', ['Low', 'Medium', 'High', 'None'], path),
    ...stringProblem(jsonData, 'prometheusVersion', path),
    ...booleanProblem(jsonData, 'manageAlerts', path),
    ...alertmanagerProblem(jsonData, path, config),
  ],
  alertmanager: (jsonData, path) => [
    ...misspelledKeys(jsonData, ['implementation', 'handleGrafanaManagedAlerts', ...commonKeys], path),
    ...choiceProblem(jsonData, 'implementation', ['prometheus', 'mimir', 'cortex'], path),
    ...booleanProblem(jsonData, 'handleGrafanaManagedAlerts', path),
    ...(jsonData['implementation'] === undefined
      ? [
          {
            severity: 'warning' as const,
            code: 'missing-key',
            path,
            atKey: true,
            message: 'without jsonData.implementation Grafana assumes an Alertmanager of Mimir',
            hint: 'write implementation: prometheus, unless it is one',
          },
        ]
      : []),
  ],
};

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const commonKeys = words(`
  tlsAuth tlsAuthWithCACert tlsSkipVerify serverName timeout keepCookies oauthPassThru httpHeaderName1
`);

const prometheusKeys = [
  ...words(`
    httpMethod timeInterval queryTimeout prometheusType prometheusVersion manageAlerts allowAsRecordingRulesTarget
    alertmanagerUid cacheLevel incrementalQuerying incrementalQueryOverlapWindow disableRecordingRules
    disableMetricsLookup seriesEndpoint seriesLimit customQueryParameters defaultEditor exemplarTraceIdDestinations
  `),
  ...commonKeys,
];

function wrongValue(section: Mapping, key: string, path: KeyPath, what: string, hint?: string): readonly Problem[] {
  return [{ code: 'wrong-value', path: [...path, key], message: expected(what, section[key]), hint }];
}

function durationProblem(section: Mapping, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || (typeof value === 'string' && parseDuration(value) !== undefined)) return [];
  const hint = typeof value === 'number' ? `did you mean ${value}s?` : undefined;
  return wrongValue(section, key, path, 'a duration such as 15s or 5m', hint);
}

function choiceProblem(section: Mapping, key: string, choices: readonly string[], path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || choices.includes(String(value))) return [];
  const meant = choices.find((choice) => choice.toLowerCase() === String(value).toLowerCase());
  const hint = meant === undefined ? undefined : `did you mean ${quoted(meant)}?`;
  return wrongValue(section, key, path, orList(choices), hint);
}

function stringProblem(section: Mapping, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || typeof value === 'string') return [];
  return wrongValue(section, key, path, 'a string', `quote it: "${String(value)}"`);
}

function booleanProblem(section: Mapping, key: string, path: KeyPath): readonly Problem[] {
  const value = section[key];
  if (value === undefined || typeof value === 'boolean') return [];
  return wrongValue(section, key, path, 'true or false');
}

function alertmanagerProblem(jsonData: Mapping, path: KeyPath, config: StackConfig): readonly Problem[] {
  const uid = jsonData['alertmanagerUid'];
  const uids = knownDatasources(config).flatMap((known) => (known.type === 'alertmanager' ? [known.uid] : []));
  if (uid === undefined || uids.some((known) => known === uid)) return [];
  return [
    {
      code: 'unknown-datasource',
      path: [...path, 'alertmanagerUid'],
      message: `no Alertmanager datasource has the uid ${quoted(String(uid))}`,
      hint: uids.length === 0 ? 'the stack has no Alertmanager datasource' : `available: ${uids.join(', ')}`,
    },
  ];
}
