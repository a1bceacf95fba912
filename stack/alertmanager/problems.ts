import { canaryReceiver, definesCanaryReceiver } from '../canary.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { heartbeatReceiverName } from '../heartbeat/heartbeat.ts';
import type { RenderedFile } from '../model.ts';
import type { FileProblem } from '../service.ts';
import {
  durationProblems,
  isMapping,
  type Mapping,
  mappingsIn,
  misspelledKeys,
  repeatedNames,
} from '../values/mapping.ts';
import { replacedFile } from '../values/replaced-file.ts';
import { expected } from '../values/words.ts';
import { mainFile } from './main-file.ts';
import { matcherProblems, routeProblems } from './route-problems.ts';

export function problems(config: StackConfig): readonly Problem[] {
  const own = config.alertmanager;
  const at = (key: string): KeyPath => ['alertmanager', key];
  const receivers = namesIn(own.receivers, at('receivers'));
  const intervals = [
    ...namesIn(own.mute_time_intervals, at('mute_time_intervals')),
    ...namesIn(own.time_intervals, at('time_intervals')),
  ];
  const defined = {
    receivers: [...strings(receivers), ...stackReceivers(config)],
    receiversAt: at('receivers'),
    intervals: strings(intervals),
    intervalsAt: at('time_intervals'),
  };
  return [
    ...(own.global === undefined ? [] : durationProblems(own.global, 'resolve_timeout', at('global'))),
    ...(own.route === undefined
      ? unreachedReceivers(own.receivers, at('receivers'))
      : routeProblems(own.route, at('route'), defined)),
    ...repeatedNames(receivers, 'receivers'),
    ...receivers.flatMap(({ name, path }) => reservedNames(config, name, path)),
    ...mappingsIn(own.receivers, at('receivers')).flatMap(({ value, path }) => receiverProblems(value, path)),
    ...repeatedNames(intervals, 'time intervals'),
    ...mappingsIn(own.inhibit_rules, at('inhibit_rules')).flatMap(({ value, path }) => [
      ...matcherProblems(value, 'source_matchers', path),
      ...matcherProblems(value, 'target_matchers', path),
    ]),
  ];
}

/** Receivers that services of the stack contribute. */
function stackReceivers(config: StackConfig): readonly string[] {
  return [...(config.sink.enabled ? ['sink'] : []), ...(config.heartbeat === undefined ? [] : [heartbeatReceiverName])];
}

function reservedNames(config: StackConfig, name: unknown, path: KeyPath): readonly Problem[] {
  const reserved = [...stackReceivers(config), ...(definesCanaryReceiver(config) ? [canaryReceiver] : [])];
  if (!reserved.some((receiver) => receiver === name)) return [];
  const message = `the receiver name "${String(name)}" is already in use: the stack defines a receiver of that name`;
  return [{ code: 'name-twice', path, message, hint: 'rename this receiver' }];
}

function unreachedReceivers(receivers: readonly unknown[], path: KeyPath): readonly Problem[] {
  if (receivers.length === 0) return [];
  return [
    {
      code: 'no-route',
      path,
      atKey: true,
      severity: 'warning',
      message: 'these receivers are never notified, because there is no route',
      hint: 'add alertmanager.route with "receiver:" and the name of one of them',
    },
  ];
}

function receiverProblems(receiver: Mapping, path: KeyPath): readonly Problem[] {
  const notLists = Object.entries(receiver).filter(([key, value]) => key.endsWith('_configs') && isMapping(value));
  return [
    ...misspelledKeys(receiver, receiverKeys, path, /_configs$/),
    ...notLists.map(([key, value]) => ({
      code: 'wrong-type',
      path: [...path, key],
      message: expected('a list', value),
      hint: 'start it with "- "',
    })),
  ];
}

function namesIn(
  list: readonly Mapping[],
  path: KeyPath,
): readonly { readonly name: unknown; readonly path: KeyPath }[] {
  return list.map((item, at) => ({ name: item['name'], path: [...path, at, 'name'] }));
}

function strings(items: readonly { readonly name: unknown }[]): readonly string[] {
  return items.map(({ name }) => name).filter((name) => typeof name === 'string');
}

/** The keys of a receiver, from config/config.go of Alertmanager 0.34; used only for hints. */
export const receiverKeys: readonly string[] = `
  name labels discord_configs email_configs incidentio_configs jira_configs mattermost_configs msteams_configs
  msteamsv2_configs opsgenie_configs pagerduty_configs pushover_configs rocketchat_configs slack_configs sns_configs
  telegram_configs victorops_configs webex_configs webhook_configs wechat_configs
`
  .trim()
  .split(/\s+/);

/** A sink that an alertmanager.yml of the user's does not notify. */
export function unnotifiedSink(files: readonly RenderedFile[], config: StackConfig): readonly FileProblem[] {
  const main = replacedFile(files, mainFile);
  if (main === undefined || !config.sink.enabled) return [];
  const webhooks = mappingsIn(main.config['receivers'], []).flatMap(({ value }) =>
    mappingsIn(value['webhook_configs'], []).map(({ value: webhook }) => webhook),
  );
  const isSink = (url: string): boolean =>
    ['sink', `${config.name}-sink`].some((host) => url.startsWith(`http://${host}:`)) ||
    url.startsWith(`http://host.docker.internal:${config.sink.port}/`);
  // The URL in a file may be the sink's.
  if (webhooks.some(({ url, url_file }) => url_file !== undefined || isSink(String(url)))) return [];
  return [
    {
      file: main.file,
      severity: 'warning',
      code: 'sink-not-notified',
      canBeIgnored: true,
      path: ['receivers'],
      atKey: true,
      message: 'no receiver of this file notifies the sink of this stack',
      hint: 'add "- !spread contributed.receivers" to receivers, and use the receiver "sink" in a route',
    },
  ];
}
