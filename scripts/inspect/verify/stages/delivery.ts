import {
  explainFailure,
  type NotifyFailure,
  readNotifyFailure,
} from '../../../../stack/alertmanager/notify-failures.ts';
import { receiverOfCanary } from '../../../../stack/canary.ts';
import type { Cause, PipelineCheck, Stage } from '../pipeline-check.ts';
import { type ActiveAlert, findCanary } from './arrival.ts';

/** The notification arrives at the sink; without a sink, that Alertmanager gives the alert to the receiver meant for it. */
export const delivery: Stage = {
  name: 'receiver',
  claim: 'gets the notification',
  isThere: ({ servers }) => servers.config.alertmanager.enabled,
  look: async (drill) => {
    const { servers, nonce } = drill;
    const { config } = servers;
    const wanted = receiverOfCanary(config);
    const alert = await findCanary(servers, nonce);
    if (alert !== undefined) {
      const astray = goesAstray(alert, wanted) ?? isKeptBack(alert);
      if (astray !== undefined) return { kind: 'broken', ...astray };
    }
    if (!config.sink.enabled) {
      if (alert === undefined) return { kind: 'waiting', because: 'Alertmanager does not hold the alert any more' };
      return { kind: 'passed', detail: `routed to ${wanted}, which tells nobody: there is no sink to tell` };
    }
    // A little earlier than the start: the engine's clock need not be ours.
    const since = new Date(drill.startedAt.getTime() - 60_000);
    const lines = await servers.lines('sink', since);
    if (lines.some(({ text }) => text.includes(nonce))) return { kind: 'passed', detail: 'the sink' };
    await servers.mustRun('sink');
    const failure = await lastFailure(drill);
    if (failure?.isFinal === true) return { kind: 'broken', ...explainFailure(failure) };
    return { kind: 'waiting', because: 'the sink has not got the notification' };
  },
  explain: async (drill) => {
    const failure = await lastFailure(drill);
    if (failure !== undefined) return explainFailure(failure);
    return {
      why: `Alertmanager has sent the notification to ${receiverOfCanary(drill.servers.config)} and waits for an answer`,
      tryThis: 'the receiver takes the connection and does not answer: look at the receiver itself',
    };
  },
};

function goesAstray(alert: ActiveAlert, wanted: string): Cause | undefined {
  const names = alert.receivers.map(({ name }) => name);
  if (names.includes(wanted)) return undefined;
  return {
    why: `Alertmanager routes it to ${names.join(', ') || 'nobody'}, not to ${wanted}`,
    tryThis: 'keep !value alertmanager.route in templates/alertmanager/alertmanager.yml, then promstack reload',
  };
}

/** Silences, inhibit rules and muted times keep every alert they match from its receivers. */
function isKeptBack({ status }: ActiveAlert): Cause | undefined {
  if (status.silencedBy.length > 0) {
    const ids = status.silencedBy.join(' ');
    return { why: `a silence matches it: ${ids}`, tryThis: `promstack silence expire ${ids}` };
  }
  if (status.inhibitedBy.length > 0) {
    return {
      why: 'another alert inhibits it',
      tryThis:
        'promstack alert test --label alertname=PromstackVerify shows which rule; narrow it in alertmanager.inhibit_rules',
    };
  }
  if (status.mutedBy.length === 0) return undefined;
  return {
    why: `it is muted at this time: ${status.mutedBy.join(', ')}`,
    tryThis: 'see the time intervals of the routes in alertmanager.yml',
  };
}

/** Alertmanager names the group of alerts with each failure, and the canary's group carries its nonce. */
async function lastFailure({ servers, nonce, startedAt }: PipelineCheck): Promise<NotifyFailure | undefined> {
  const lines = await servers.lines('alertmanager', new Date(startedAt.getTime() - 60_000));
  return lines
    .filter(({ text }) => text.includes(nonce))
    .map(({ text }) => readNotifyFailure(text))
    .findLast((failure) => failure !== undefined);
}
