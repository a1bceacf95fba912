import { expect, test } from 'vitest';
import { AlertmanagerApi } from '../../../scripts/servers/alertmanager-api.ts';
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
])('a refusal with %i and %s must be told in its words', async (status, body, said) => {
  const ask = async () => ({ status, body, headers: {} });
  const api = new AlertmanagerApi({ ask } as unknown as Servers);
  await expect(api.addSilence(silence)).rejects.toMatchObject({
    why: `Alertmanager refuses it with ${status}: ${said}`,
  });
});
