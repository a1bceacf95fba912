import { canaryReceiver } from '../canary.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { durationProblems, isNative, mappingsIn, misspeltKeys, type Native, repeatedNames } from '../values/native.ts';
import { inWords } from '../values/words.ts';
import { matcherProblems, routeProblems } from './route-problems.ts';
import { bringsCanaryReceiver } from './routing.ts';

/** What is wrong with the Alertmanager part of the config that its shape alone does not show. */
export function problems(config: StackConfig): readonly Problem[] {
  const own = config.alertmanager;
  const at = (key: string): KeyPath => ['alertmanager', key];
  const receivers = named(own.receivers, at('receivers'));
  const intervals = named(own.time_intervals, at('time_intervals'));
  const names = {
    receivers: [...textsOf(receivers), ...receiversOfTheStack(config)],
    receiversAt: at('receivers'),
    intervals: textsOf(intervals),
    intervalsAt: at('time_intervals'),
  };
  return [
    ...(own.global === undefined ? [] : durationProblems(own.global, 'resolve_timeout', at('global'))),
    ...(own.route === undefined
      ? unreached(own.receivers, at('receivers'))
      : routeProblems(own.route, at('route'), names)),
    ...repeatedNames(receivers, 'receivers'),
    ...receivers.flatMap(({ name, path }) => takenName(config, name, path)),
    ...mappingsIn(own.receivers, at('receivers')).flatMap(({ value, path }) => receiverProblems(value, path)),
    ...repeatedNames(intervals, 'time intervals'),
    ...own.inhibit_rules.flatMap((rule, index) => inhibitProblems(rule, [...at('inhibit_rules'), index])),
  ];
}

/** Receivers that services of the stack bring along. */
function receiversOfTheStack(config: StackConfig): readonly string[] {
  return config.sink.enabled ? ['sink'] : [];
}

function takenName(config: StackConfig, name: unknown, path: KeyPath): readonly Problem[] {
  const taken = [...receiversOfTheStack(config), ...(bringsCanaryReceiver(config) ? [canaryReceiver] : [])];
  if (!taken.some((one) => one === name)) return [];
  const message = `the receiver name "${String(name)}" is taken: the stack brings a receiver of that name`;
  return [{ code: 'name-twice', path, message, hint: 'give this receiver another name' }];
}

function unreached(receivers: readonly unknown[], path: KeyPath): readonly Problem[] {
  if (receivers.length === 0) return [];
  return [
    {
      code: 'no-route',
      path,
      atKey: true,
      severity: 'warning',
      message: 'no alert reaches these receivers: there is no route',
      hint: 'add alertmanager.route with "receiver:" and the name of one of them',
    },
  ];
}

function receiverProblems(receiver: Native, path: KeyPath): readonly Problem[] {
  const wrong = Object.entries(receiver).filter(([key, value]) => key.endsWith('_configs') && isNative(value));
  return [
    ...misspeltKeys(receiver, receiverKeys, path),
    ...wrong.map(([key, value]) => ({
      code: 'wrong-type',
      path: [...path, key],
      message: `a list is expected here, not ${inWords(value)}`,
      hint: 'begin it with "- "',
    })),
  ];
}

function inhibitProblems(rule: Native, path: KeyPath): readonly Problem[] {
  return [...matcherProblems(rule, 'source_matchers', path), ...matcherProblems(rule, 'target_matchers', path)];
}

function named(list: readonly Native[], path: KeyPath): readonly { readonly name: unknown; readonly path: KeyPath }[] {
  return list.map((item, at) => ({ name: item['name'], path: [...path, at, 'name'] }));
}

function textsOf(items: readonly { readonly name: unknown }[]): readonly string[] {
  return items.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

/** The keys of one receiver, from config/config.go of Alertmanager 0.34; used only to tell slips. */
export const receiverKeys: readonly string[] = [
  'name',
  'labels',
  'discord_configs',
  'email_configs',
  'incidentio_configs',
  'jira_configs',
  'mattermost_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'opsgenie_configs',
  'pagerduty_configs',
  'pushover_configs',
  'rocketchat_configs',
  'slack_configs',
  'sns_configs',
  'telegram_configs',
  'victorops_configs',
  'webex_configs',
  'webhook_configs',
  'wechat_configs',
];
