import { expect, test } from 'vitest';
import { AlertmanagerClient } from '../../../scripts/servers/alertmanager.ts';
import type { Servers } from '../../../scripts/servers/servers.ts';

const silence = { matchers: [], startsAt: '', endsAt: '', createdBy: 'me', comment: 'x' };

test.each([
  [
    422,
    '{"code":612,"message":"matchers in body should have at least 1 items"}',
    'matchers in body should have at least 1 items',
  ],
  [400, '"bad matcher format: a\\n"', 'bad matcher format: a'],
  [502, 'Bad Gateway\n', 'Bad Gateway'],
])('an error response with %i and %s must be reported with its message', async (status, body, said) => {
  const request = async () => ({ status, body, headers: {} });
  const client = new AlertmanagerClient({ request } as unknown as Servers);
  await expect(client.addSilence(silence)).rejects.toMatchObject({
    why: `Alertmanager rejects it with ${status}: ${said}`,
  });
});
