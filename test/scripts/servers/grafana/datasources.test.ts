import { describe, expect, test } from 'vitest';
import { grafanaDriver } from '../../../../scripts/servers/grafana/driver.ts';
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
  return {
    standIn,
    confirm: () => grafanaDriver.confirm(contextOf(standIn, release, kept)),
    /** Loads another stack. */
    reload: async (other: Folder) => {
      const next = (await renderGrafana(other, env)).release;
      standIn.put(next.files);
      const context = contextOf(standIn, next, kept);
      await grafanaDriver.reload(context);
      return grafanaDriver.confirm(context);
    },
    stored: async (uid: string): Promise<Readonly<Record<string, unknown>>> => {
      const authorization = `Basic ${Buffer.from('admin:right').toString('base64')}`;
      const response = await fetch(`${standIn.url}/api/datasources/uid/${uid}`, { headers: { authorization } });
      return (await response.json()) as Readonly<Record<string, unknown>>;
    },
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
