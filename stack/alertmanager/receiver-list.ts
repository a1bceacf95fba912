import { isNative } from '../values/native.ts';

/** A receiver of an alertmanager.yml and the ways it tells somebody. */
export interface ReceiverIntegrations {
  readonly name: string;
  /** Kinds of integrations in Alertmanager's words, such as `webhook`, once for each; none for a receiver that tells nobody. */
  readonly integrations: readonly string[];
}

/** The receivers of a parsed alertmanager.yml. */
export function receiversIn(config: unknown): readonly ReceiverIntegrations[] {
  const list = isNative(config) && Array.isArray(config['receivers']) ? config['receivers'] : [];
  return list.filter(isNative).map((receiver) => ({
    name: String(receiver['name'] ?? ''),
    integrations: Object.entries(receiver).flatMap(([key, value]) =>
      key.endsWith('_configs') && Array.isArray(value) ? value.map(() => key.slice(0, -'_configs'.length)) : [],
    ),
  }));
}
