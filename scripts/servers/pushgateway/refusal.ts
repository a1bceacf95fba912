import { StackError } from '../../util/stack-error.ts';
import { ConnectionError, type GatewayResponse } from './transport.ts';

/** What was asked of which Pushgateway, for messages. */
export interface GatewayRequest {
  /** `pushing to {job="backup"}`. */
  readonly doing: string;
  /** The Pushgateway's address without credentials. */
  readonly base: string;
}

/** A Pushgateway did not do what was asked of it. */
export class GatewayError extends StackError {
  /** Whether the same request may succeed a moment later: the server was in trouble or not to be reached. */
  readonly mayPass: boolean;

  constructor(mayPass: boolean, told: ConstructorParameters<typeof StackError>[0]) {
    super(told);
    this.name = 'GatewayError';
    this.mayPass = mayPass;
  }
}

/** An answer that is no success, as an error that says what to do about it. */
export function toRefusal({ doing, base }: GatewayRequest, { status, body, headers }: GatewayResponse): GatewayError {
  const words = body.trim().split('\n').slice(0, 4).join('\n').slice(0, 600);
  const said = words === '' ? `${base} answered ${status}` : `${base} answered ${status}: ${words}`;
  if (status >= 300 && status < 400) {
    const to = headers.location ?? 'another address';
    return new GatewayError(false, {
      doing,
      why: `${base} redirects to ${to}`,
      tryThis: 'name the address it redirects to',
    });
  }
  return new GatewayError(status >= 500, { doing, why: said, tryThis: adviceFor(status, words) });
}

function adviceFor(status: number, words: string): string | undefined {
  switch (status) {
    case 400:
      return adviceForBadRequest(words);
    case 401:
    case 403:
      return 'credentials in the address: --url https://USER:PASSWORD@HOST';
    case 404:
    case 405:
      return 'is it a Pushgateway, and is its path prefix (--web.route-prefix) part of the address?';
    case 413:
      return 'push less at once, in several groups: a proxy on the way limits the size of a push';
    default:
      return status >= 500 ? '`promstack logs pushgateway`, or the log of the proxy before it' : undefined;
  }
}

/** A series found twice that is the Pushgateway's own means two groups which look alike: no push at all succeeds then. */
function adviceForBadRequest(words: string): string {
  if (/push_time_seconds/.test(words) && /collected before/.test(words)) {
    return 'two groups differ in nothing but an empty label, which blocks every push: `promstack groups` names them';
  }
  return '`promstack push --dry-run` with the same input says which line is at fault';
}

/** A request without an answer, as an error that says what to do about it. */
function toUnreachable({ doing, base }: GatewayRequest, error: ConnectionError): GatewayError {
  const why = `${base}: ${whyNot(error)}`;
  return new GatewayError(error.kind === 'connection', { doing, why, tryThis: adviceForSilence(error), cause: error });
}

function whyNot({ code, message }: ConnectionError): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no host of that name';
    default:
      return message;
  }
}

function adviceForSilence({ kind, code, message }: ConnectionError): string {
  if (kind === 'timeout') return 'a longer timeout, or `promstack status`: is it stuck?';
  if (code === 'ECONNREFUSED') return 'is the stack up? `promstack up` starts it';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the right name in --url';
  if (/wrong version number|packet length too long|EPROTO/i.test(`${code} ${message}`))
    return 'http:// instead of https://';
  if (/CERT|SIGNED/i.test(code ?? '')) return 'NODE_EXTRA_CA_CERTS=FILE with the authority that signed its certificate';
  return '`promstack status`: is it running?';
}

/** Turns what `send` rejects with into a GatewayError; anything else is passed on as it is. */
export function explain(asked: GatewayRequest, error: unknown): unknown {
  return error instanceof ConnectionError ? toUnreachable(asked, error) : error;
}
