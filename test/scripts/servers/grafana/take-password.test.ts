import { afterEach, expect, it } from 'vitest';
import { takePassword } from '../../../../scripts/servers/grafana/take-password.ts';
import { generatedSecrets } from '../../../../stack/grafana/settings.ts';
import { Secret } from '../../../../stack/secret.ts';
import { renderCase } from '../../../golden/golden.ts';
import { requester } from '../../../support/grafana-context.ts';
import { GrafanaStandIn } from '../../../support/grafana-stand-in.ts';

let standIn: GrafanaStandIn | undefined;
afterEach(async () => {
  await standIn?.[Symbol.asyncDispose]();
});

const secrets = (password: string) => new Map([[generatedSecrets.adminPassword, new Secret(password, 'x')]]);

/** Makes a Grafana with one password take another one; returns its notes. */
async function take(has: string, wanted: string, ...former: readonly string[]): Promise<readonly string[]> {
  const { services } = await renderCase('service-grafana');
  const files = services.find(({ service }) => service.name === 'grafana')?.files ?? [];
  standIn = await GrafanaStandIn.start({ password: has, files });
  return takePassword({ request: requester(standIn.url), wanted: secrets(wanted), former: former.map(secrets) });
}

async function accepts(password: string): Promise<boolean> {
  const headers = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
  return (await fetch(`${standIn?.url}/api/user`, { headers })).ok;
}

it('must set the password of the secret in a database that has a former one', async () => {
  expect(await take('before', 'after', 'never', 'before')).toEqual([]);
  expect([await accepts('after'), await accepts('before')]).toEqual([true, false]);
});

it('must leave a database alone that has it', async () => {
  expect(await take('after', 'after', 'before')).toEqual([]);
  expect(await accepts('after')).toBe(true);
});

it('must say when the database has one that nobody knows, without locking the admin out', async () => {
  const [note] = await take('unknown', 'after', 'a', 'b', 'c', 'd', 'e', 'f');
  expect(note).toMatch(
    /does not accept the password .*: its database has one that promstack does not know\n {2}try: docker exec/,
  );
  expect(await accepts('unknown')).toBe(true);
});

it('must say when Grafana refuses the new one', async () => {
  const [note] = await take('before', 'x', 'before');
  expect(note).toContain('New password is too short');
  expect(await accepts('before')).toBe(true);
});
