import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { holdMachineLock } from '../../../../scripts/engine/setup/machine-lock.ts';

const forever = new AbortController().signal;
const untold = () => undefined;

test('only one at a time must hold a lock, and all must come to hold it', async () => {
  const name = randomUUID();
  let holders = 0;
  const most: number[] = [];
  const work = async () => {
    await using _lock = await holdMachineLock(name, forever, untold);
    holders += 1;
    most.push(holders);
    await new Promise(setImmediate);
    holders -= 1;
  };
  await Promise.all([work(), work(), work(), work()]);
  expect(most).toEqual([1, 1, 1, 1]);
});

test('who waits must be told once', async () => {
  const name = randomUUID();
  const first = await holdMachineLock(name, forever, untold);
  const told = vi.fn();
  const second = holdMachineLock(name, forever, told);
  await vi.waitUntil(() => told.mock.calls.length > 0);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  expect(told).toHaveBeenCalledOnce();
});

test('a lock must end with the process that holds it, however it ends', async () => {
  const name = randomUUID();
  const script = `require('node:net').createServer().listen('\\x00${name}', () => console.log('held'))`;
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  const mine = holdMachineLock(name, forever, () => holder.kill('SIGKILL'));
  await (await mine)[Symbol.asyncDispose]();
});

test('waiting must end when the signal aborts', async () => {
  const name = randomUUID();
  await using _held = await holdMachineLock(name, forever, untold);
  const abort = new AbortController();
  const waiting = holdMachineLock(name, abort.signal, () => abort.abort());
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
