import { type ConnectionError, type FullResponse, isRefusedCertificate } from '../../util/http.ts';
import { StackError } from '../../util/stack-error.ts';

interface Failed {
  /** `pushing to {job="backup"}`. */
  readonly doing: string;
  /** The Pushgateway's URL without credentials. */
  readonly base: string;
}

/** A Pushgateway rejected a request or did not respond. */
export class GatewayError extends StackError {
  /** Whether the same request may succeed later: the server had a problem or was unreachable. */
  readonly mayPass: boolean;

  constructor(mayPass: boolean, message: ConstructorParameters<typeof StackError>[0]) {
    super(message);
    this.name = 'GatewayError';
    this.mayPass = mayPass;
  }
}

/** The error for a response whose status is not 2xx. */
export function toRefusal({ doing, base }: Failed, { status, body, headers }: FullResponse): GatewayError {
  if (status >= 300 && status < 400) {
    const target = headers.location ?? 'another URL';
    return new GatewayError(false, { doing, why: `${base} redirects to ${target}`, tryThis: 'use that URL' });
  }
  const text = body.trim().split('\n').slice(0, 4).join('\n').slice(0, 600);
  const why = `${base} answered ${status}${text === '' ? '' : `: ${text}`}`;
  return new GatewayError(status >= 500, { doing, why, tryThis: hintFor(status, text) });
}

function hintFor(status: number, text: string): string | undefined {
  switch (status) {
    case 400:
      // Duplicates of its own series mean two groups with the same labels: then every push fails.
      return /push_time_seconds/.test(text) && /collected before/.test(text)
        ? 'two groups differ only in an empty label, which blocks every push: `promstack groups` lists them'
        : '`promstack push --dry-run` with the same input reports the line';
    case 401:
    case 403:
      return 'put credentials that it accepts in the URL: --url https://USER:PASSWORD@HOST';
    case 404:
    case 405:
      return 'is it a Pushgateway, and is its path prefix (--web.route-prefix) part of the URL?';
    case 413:
      return 'push less at once, in several groups: a proxy limits the size of a push';
    default:
      return status >= 500 ? '`promstack logs pushgateway`, or the log of the proxy in front of it' : undefined;
  }
}

/** The error for a request without a response. */
export function toUnreachable(
  { doing, base, isGiven }: Failed & { readonly isGiven?: boolean | undefined },
  cause: ConnectionError,
): GatewayError {
  const { kind, code = '', message } = cause;
  const isUnknownHost = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  const why = code === 'ECONNREFUSED' ? 'connection refused' : isUnknownHost ? 'host not found' : message;
  const tryThis = (): string => {
    if (isGiven && (kind === 'timeout' || code === 'ECONNREFUSED')) {
      return `no Pushgateway answers at ${base}: correct --url${kind === 'timeout' ? ', or use a longer --timeout' : ', or start the server there'}`;
    }
    if (kind === 'timeout') return 'use a longer timeout, or check with `promstack status` whether it hangs';
    if (code === 'ECONNREFUSED') return 'is the stack up? `promstack up` starts it';
    if (isUnknownHost) return 'check the host name in --url';
    if (/wrong version number|packet length too long|EPROTO/i.test(`${code} ${message}`)) {
      return 'use http:// instead of https://';
    }
    if (isRefusedCertificate(cause) && isGiven !== true) return 'promstack up applies the certificate of access';
    if (code === 'CERT_HAS_EXPIRED') return 'renew the certificate of the server';
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use a name of its certificate in --url';
    if (isRefusedCertificate(cause)) return 'set NODE_EXTRA_CA_CERTS=FILE to the CA that signed its certificate';
    return isGiven ? `is the server at ${base} a Pushgateway?` : '`promstack status`: is it running?';
  };
  return new GatewayError(kind === 'connection', { doing, why: `${base}: ${why}`, tryThis: tryThis(), cause });
}
