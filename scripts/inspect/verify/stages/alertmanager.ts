import {
  explainFailure,
  type NotifyFailure,
  readNotifyFailure,
} from '../../../../stack/alertmanager/notify-failures.ts';
import { canaryLabel, receiverOfCanary } from '../../../../stack/canary.ts';
import { type ActiveAlert, AlertmanagerClient } from '../../../servers/alertmanager.ts';
import { PrometheusClient } from '../../../servers/prometheus.ts';
import type { Cause, PipelineCheck, Stage } from '../pipeline-check.ts';

/** Alertmanager has received the alert. */
export const arrival: Stage = {
  name: 'alertmanager',
  claim: 'received the alert',
  isPresent: ({ servers }) => servers.config.alertmanager.enabled,
  probe: async (check) => {
    if ((await findCanary(check)) !== undefined) return { kind: 'passed' };
    if ((await new PrometheusClient(check.servers).alertmanagers()).length > 0) {
      return { kind: 'waiting', because: 'Prometheus has not sent the alert' };
    }
    return {
      kind: 'broken',
      why: 'Prometheus has no Alertmanager to send alerts to',
      tryThis:
        'add "- !spread contributed.alertmanagers" to alerting.alertmanagers in templates/prometheus/prometheus.yml, then promstack reload',
    };
  },
  explain: async ({ servers, startedAt }) => {
    const error = (await servers.lines('prometheus', startedAt))
      .map(({ text }) => /[Ee]rror sending alerts?.*err="((?:\\.|[^"\\])*)"/.exec(text)?.[1])
      .findLast((message) => message !== undefined);
    if (error !== undefined) {
      return { why: `Prometheus could not send it: ${error}`, tryThis: 'promstack logs prometheus alertmanager' };
    }
    return {
      why: 'Prometheus fires the alert, but Alertmanager does not receive it',
      tryThis: 'check alert_relabel_configs in templates/prometheus/prometheus.yml; promstack logs prometheus',
    };
  },
};

/** The canary's alert in Alertmanager. */
async function findCanary({ servers, nonce }: PipelineCheck): Promise<ActiveAlert | undefined> {
  const [alert] = await new AlertmanagerClient(servers).alerts([{ name: canaryLabel, operator: '=', value: nonce }]);
  return alert;
}

/** The notification arrives at the sink; without a sink, Alertmanager routes the alert to the canary's receiver. */
export const delivery: Stage = {
  name: 'receiver',
  claim: 'received the notification',
  isPresent: ({ servers }) => servers.config.alertmanager.enabled,
  probe: async (check) => {
    const { servers, nonce } = check;
    const { config } = servers;
    const receiver = receiverOfCanary(config);
    const alert = await findCanary(check);
    if (alert !== undefined) {
      const cause = misrouted(alert, receiver) ?? suppressed(alert);
      if (cause !== undefined) return { kind: 'broken', ...cause };
    }
    if (!config.sink.enabled) {
      if (alert === undefined) return { kind: 'waiting', because: 'Alertmanager no longer has the alert' };
      return { kind: 'passed', detail: `routed to ${receiver}, which notifies nobody: there is no sink` };
    }
    const lines = await servers.lines('sink', logStart(check));
    if (lines.some(({ text }) => text.includes(nonce))) return { kind: 'passed', detail: 'the sink' };
    await servers.mustRun('sink');
    const failure = await lastFailure(check);
    if (failure?.isFinal === true) return { kind: 'broken', ...explainFailure(failure) };
    return { kind: 'waiting', because: 'the sink has not received the notification' };
  },
  explain: async (check) => {
    const failure = await lastFailure(check);
    if (failure !== undefined) return explainFailure(failure);
    return {
      why: `Alertmanager has sent the notification to ${receiverOfCanary(check.servers.config)} and is waiting for a response`,
      tryThis: 'check the receiver: it accepts the connection but does not respond',
    };
  },
};

function misrouted({ receivers }: ActiveAlert, receiver: string): Cause | undefined {
  const names = receivers.map(({ name }) => name);
  if (names.includes(receiver)) return undefined;
  return {
    why: `Alertmanager routes it to ${names.join(', ') || 'nobody'}, not to ${receiver}`,
    tryThis:
      'write "route: !value alertmanager.route" in templates/alertmanager/alertmanager.yml, then promstack reload',
  };
}

function suppressed({ status }: ActiveAlert): Cause | undefined {
  if (status.silencedBy.length > 0) {
    const ids = status.silencedBy.join(' ');
    return { why: `it is silenced by ${ids}`, tryThis: `promstack silence expire ${ids}` };
  }
  if (status.inhibitedBy.length > 0) {
    const tryThis =
      'promstack alert test --label alertname=PromstackVerify shows the rule; narrow it in alertmanager.inhibit_rules';
    return { why: 'another alert inhibits it', tryThis };
  }
  if (status.mutedBy.length === 0) return undefined;
  return {
    why: `it is muted at this time: ${status.mutedBy.join(', ')}`,
    tryThis: 'check the time intervals of the routes in alertmanager.yml',
  };
}

/** Alertmanager logs the alert group with each failure, and the canary's group contains the nonce. */
async function lastFailure(check: PipelineCheck): Promise<NotifyFailure | undefined> {
  return (await check.servers.lines('alertmanager', logStart(check)))
    .filter(({ text }) => text.includes(check.nonce))
    .map(({ text }) => readNotifyFailure(text))
    .findLast((failure) => failure !== undefined);
}

/** A minute early, since the engine's clock may differ from this machine's. */
function logStart({ startedAt }: PipelineCheck): Date {
  return new Date(startedAt.getTime() - 60_000);
}
