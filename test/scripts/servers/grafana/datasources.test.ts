import { describe, expect, test } from 'vitest';
import { grafanaDriver } from '../../../../scripts/servers/grafana/driver.ts';
import { Secret } from '../../../../stack/secret.ts';
import { contextOf, keptInMemory } from '../../../support/grafana-context.ts';
import { type Folder, renderGrafana } from '../../../support/grafana-release.ts';
import { GrafanaStandIn } from '../../../support/grafana-stand-in.ts';

const env = { TOKEN: 'secret' };
const stack = (datasources: readonly string[], rest = ''): Folder => ({
  'stack.yml': `${rest}grafana:\n  datasources:\n${datasources.map((line) => `    - ${line}\n`).join('')}`,
});

/** A stand-in that has loaded a stack, and the driver's context for it. */
async function running(folder: Folder) {
  const { release } = await renderGrafana(folder, env);
  const standIn = await GrafanaStandIn.start({ password: 'right', files: release.files });
  const kept = keptInMemory({ 'admin-password': 'right' });
  await grafanaDriver.confirm({ ...contextOf(standIn, release, kept), isFirstStart: true, isStarted: true });
  return {
    standIn,
    confirm: () => grafanaDriver.confirm(contextOf(standIn, release, kept)),
    /** Loads another stack, by a reload or by a new container. */
    change: async (other: Folder, how: 'reload' | 'restart') => {
      const next = (await renderGrafana(other, env)).release;
      await standIn.put(next.files);
      const context = { ...contextOf(standIn, next, kept), loaded: release.files };
      if (how === 'restart') standIn.restart();
      else await grafanaDriver.reload(context);
      return grafanaDriver.confirm(context);
    },
    edits: (rejected = new Set<string>()) =>
      grafanaDriver.edits?.({ ...contextOf(standIn, release, kept), rejected }, release.files),
    kept,
    /** The reloads of datasources after that of the first start. */
    reloads: () => standIn.requests.filter((asked) => asked.endsWith('/datasources/reload')).length - 1,
    [Symbol.asyncDispose]: async () => {
      await standIn[Symbol.asyncDispose]();
      expect(standIn.unexpected).toEqual([]);
    },
  };
}

describe('what Grafana stores in another form must be confirmed:', () => {
  test.each([
    [
      'keys in a list',
      '{name: a, type: loki, jsonData: {derivedFields: [{name: t, matcherRegex: x, datasourceUid: q}]}}',
    ],
    [
      'keys deep in lists',
      '{name: a, type: tempo, jsonData: {z: [[{d: 1, b: {y: [], x: {}}}], 2], c: {k: [{b: 1, a: 2}]}}}',
    ],
    ['null and numbers in a list', '{name: a, type: loki, jsonData: {list: [null, 0123, 1.10, {b: ~, a: 1e3}]}}'],
    ['postgres', '{name: a, type: postgres, url: "db:5432", user: me, database: d}'],
    ['testdata', '{name: a, type: testdata}'],
    ['phlare', '{name: a, type: phlare, url: "http://p:4040"}'],
    ['a dollar', '{name: "a $$b", type: loki, url: "http://l/$$x", jsonData: {list: [{url: "$${__value.raw}"}]}}'],
    ['a secret', '{name: a, type: loki, secureJsonData: {token: !env TOKEN}}'],
  ])('%s', async (_, datasource) => {
    await using grafana = await running(stack([datasource]));
    await expect(grafana.confirm()).resolves.toEqual([]);
  });

  test('the first datasource of an organization without a default, which Grafana makes the default', async () => {
    await using grafana = await running(stack(['{name: a, type: testdata}'], 'prometheus: {enabled: false}\n'));
    await expect(grafana.confirm()).resolves.toEqual([]);
  });
});

describe.each(['reload', 'restart'] as const)('by a %s must be taken', (how) => {
  const own = 'prometheus: {enabled: false}\n';
  test.each([
    ['another uid', ['{name: a, type: loki, uid: q}'], ['{name: a, type: loki, uid: q2}'], ''],
    ['a uid that is given up', ['{name: a, type: loki, uid: q}'], ['{name: a, type: loki}'], ''],
    [
      'exchanged uids',
      ['{name: a, type: loki, uid: q}', '{name: b, type: tempo, uid: r}'],
      ['{name: a, type: loki, uid: r}', '{name: b, type: tempo, uid: q}'],
      '',
    ],
    [
      'the uid of a removed one',
      ['{name: a, type: loki, uid: q}', '{name: b, type: tempo, uid: r}'],
      ['{name: b, type: tempo, uid: q}'],
      '',
    ],
    [
      "the name of one of the stack's own",
      ['{name: Prometheus, type: prometheus, uid: mine, url: "http://p:9090"}'],
      ['{name: Mine, type: prometheus, uid: mine, url: "http://p:9090"}'],
      own,
    ],
    ['no url', ['{name: a, type: loki, uid: q, url: "http://l:3100"}'], ['{name: a, type: loki, uid: q}'], ''],
    ['no user', ['{name: a, type: mysql, uid: q, user: me, database: d}'], ['{name: a, type: mysql, uid: q}'], ''],
    [
      'no basic auth',
      [
        '{name: a, type: loki, uid: q, basicAuth: true, basicAuthUser: me, secureJsonData: {basicAuthPassword: !env TOKEN}}',
      ],
      ['{name: a, type: loki, uid: q}'],
      '',
    ],
  ])('%s', async (_, before, after, rest) => {
    await using grafana = await running(stack(before, rest));
    await expect(grafana.change(stack(after), how)).resolves.toEqual([]);
  });
});

test('a provisioning file of the user’s own must be confirmed as Grafana reads it', async () => {
  const mine = (items: string): Folder => ({
    'stack.yml': '{}',
    'templates/grafana/provisioning/datasources/mine.yml': `apiVersion: 1\ndatasources:\n${items}`,
  });
  await using setUp = await running(
    mine('  - {name: Mine, type: loki, uid: mine, url: "http://loki:3100", user: 7, editable:, basicAuth: false}\n'),
  );
  await expect(setUp.confirm()).resolves.toEqual([]);
  setUp.standIn.changeDatasource('mine', { user: '8' });
  expect(await setUp.confirm().catch(String)).toContain('its user is "8", not "7"');
});

test("a change of alerting files of the user's own must be loaded by a reload, and only then", async () => {
  const rules = (group: string): Folder => ({
    'stack.yml': '{}',
    'templates/grafana/provisioning/alerting/mine.yml': `apiVersion: 1\ngroups: [{orgId: 1, name: ${group}, folder: f}]\n`,
  });
  await using setUp = await running(rules('a'));
  const asked = () => setUp.standIn.requests.filter((request) => request.endsWith('/alerting/reload')).length;
  expect(asked()).toBe(1);
  await setUp.change(rules('b'), 'reload');
  expect(asked()).toBe(2);
  await setUp.change(rules('a'), 'restart');
  expect(asked()).toBe(2);
});

test('a Grafana that was started must be confirmed only once it has taken its files', async () => {
  await using setUp = await running(stack(['{name: Loki, type: loki, uid: loki, url: "http://loki:3100"}']));
  const { release } = await renderGrafana(stack(['{name: Loki, type: loki, orgId: 7}']), env);
  await setUp.standIn.put(release.files);
  // It is healthy, and has not read them yet.
  const context = { ...contextOf(setUp.standIn, release, setUp.kept), isStarted: true };
  await expect(grafanaDriver.confirm(context)).rejects.toThrow(/it answers 500[\s\S]*its log: .*org/);
});

test('a change of dashboards alone must leave the datasources, unless one was changed by hand', async () => {
  const datasources = ['{name: a, type: loki, uid: q, editable: true, url: "http://l:3100"}'];
  await using grafana = await running(stack(datasources));
  const other = {
    ...stack(datasources, ''),
    'stack.yml': `${stack(datasources)['stack.yml']}  dashboards: [boards]\n`,
    'boards/b.json': { title: 'B', uid: 'b', panels: [] },
  };
  await grafana.change(other, 'reload');
  expect(grafana.reloads()).toBe(0);
  grafana.standIn.changeDatasource('q', { url: 'http://elsewhere' });
  await expect(grafana.change(other, 'reload')).resolves.toEqual([]);
  expect(grafana.reloads()).toBe(1);
});

test('a datasource that Grafana cannot delete must be noted', async () => {
  await using grafana = await running(stack(['{name: a, type: testdata, uid: q}']));
  grafana.standIn.changeDatasource('q', { isPrunable: false });
  await expect(grafana.change(stack(['{name: b, type: testdata, uid: r}']), 'reload')).resolves.toEqual([
    'the datasource a is no longer part of the stack, but Grafana did not delete it',
  ]);
});

test.each(['no-such-datasource', 'prometheu'])('a datasource without a plugin must be noted: %s', async (type) => {
  await using grafana = await running(stack([`{name: a, type: ${type}}`]));
  await expect(grafana.confirm()).resolves.toEqual([`the datasource a does not work: Grafana has no plugin ${type}`]);
});

describe('a datasource that may be edited in the browser', () => {
  const datasource = '{name: a, type: loki, uid: q, url: "http://l:3100", editable: true, jsonData: {maxLines: 10}}';

  test.each([
    ['url', { url: 'http://elsewhere' }, 'its url is "http://elsewhere", not "http://l:3100"'],
    ['a setting', { jsonData: { maxLines: 20 } }, 'its jsonData.maxLines is 20, not 10'],
    ['a new setting', { jsonData: { maxLines: 10, timeout: 3 } }, 'its jsonData.timeout is 3, not empty'],
    ['a new secret', { secrets: ['token'] }, 'it has token in secureJsonData'],
    ['the login', { basicAuth: true, basicAuthUser: 'x' }, 'its basicAuth is true, not false'],
  ])('must be reported and repaired after a change by hand of %s', async (_, change, difference) => {
    await using grafana = await running(stack([datasource]));
    expect(await grafana.edits()).toEqual([]);
    grafana.standIn.changeDatasource('q', change);
    expect(await grafana.edits()).toEqual([`the datasource a was changed by hand: ${difference}`]);
    await grafana.change(stack([datasource]), 'reload');
    expect(await grafana.edits()).toEqual([]);
  });

  test('must be reported after its removal, and repaired', async () => {
    await using grafana = await running(stack([datasource]));
    grafana.standIn.changeDatasource('q', { uid: 'other', name: 'other' });
    expect(await grafana.edits()).toEqual(['the datasource a was removed by hand']);
    await grafana.change(stack([datasource]), 'reload');
    expect(await grafana.edits()).toEqual([]);
  });

  test('must not cost more than one wrong password', async () => {
    await using grafana = await running(stack([datasource]));
    await grafana.kept.write('admin-password', new Secret('changed', 'a test'));
    const before = grafana.standIn.failedLogins;
    expect([await grafana.edits(), await grafana.edits()]).toEqual([[], []]);
    expect(grafana.standIn.failedLogins).toBe(before + 1);
  });
});

test('datasources that nobody can edit must not be asked for', async () => {
  await using grafana = await running(stack(['{name: a, type: loki, uid: q}']));
  const before = grafana.standIn.requests.length;
  expect(await grafana.edits()).toEqual([]);
  expect(grafana.standIn.requests).toHaveLength(before);
});
