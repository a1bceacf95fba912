import { Secret } from '../secret.ts';

/** Grafana expands `$NAME` in the values of provisioning files (pkg/services/provisioning/values); `$$` is a literal dollar. */
export function escapeDollars<T extends string | Secret>(value: T): T extends Secret ? Secret : string;
export function escapeDollars(value: string | Secret): string | Secret {
  if (value instanceof Secret) return new Secret(escapeDollars(value.reveal()), value.origin);
  return value.replaceAll('$', () => '$$');
}
