import type { StackConfig } from '../config.ts';

/** The address people reach a service by, for the links in its notifications: the one given, else its published port. */
export function externalUrl(
  config: StackConfig,
  own: { readonly external_url?: string | undefined; readonly port: number },
): string {
  if (own.external_url !== undefined) return own.external_url;
  const isEverywhere = config.bind === '0.0.0.0' || config.bind === '::';
  const host = isEverywhere ? 'localhost' : config.bind;
  return `http://${host.includes(':') ? `[${host}]` : host}:${own.port}`;
}
