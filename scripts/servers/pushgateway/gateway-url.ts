import type { StackConfig } from '../../../stack/config.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { fail, ok, type Result } from '../../util/result.ts';
import type { GatewayUrl } from './transport.ts';

/** Reads an address as people write it: `localhost:9091`, `https://user:password@host/prefix/`. */
export function readGatewayUrl(text: string): Result<GatewayUrl> {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(full)) return wrong(`${JSON.stringify(text)} is no address`, 'write http://HOST:9091');
  const url = new URL(full);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return wrong(`a Pushgateway is reached by http or https, not by ${url.protocol}//`, 'write http://HOST:9091');
  }
  if (/\/metrics(\/|$)/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    const rest = url.pathname.replace(/\/metrics(\/.*)?$/, '');
    return wrong('the address goes further than the Pushgateway itself', `write ${url.protocol}//${url.host}${rest}`);
  }
  const authorization = authorizationOf(url);
  return ok({
    base: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    ...(authorization === undefined ? {} : { authorization }),
  });
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function wrong(message: string, hint: string): Result<never> {
  const diagnostic: Diagnostic = { severity: 'error', code: 'gateway-address', message, hint };
  return fail([diagnostic]);
}

/** The address of the stack's own Pushgateway on this host, by what stack.yml says. */
export function stackGatewayUrl({ bind, pushgateway }: StackConfig): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
  return `http://${host}:${pushgateway.port}`;
}
