import { describe, expect, test } from 'vitest';
import type { StackOrigin } from '../../../scripts/config/loaded.ts';
import type { ContainerSummary } from '../../../scripts/engine/engine.ts';
import { roleLabel, stackLabel } from '../../../scripts/engine/labels.ts';
import { nameOfUnnamed, originLabels, originOf, renamedFrom, stackManagedFrom } from '../../../scripts/state/origin.ts';
import { fakeEngine } from '../../support/engine.ts';

const here: StackOrigin = { host: 'build1', folder: '/srv/shop', file: 'stack.yml' };
const elsewhere: readonly (readonly [string, StackOrigin])[] = [
  ['another folder', { ...here, folder: '/srv/other' }],
  ['another file of the folder', { ...here, file: 'prod.yml' }],
  ['the same path on another host', { ...here, host: 'laptop' }],
];

describe('the file a stack is managed from', () => {
  test('must be that of its newest container with labels', () => {
    const [, other] = elsewhere[0] ?? [];
    const containers = [of('a', undefined, 'service', 9), of('a', here, 'carrier', 7), of('a', other, 'service', 3)];
    expect(originOf(containers)).toEqual(here);
    expect(originOf([of('a', undefined)])).toBeUndefined();
  });
});

describe('the stack that is managed from a file', () => {
  const stackFrom = (origin: StackOrigin, ...containers: readonly ContainerSummary[]) =>
    stackManagedFrom(fakeEngine({ listContainers: async () => containers }), origin);

  test('must be found by its newest container, among others', async () => {
    const [, other] = elsewhere[0] ?? [];
    expect(await stackFrom(here, of('shop', other, 'service', 3), of('shop', here, 'carrier', 7))).toBe('shop');
    expect(await stackFrom(here, of('lab', other), of('shop', here))).toBe('shop');
  });

  test.each(elsewhere)('must not be one from %s', async (_, origin) => {
    expect(await stackFrom(here, of('shop', origin))).toBeUndefined();
  });

  test('must be the one of its given name, or the one without', async () => {
    const given = { ...here, isNameGiven: true };
    const containers = [of('shop', here), of('blue', given), of('green', given)];
    const engine = fakeEngine({ listContainers: async () => containers });
    expect(await stackManagedFrom(engine, here)).toBe('shop');
    expect(await stackManagedFrom(engine, given, 'green')).toBe('green');
    expect(await stackManagedFrom(engine, given, 'red')).toBeUndefined();
  });

  test('must not be guessed: not from a check, and not when there are two', async () => {
    expect(await stackFrom(here, of('shop', here, 'check'))).toBeUndefined();
    expect(await stackFrom(here, of('shop', here), of('lab', here))).toBeUndefined();
  });
});

describe('a renamed stack', () => {
  test('must be recognised by its file', () => {
    expect(renamedFrom([of('old', here)], 'new', here)).toBe('old');
    expect(renamedFrom([of('old', here), of('new', undefined)], 'new', here)).toBe('old');
  });

  test.each(elsewhere)('must not be taken for one from %s', (_, origin) => {
    expect(renamedFrom([of('old', origin)], 'new', here)).toBeUndefined();
  });

  test('must not be assumed without a file, of a stack that keeps its name, or of a check', () => {
    expect(renamedFrom([of('old', here)], 'new', undefined)).toBeUndefined();
    expect(renamedFrom([of('old', undefined)], 'new', here)).toBeUndefined();
    expect(renamedFrom([of('old', here), of('same', here)], 'same', here)).toBeUndefined();
    expect(renamedFrom([of('old', here, 'check')], 'new', here)).toBeUndefined();
  });
});

describe('a stack.yml without a name', () => {
  const named = (containers: readonly ContainerSummary[], volumes: readonly ContainerSummary[] = []) => {
    const engine = fakeEngine({ listContainers: async () => containers, listVolumes: async () => volumes });
    return nameOfUnnamed(engine, here, 'shop');
  };

  test('must keep the former default name of a stack that is managed from here, or from an unknown file', async () => {
    expect(await named([of('promstack', here)])).toBe('promstack');
    expect(await named([of('promstack', undefined)])).toBe('promstack');
    // It is down: a different name would start without its data.
    expect(await named([], [of('promstack', undefined, 'volume')])).toBe('promstack');
  });

  test.each(elsewhere)('must be named after its folder when the stack promstack is from %s', async (_, origin) => {
    expect(await named([of('promstack', origin)])).toBe('shop');
    expect(await named([of('promstack', undefined)], [of('promstack', origin, 'volume')])).toBe('shop');
  });

  test('must be named after its folder without a stack promstack, or when it already is', async () => {
    expect(await named([of('other', here)])).toBe('shop');
    expect(await named([of('promstack', undefined, 'check')], [of('promstack', undefined, 'lock')])).toBe('shop');
    expect(await named([of('promstack', undefined), of('shop', here)])).toBe('shop');
  });
});

/** A container, or a volume, of a stack. */
function of(stack: string, origin: StackOrigin | undefined, role = 'service', createdAt = 0): ContainerSummary {
  const labels = { [stackLabel]: stack, [roleLabel]: role, ...originLabels(origin) };
  return {
    id: '',
    name: '',
    image: '',
    imageId: '',
    state: 'running',
    status: '',
    labels,
    createdAt,
    hostPorts: [],
    networks: [],
  };
}
