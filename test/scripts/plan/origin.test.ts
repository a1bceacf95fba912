import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkOrigin, OtherOriginError, volumesNote } from '../../../scripts/plan/origin.ts';
import { folderWith } from '../../support/config.ts';

const origin = { host: 'build1', folder: '/srv/new', file: 'stack.yml' };

test('a stack must be changed from its own file, or when its file is unknown on either side', async () => {
  await expect(checkOrigin({ stack: 'shop', origin, current: origin })).resolves.toBeUndefined();
  await expect(checkOrigin({ stack: 'shop', origin, current: undefined })).resolves.toBeUndefined();
  await expect(checkOrigin({ stack: 'shop', origin: undefined, current: origin })).resolves.toBeUndefined();
});

test.each([
  ['/srv/old/stack.yml, which no longer exists, not from /srv/new/stack.yml', { folder: '/srv/old' }],
  ['/srv/new/prod.yml, which no longer exists, not from /srv/new/stack.yml', { file: 'prod.yml' }],
  ['/srv/new/stack.yml on laptop, not from /srv/new/stack.yml on build1', { host: 'laptop' }],
])('a stack that is managed from %s must be asked about', async (text, difference) => {
  const check = { stack: 'shop', origin, current: { ...origin, ...difference } };
  await expect(checkOrigin(check)).rejects.toThrow(OtherOriginError);
  await expect(checkOrigin(check)).rejects.toMatchObject({
    why: `it is managed from ${text}`,
    tryThis: expect.stringContaining('--yes'),
  });
  await checkOrigin({ ...check, takeOver: true });
});

test('volumes that were created for another file must be noted, and no others', () => {
  const note = (volumesFrom: typeof origin | undefined) => volumesNote({ stack: 'shop', origin }, volumesFrom);
  expect(note({ ...origin, folder: '/srv/old' })).toBe(
    'the volumes of shop exist already, with their data: they were created for /srv/old/stack.yml; for a stack of its own, set a different name in stack.yml',
  );
  expect(note({ ...origin, host: 'laptop' })).toContain('/srv/new/stack.yml on laptop');
  expect([note(origin), note(undefined)]).toEqual([undefined, undefined]);
  expect(volumesNote({ stack: 'shop' }, origin)).toBeUndefined();
});

test('a file that still exists must not be called gone', async () => {
  await using folder = await folderWith({ 'stack.yml': '' });
  const check = checkOrigin({ stack: 'shop', origin, current: { ...origin, folder: folder.path } });
  await expect(check).rejects.toMatchObject({
    why: `it is managed from ${join(folder.path, 'stack.yml')}, not from /srv/new/stack.yml`,
  });
});

test('a renamed stack must be refused, with what to do, whatever the user agreed to', async () => {
  const check = checkOrigin({ stack: 'new', origin, current: undefined, renamedFrom: 'old', takeOver: true });
  await expect(check).rejects.toMatchObject({
    why: expect.stringContaining('/srv/new/stack.yml runs as the stack old: its name was changed'),
    tryThis: 'set `name: old` in stack.yml again, or run `promstack down -p old` first, which keeps the volumes of old',
  });
  await expect(check).rejects.not.toThrow(OtherOriginError);
});
