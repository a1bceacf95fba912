import { logfmt } from '../values/logfmt.ts';

/** A failed notification in Alertmanager's log. */
export interface NotifyFailure {
  readonly receiver: string;
  /** The integration and its index in the receiver: `webhook[0]`. */
  readonly integration: string;
  /** The response of the receiver, or why there was none, in Alertmanager's words. */
  readonly error: string;
  /** Whether Alertmanager has given up; otherwise it retries. */
  readonly isFinal: boolean;
  /** The key of the group, which names its route and its labels. */
  readonly group?: string | undefined;
}

/** A notification in Alertmanager's log that was accepted after others had failed. */
export type RetriedNotification = Pick<NotifyFailure, 'receiver' | 'integration' | 'group'> & {
  readonly attempts: number;
};

/** Parses a line of Alertmanager's log; undefined when it does not report a notification that was accepted at last. */
export function readRetried(line: string): RetriedNotification | undefined {
  const { msg = '', receiver, integration, attempts, aggrGroup: group } = logfmt(line);
  if (!/^notify success/i.test(msg) || receiver === undefined || integration === undefined) return undefined;
  return { receiver, integration, group, attempts: Number(attempts) };
}

/**
 * Parses a line of Alertmanager's log; undefined when it does not report a failed notification. There are two kinds: an attempt that is
 * retried (notify/notify.go), and a notification that is given up (dispatch/dispatch.go).
 */
export function readNotifyFailure(line: string): NotifyFailure | undefined {
  const { msg = '', receiver, integration, err = '', aggrGroup: group } = logfmt(line);
  if (/^notify attempt failed/i.test(msg) && receiver !== undefined && integration !== undefined) {
    return { receiver, integration, error: err, isFinal: false, group };
  }
  if (!/^notify for alerts failed/i.test(msg)) return undefined;
  const [, name = '', at = '', error = ''] = /^(.+?)\/([a-z_]+\[\d+\]): (.*)$/s.exec(err) ?? [];
  return name === '' ? undefined : { receiver: name, integration: at, error, isFinal: true, group };
}

/** Why a notification failed, in a sentence, and what to try. */
export function explainFailure(failure: NotifyFailure): { why: string; tryThis: string } {
  const { receiver, integration } = failure;
  // Alertmanager leaves the URL out.
  const error = failure.error.replace(/\b[A-Z][a-z]+ "?<redacted>"?: /, '');
  const subject = `the receiver ${receiver} (${integration})`;
  const status = /status(?: code)? (\d{3})|^(\d{3}) /.exec(error)?.slice(1).find(Boolean);
  if (status === '401' || status === '403') {
    return {
      why: `${subject} rejects the credentials: it answers ${status}`,
      tryThis: 'put the right secret into stack.yml, or into the file or variable it names, then promstack reload',
    };
  }
  const checkReceiver = `check the receiver itself, and ${logs}`;
  if (status !== undefined) return { why: `${subject} answers ${status}`, tryThis: checkReceiver };
  const [, host] = /\blookup (\S+?)(?: on \S+)?: /.exec(error) ?? [];
  if (host !== undefined) {
    return {
      why: `${subject} is unreachable: the name ${host} cannot be resolved: ${error}`,
      tryThis: 'check the name, and the DNS servers of the containers',
    };
  }
  if (/\bdial (?:tcp|udp)\b.*(?:timeout|deadline exceeded)/i.test(error)) {
    return { why: `${subject} is unreachable: ${error}`, tryThis: 'look for a firewall between it and the containers' };
  }
  if (/context deadline exceeded|timeout/i.test(error)) {
    return { why: `${subject} does not answer in time`, tryThis: checkReceiver };
  }
  if (/connection refused|no such host|no route to host|network is unreachable/i.test(error)) {
    return {
      why: `${subject} is unreachable: ${error}`,
      tryThis: 'use an address that is reachable from a container; this host is host.docker.internal there',
    };
  }
  return { why: `${subject} did not accept the notification: ${error}`, tryThis: logs };
}

const logs = 'promstack logs alertmanager';
