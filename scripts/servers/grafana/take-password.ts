import { adminUser, generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import type { SecretsContext } from '../service-driver.ts';
import { GrafanaClient } from './client.ts';

const name = generatedSecrets.adminPassword;

/**
 * Sets the password of the admin in Grafana's database to the one that its secret has now: Grafana reads that only when its
 * database is new. The former password signs in.
 */
export async function takePassword({ request, wanted, former }: SecretsContext): Promise<readonly string[]> {
  const password = wanted.get(name);
  if (password === undefined) return [];
  const known = await new GrafanaClient(request, password).user();
  if (known.kind === 'ok') return [];
  if (known.kind === 'unauthorized') {
    for (const old of passwordsIn(former, password)) {
      const client = new GrafanaClient(request, old);
      if ((await client.user()).kind !== 'ok') continue;
      const changed = await client.changePassword(old, password);
      if (changed.kind === 'ok') return [];
      const why = changed.kind === 'failed' || changed.kind === 'noAnswer' ? changed.message : changed.kind;
      return [`${unchanged}: ${why}\n  try: set it in Grafana, under Profile, Change password`];
    }
  }
  const why =
    known.kind === 'unauthorized' ? 'its database has one that promstack does not know' : 'it does not answer';
  return [
    `${unchanged}: ${why}\n  try: docker exec -i CONTAINER grafana cli admin reset-admin-password --password-from-stdin, on the node that promstack status shows`,
  ];
}

const unchanged = `warning: Grafana does not accept the password of ${adminUser} that its secret has now`;

/** At most two: Grafana locks a user after five wrong ones. */
function passwordsIn(former: SecretsContext['former'], wanted: Secret): readonly Secret[] {
  const all = former.flatMap((secrets) => secrets.get(name) ?? []);
  const others = new Map(all.map((secret) => [secret.reveal(), secret]));
  others.delete(wanted.reveal());
  return [...others.values()].slice(0, 2);
}
