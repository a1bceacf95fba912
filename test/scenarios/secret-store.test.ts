import { expect, test } from 'vitest';
import type { Engine } from '../../scripts/engine/engine.ts';
import {
  makeSecret,
  missingSecrets,
  openSecretStore,
  rememberSecrets,
  type SecretStore,
  secretEntries,
} from '../../scripts/state/secret-store.ts';
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

/** Writes the missing secrets, as a change does. */
async function write(engine: Engine, carrier: string, kept: SecretStore): Promise<void> {
  const secrets = await missingSecrets(kept, asked, given);
  const entries = secretEntries({ service: 'grafana', user: '472:0' }, secrets);
  if (entries.length > 0) await engine.putFiles(carrier, '/volumes', entries);
}

test('a stored secret must be created once, given or random, and never change', async () => {
  const { on, carrier, kept } = await place();
  await using _ = on;
  expect(await kept.read('made')).toBeUndefined();
  await write(on.engine, carrier, kept);
  const made = (await kept.read('made'))?.reveal();
  expect(made).toMatch(/^[a-zA-Z2-9-]{24}$/);
  expect((await kept.read('given'))?.reveal()).toBe('chosen');
  await write(on.engine, carrier, kept);
  expect((await kept.read('made'))?.reveal()).toBe(made);
});

test('a stored secret must be readable only by its service', async () => {
  const { on, carrier, container, kept } = await place();
  await using _ = on;
  await write(on.engine, carrier, kept);
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
  await write(on.engine, carrier, kept);
  await on.engine.removeContainer(carrier);
  expect((await kept.read('given'))?.reveal()).toBe('chosen');
});

test('remembered secrets must be read once, and again only after a failed read', async () => {
  const stored = new Map([['one', new Secret('first', 'a test')]]);
  let reads = 0;
  let fails = true;
  const kept = rememberSecrets(() => ({
    read: async (name) => stored.get(name),
    readAll: async () => {
      reads += 1;
      if (fails) throw new Error('the engine does not answer');
      return new Map(stored);
    },
    write: async (name, secret) => {
      if (fails) throw new Error('the engine does not answer');
      stored.set(name, secret);
    },
  }));
  await expect(kept.read('one')).rejects.toThrow('does not answer');
  await expect(kept.write('one', new Secret('lost', 'a test'))).rejects.toThrow('does not answer');
  fails = false;
  expect((await kept.read('one'))?.reveal()).toBe('first');
  expect(await kept.read('none')).toBeUndefined();
  await kept.write('one', new Secret('second', 'a test'));
  kept.remember(new Map([['none', new Secret('third', 'a test')]]));
  const all = [...(await kept.readAll())].map(([name, secret]) => [name, secret.reveal()]);
  expect(all).toEqual([
    ['one', 'second'],
    ['none', 'third'],
  ]);
  expect((await kept.read('one'))?.reveal()).toBe('second');
  expect(reads).toBe(2);
});

test('secrets must be different, without letters that look alike', () => {
  const many = Array.from({ length: 100 }, () => makeSecret(24).reveal());
  expect(new Set(many).size).toBe(100);
  expect(many.join('')).not.toMatch(/[lIO01]/);
});
