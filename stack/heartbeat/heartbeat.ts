import { stringify } from 'yaml';
import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { secretTextProblem } from '../secrets/secret-text.ts';
import { configDir } from '../values/container.ts';
import { parseDuration } from '../values/units.ts';

/** The alert that always fires. */
export const heartbeatAlert = 'PromstackHeartbeat';
/** The receiver that is notified of it alone. */
export const heartbeatReceiverName = 'promstack-heartbeat';

const secretPath = 'secrets/heartbeat-url';
/** Alertmanager cannot be expected to notify more often. */
const shortestMs = 10_000;

/** The receiver of the heartbeat, in Alertmanager's syntax; none when it is not set. */
export function heartbeatReceivers({ heartbeat }: StackConfig): readonly Readonly<Record<string, unknown>>[] {
  if (heartbeat === undefined) return [];
  // When Prometheus no longer sends the alert, it is resolved, which is no sign of life.
  const webhook = { url_file: `${configDir}/${secretPath}`, send_resolved: false };
  return [{ name: heartbeatReceiverName, webhook_configs: [webhook] }];
}

/** The file that the receiver reads the URL from. */
export function heartbeatFiles({ heartbeat }: StackConfig): readonly RenderedFile[] {
  if (heartbeat === undefined) return [];
  const { url } = heartbeat;
  return [{ service: 'alertmanager', path: secretPath, content: url, secrets: [url], mode: 0o400, origin: url.origin }];
}

/** The route of the heartbeat: it matches nothing else, so it changes no route of the user's alerts. */
export function heartbeatRoutes({ heartbeat }: StackConfig): readonly Readonly<Record<string, unknown>>[] {
  if (heartbeat === undefined) return [];
  const everyMs = parseDuration(heartbeat.every) ?? 0;
  return [
    {
      matchers: [`alertname="${heartbeatAlert}"`],
      receiver: heartbeatReceiverName,
      group_by: ['alertname'],
      group_wait: '0s',
      group_interval: heartbeat.every,
      // Alertmanager looks at each group_interval whether this has passed; an equal one would be missed by milliseconds.
      repeat_interval: `${Math.floor(everyMs / 2)}ms`,
    },
  ];
}

/** The rule of the heartbeat. */
export function heartbeatRules({ heartbeat }: StackConfig): readonly RenderedFile[] {
  if (heartbeat === undefined) return [];
  const annotations = {
    summary: 'The pipeline from Prometheus to Alertmanager works',
    description: `This alert always fires. It calls the URL of heartbeat in stack.yml every ${heartbeat.every}.`,
    runbook: '1. Nothing to do: when the calls stop, the service outside notifies you.\n',
  };
  const rule = { alert: heartbeatAlert, expr: 'vector(1)', labels: { severity: 'none' }, annotations };
  const text = stringify({ groups: [{ name: heartbeatReceiverName, rules: [rule] }] });
  const content = `# Written by promstack for the key "heartbeat" of stack.yml.\n${text}`;
  return [{ service: 'prometheus', path: 'rules/promstack-heartbeat.yml', content, mode: 0o444, origin: 'promstack' }];
}

export function heartbeatProblems(config: StackConfig): readonly Problem[] {
  const { heartbeat, prometheus, alertmanager } = config;
  if (heartbeat === undefined) return [];
  const wrong = secretTextProblem(heartbeat.url.reveal(), 'url');
  const { every } = heartbeat;
  return [
    ...(wrong === undefined
      ? []
      : [
          {
            code: 'secret-text',
            path: ['heartbeat', 'url'],
            message: `the URL ${wrong.because}`,
            hint: 'such as https://hc-ping.com/your-uuid',
          },
        ]),
    ...((parseDuration(every) ?? 0) >= shortestMs
      ? []
      : [
          {
            code: 'wrong-value',
            path: ['heartbeat', 'every'],
            message: `a heartbeat every ${every} is more often than Alertmanager notifies reliably`,
            hint: 'use 10s or more; services outside usually take 1m or more',
          },
        ]),
    ...(prometheus.enabled && prometheus.mode === 'server' && alertmanager.enabled
      ? []
      : [
          {
            code: 'heartbeat-without-alerts',
            path: ['heartbeat'],
            atKey: true,
            message:
              'a heartbeat needs an alert: this stack has no Prometheus that evaluates rules, or no Alertmanager',
            hint: 'enable prometheus, in server mode, and alertmanager, or remove "heartbeat"',
          },
        ]),
  ];
}
