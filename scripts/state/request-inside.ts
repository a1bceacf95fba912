import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import type { Engine } from '../engine/engine.ts';

/** An answer with its headers, their names in lower case. */
export interface FullResponse extends HttpResponse {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sends a request to a server from inside its container, by busybox nc, since busybox wget knows neither PUT nor DELETE
 * and keeps a refusal's body to itself. In HTTP/1.0, so that the answer comes in one piece and ends with the connection.
 */
export async function requestInside(
  engine: Pick<Engine, 'exec'>,
  container: string,
  { method, port, path, headers = {}, body = '' }: HttpRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<FullResponse> {
  const lines = [
    `${method} ${path} HTTP/1.0`,
    `host: 127.0.0.1:${port}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const stdin = `${lines.join('\r\n')}\r\n\r\n${body}`;
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const argv = ['nc', '-w', seconds, '127.0.0.1', String(port)];
  const { stdout, stderr } = await engine.exec(container, argv, { stdin, ...(signal === undefined ? {} : { signal }) });
  const answer = /^HTTP\/1\.\d (\d{3})[^\r\n]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(stdout);
  if (answer === null) throw new Error(stderr.trim() || 'nc inside the container got no answer');
  const [, status, head = '', text = ''] = answer;
  return { status: Number(status), headers: readHeaders(head), body: text };
}

function readHeaders(head: string): Readonly<Record<string, string>> {
  const pairs = head.split('\r\n').map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}
