/** A notification that Alertmanager could not deliver, as its log tells it. */
export interface NotifyFailure {
  readonly receiver: string;
  /** The kind of integration and its place in the receiver: `webhook[0]`. */
  readonly integration: string;
  /** What the receiver answered, or why there was no answer, in Alertmanager's words. */
  readonly error: string;
  /** Whether it has given up; else it tries again. */
  readonly isFinal: boolean;
}

/**
 * Reads a line of Alertmanager's log; undefined when it tells of no failed notification. Two kinds of lines do: an
 * attempt that is tried again (notify/notify.go), and a notification that is given up (dispatch/dispatch.go).
 */
export function readNotifyFailure(line: string): NotifyFailure | undefined {
  const { msg = '', receiver, integration, err = '' } = fieldsOf(line);
  if (/^notify attempt failed/i.test(msg) && receiver !== undefined && integration !== undefined) {
    return { receiver, integration, error: err, isFinal: false };
  }
  if (!/^notify for alerts failed/i.test(msg)) return undefined;
  const [, name = '', at = '', error = ''] = /^(.+?)\/([a-z_]+\[\d+\]): (.*)$/s.exec(err) ?? [];
  return name === '' ? undefined : { receiver: name, integration: at, error, isFinal: true };
}

/** Why a receiver did not take a notification, in a sentence, and what to do about it. */
export function explainFailure({ receiver, integration, error }: NotifyFailure): { why: string; tryThis: string } {
  const by = `the receiver ${receiver} (${integration})`;
  const status = /status(?: code)? (\d{3})|^(\d{3}) /.exec(error)?.slice(1).find(Boolean);
  if (status === '401' || status === '403') {
    return {
      why: `${by} does not take the credentials: it answers ${status}`,
      tryThis: 'put the right secret into stack.yml, or into the file or variable it names, then promstack reload',
    };
  }
  if (status !== undefined) {
    return { why: `${by} answers ${status}`, tryThis: `look why at the receiver itself; ${logs}` };
  }
  if (/context deadline exceeded|timeout/i.test(error)) {
    return { why: `${by} takes the connection and does not answer`, tryThis: `look at the receiver itself; ${logs}` };
  }
  if (/connection refused|no such host|no route to host|network is unreachable/i.test(error)) {
    return {
      why: `${by} cannot be reached: ${error}`,
      tryThis: 'its address must be right from inside a container; this host is host.docker.internal there',
    };
  }
  return { why: `${by} did not take the notification: ${error}`, tryThis: logs };
}

const logs = 'promstack logs alertmanager';

/** The fields of a line in logfmt: `level=WARN msg="Notify attempt failed" receiver=sink`. */
function fieldsOf(line: string): Readonly<Record<string, string>> {
  const pairs = [...line.matchAll(/(\w+)=(?:"((?:\\.|[^"\\])*)"|(\S*))/g)];
  return Object.fromEntries(
    pairs.map(([, key = '', quoted, plain = '']) => [key, quoted === undefined ? plain : withoutEscapes(quoted)]),
  );
}

function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
