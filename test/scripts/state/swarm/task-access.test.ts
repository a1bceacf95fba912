import { expect, it } from 'vitest';
import type { Engine } from '../../../../scripts/engine/engine.ts';
import type { SwarmFile } from '../../../../scripts/engine/swarm/swarm.ts';
import { type TaskFiles, taskAccess } from '../../../../scripts/state/swarm/task-access.ts';
import { flyingClock } from '../../../support/flying-clock.ts';

const file = (kind: SwarmFile['kind'], name: string, content?: string): SwarmFile => ({
  ...{ kind, id: `id-of-${name}`, name, version: 1, labels: {}, content },
});
const stored = [file('config', 'name-1', 'shop-prometheus'), file('config', 'ca-1', 'PEM'), file('secret', 'login-1')];
const mounted = (kind: SwarmFile['kind'], name: string, path: string) => {
  return { kind, name, target: `/etc/promstack/current/access/${path}` };
};
const files = [
  mounted('config', 'name-1', 'server-name'),
  mounted('config', 'ca-1', 'ca.pem'),
  mounted('secret', 'login-1', 'login'),
];

/** How a task is reached on a swarm whose secrets cannot be read, with what stack.yml says of them; and how often it was asked. */
function accessWith(known: ReadonlyMap<string, string>) {
  let asked = 0;
  const listFiles = async () => {
    asked += 1;
    return stored;
  };
  const unread = () => Promise.reject(new Error('a task is to read it'));
  // Reading a secret begins with a look at what other promstacks have left.
  const engine = { swarm: { listFiles, listServices: unread } } as unknown as Engine;
  const { signal } = new AbortController();
  const accessOf = taskAccess(engine, { stack: 'shop', image: ['image'], known, clock: flyingClock(), signal });
  return { accessOf, asked: () => asked };
}

const login = new Map([['login-1', `Authorization: Basic ${Buffer.from('ann:a-password').toString('base64')}`]]);
const guarded: TaskFiles = { access: { tls: true, login: true }, files };

it('must be by the files that the task has, read once', async () => {
  const { accessOf, asked } = accessWith(login);
  const access = await accessOf(guarded);
  expect(access?.headers).toEqual({ authorization: 'Basic YW5uOmEtcGFzc3dvcmQ=' });
  expect(access?.tls).toMatchObject({ ca: 'PEM', servername: 'shop-prometheus' });
  await accessOf(guarded);
  expect(asked()).toBe(1);
});

it('must read a login that stack.yml no longer has', async () => {
  const { accessOf } = accessWith(new Map([['login-2', 'another']]));
  await expect(accessOf(guarded)).rejects.toThrow('a task is to read it');
});

it('must ask for nothing where no login and no TLS are needed', async () => {
  const { accessOf, asked } = accessWith(new Map());
  expect(await accessOf({ files })).toBeUndefined();
  expect(asked()).toBe(0);
  const open = await accessOf({ access: { tls: true, login: false }, files: files.slice(0, 2) });
  expect(open?.headers).toEqual({});
});
