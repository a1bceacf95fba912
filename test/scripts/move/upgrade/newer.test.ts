import { describe, expect, test } from 'vitest';
import { findNewer, readTarget, removedFlags } from '../../../../scripts/move/upgrade/newer.ts';
import { refuseRemovedFlags } from '../../../../scripts/move/upgrade/prepare.ts';
import type { Rendering } from '../../../../scripts/render/rendering.ts';
import { InputError } from '../../../../scripts/util/stack-error.ts';
import { stackSchema } from '../../../../stack/config.ts';
import { enabledServices } from '../../../../stack/services.ts';
import { compareVersions, isCrossed, knownVersions } from '../../../../stack/values/known-versions.ts';

function renderingOf(keys: object): Rendering {
  const config = stackSchema.parse({ grafana: { enabled: false }, sink: { enabled: true }, ...keys });
  const services = enabledServices(config).map((service) => ({
    ...{ service, container: service.container(config), files: [], revision: '' },
  }));
  return { config, folder: '/stack', revision: '', services, tests: [] };
}

const image = (prometheus: string, keys: object = {}) => renderingOf({ prometheus: { image: prometheus, ...keys } });
const newerOf = (rendering: Rendering, running: Readonly<Record<string, string>> = {}) =>
  findNewer(rendering, (service) => running[service]);

describe('the newer versions of a service', () => {
  test.each([
    ['prom/prometheus:v2.53.3', { version: '2.53.3', patch: '2.53.5', minor: '2.55.1', major: '3.14.0' }],
    ['quay.io/prometheus/prometheus:v3.13.0', { version: '3.13.0', patch: '3.13.2', minor: '3.14.0' }],
    ['mirror.test:5000/prom/prometheus:v3.14.0', { version: '3.14.0' }],
    ['prom/prometheus:v9.0.0', { version: '9.0.0' }],
    ['prom/prometheus:main', {}],
    ['example/own:v1.0.0', { version: '1.0.0' }],
  ])('of %s must be the newest of the same minor and major version, and of all', (reference, expected) => {
    const found = newerOf(image(reference)).find(({ service }) => service === 'prometheus');
    const { version, patch, minor, major } = found ?? {};
    const defined = Object.entries({ version, patch, minor, major }).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(defined)).toEqual(expected);
  });

  test('must be those after the version that runs in place of the named one', () => {
    const [found] = newerOf(image('prom/prometheus:v3.13.2'), {
      prometheus: 'promstack/prometheus:2.42.0-debian',
    }).filter(({ service }) => service === 'prometheus');
    expect(found).toMatchObject({ version: '2.42.0', major: '3.14.0' });
    expect(found?.notes.length).toBeGreaterThan(5);
  });

  test('must not list a service that runs the image of another one', () => {
    expect(newerOf(renderingOf({})).map(({ service }) => service)).toEqual([
      'pushgateway',
      'prometheus',
      'alertmanager',
    ]);
  });
});

describe('a target of --to', () => {
  const rendering = image('prom/prometheus:v2.53.3');
  const read = (text: string, running = 'prom/prometheus:v2.53.3') =>
    readTarget(text, rendering, newerOf(rendering, { prometheus: running }), () => running);

  test.each([
    ['prometheus', 'prom/prometheus:v2.55.1'],
    ['prometheus=v3.14.0', 'prom/prometheus:v3.14.0'],
    ['prometheus=3.14.0', 'prom/prometheus:v3.14.0'],
    ['prometheus=quay.io/prometheus/prometheus:v3.5.0', 'quay.io/prometheus/prometheus:v3.5.0'],
    ['prometheus=main', 'prom/prometheus:main'],
  ])('%s must be %s', (text, to) => {
    expect(read(text)).toMatchObject({ from: 'prom/prometheus:v2.53.3', to, path: ['prometheus', 'image'] });
  });

  test.each([
    ['prometeus', 'no such service'],
    ['prometheus=v2.42.0', 'it is older than prom/prometheus:v2.53.3'],
    ['prometheus=v2.53.3', 'it is the image of stack.yml already'],
    ['prometheus=', 'a tag has letters'],
    ['prometheus=a b', 'a tag has letters'],
    ['=v3.0.0', 'no such service'],
  ])('%s must be refused', (text, why) => {
    expect(() => read(text)).toThrow(InputError);
    expect(() => read(text)).toThrow(why);
  });

  test('must not be older than what runs in place of the image of stack.yml', () => {
    expect(() => read('prometheus=v3.1.0', 'promstack/prometheus:3.5.3-debian')).toThrow('it is older than');
  });

  test('must have the notes of what it comes to', () => {
    expect(read('prometheus=v2.55.1').notes).toEqual([]);
    expect(read('prometheus=v3.0.1').notes.map(({ since }) => since)).toContain('3.0.0');
  });
});

describe('flags that a new version does not have', () => {
  test.each([
    ['--storage.tsdb.retention=15d', true],
    ['--storage.tsdb.retention', true],
    ['--storage.tsdb.retention.time=15d', false],
    ['--storage.tsdb.retention.size=1GB', false],
    ['--storage.tsdb.allow-overlapping-blocks', true],
    ['--alertmanager.timeout=10s', true],
    ['--alertmanager.notification-queue-capacity=1', false],
  ])('%s', (flag, isRemoved) => {
    const rendering = image('prom/prometheus:v2.53.3', { extra_args: ['--query.max-samples=1', flag] });
    const target = readTarget('prometheus=v3.0.1', rendering, [], () => undefined);
    expect(removedFlags(target, ['--query.max-samples=1', flag]).map(({ path }) => path)).toEqual(
      isRemoved ? [['prometheus', 'extra_args', 1]] : [],
    );
    const within = readTarget('prometheus=v2.55.1', rendering, [], () => undefined);
    expect(removedFlags(within, [flag])).toEqual([]);
    if (isRemoved) expect(() => refuseRemovedFlags([target], rendering)).toThrow(`do not start with ${flag}`);
    else expect(() => refuseRemovedFlags([target], rendering)).not.toThrow();
  });
});

test('versions must be compared by their numbers', () => {
  expect(compareVersions('v2.9.0', '2.10.0')).toBeLessThan(0);
  expect([compareVersions('3.0', '3.0.0'), compareVersions('3.0.0', '3.0')]).toEqual([0, 0]);
  expect(compareVersions('3.0', '3.0.1')).toBeLessThan(0);
  expect(compareVersions('1.11.2-debian', 'v1.11.2')).toBe(0);
  expect([isCrossed('3.0.0', '2.55.1', '3.0.0'), isCrossed('3.0.0', '3.0.0', '3.1.0')]).toEqual([true, false]);
  for (const repository of ['prom/prometheus', 'prom/alertmanager', 'prom/pushgateway']) {
    const { versions } = knownVersions(repository);
    expect([...versions].sort(compareVersions)).toEqual(versions);
  }
});
