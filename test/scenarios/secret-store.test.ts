import { expect, test } from 'vitest';
import { ensureSecrets, makeSecret, openSecretStore } from '../../scripts/state/secret-store.ts';
import { Secret } from '../../stack/secret.ts';
import { testEngine } from '../support/engine.ts';

const asked = {
  generatedSecrets: [
    { name: 'made', length: 24 },
    { name: 'given', length: 24 },
  ],
};
const given = new Map([['given', new Secret('chosen', 'a test')]]);

/** A config volume writer and a container that mount a volume like in a stack. */
async function place() {
  const on = await testEngine();
  const volume = on.name('config');
  await on.engine.createVolume(volume, on.labels);
  const carrier = await on.createHelper('stack-carrier', {
    user: '0:0',
    mounts: [{ volume, target: '/volumes/grafana', readOnly: false }],
  });
  const container = await on.createHelper('service', {
    user: '472:0',
    mounts: [{ volume, target: '/etc/promstack', readOnly: true }],
  });
  const kept = openSecretStore(on.engine, { stack: on.name('stack'), service: 'grafana', user: '472:0', container });
  return { on, carrier, container, kept };
}

test('a stored secret must be created once, given or random, and never change', async () => {
  const { on, kept } = await place();
  await using _ = on;
  expect(await kept.read('made')).toBeUndefined();
  await ensureSecrets(kept, asked, given);
  const made = (await kept.read('made'))?.reveal();
  expect(made).toMatch(/^[a-zA-Z2-9-]{24}$/);
  expect((await kept.read('given'))?.reveal()).toBe('chosen');
  await ensureSecrets(kept, asked, given);
  expect((await kept.read('made'))?.reveal()).toBe(made);
});

test('a stored secret must be readable only by its service', async () => {
  const { on, container, kept } = await place();
  await using _ = on;
  await ensureSecrets(kept, asked, given);
  await on.engine.startContainer(container);
  const read = await on.engine.exec(container, ['cat', '/etc/promstack/secrets/given']);
  expect([read.exitCode, read.stdout]).toEqual([0, 'chosen']);
  const modes = await on.engine.exec(container, [
    'stat',
    '-c',
    '%a %u',
    '/etc/promstack/secrets',
    '/etc/promstack/secrets/made',
  ]);
  expect(modes.stdout.trim().split('\n')).toEqual(['500 472', '400 472']);
});

test('a stored secret must be read through the service itself when the config volume writer was removed', async () => {
  const { on, carrier, kept } = await place();
  await using _ = on;
  await ensureSecrets(kept, asked, given);
  await on.engine.removeContainer(carrier);
  expect((await kept.read('given'))?.reveal()).toBe('chosen');
});

test('secrets must be different, without letters that look alike', () => {
  const many = Array.from({ length: 100 }, () => makeSecret(24).reveal());
  expect(new Set(many).size).toBe(100);
  expect(many.join('')).not.toMatch(/[lIO01]/);
});
