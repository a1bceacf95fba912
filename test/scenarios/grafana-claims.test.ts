import { describe, expect } from 'vitest';
import { defaultImages } from '../../stack/values/default-images.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';
import { openRaw, type RawGrafana } from '../support/raw-grafana.ts';

// What promstack relies on of Grafana 12.4, as a list of claims: each is tried with the stand-in, which the other tests use, and with a
// real one where there is one. grafana-up.test.ts and grafana-admin.test.ts run promstack with both: start, reload, prune, password.

const loki = { name: 'Claim', uid: 'claim', type: 'loki', access: 'proxy', url: 'http://loki:3100' };
const board = (uid: string, title: string, more: object = {}) => ({
  uid,
  title,
  schemaVersion: 41,
  panels: [],
  ...more,
});

const claims: Readonly<Record<string, (grafana: RawGrafana) => Promise<void>>> = {
  'its version is of the minor release that stack.yml has by default, and needs no login': async ({ folder }) => {
    const health = await fetch(folder.url('grafana', '/api/health'));
    const { database, version } = (await health.json()) as Record<string, string>;
    const [, minor] = /:(\d+\.\d+)\./.exec(defaultImages.grafana) ?? [];
    expect([health.status, database, version?.replace(/\.\d+$/, '')]).toEqual([200, 'ok', minor]);
  },

  'a visitor may read datasources and dashboards, and is nobody': async ({ statusForAll }) => {
    expect(await statusForAll('/api/datasources/uid/prometheus')).toBe(200);
    expect(await statusForAll('/api/dashboards/uid/promstack-overview')).toBe(200);
    expect(await statusForAll('/api/user')).toBe(401);
  },

  'a wrong password is a visitor': async ({ statusAs }) => {
    expect(await statusAs('nobody:wrong', '/api/plugins/prometheus/settings')).toBe(200);
    expect(await statusAs('nobody:wrong', '/api/user')).toBe(401);
  },

  'five wrong passwords lock a user out, which only the log says': async ({ change, statusAs, log }) => {
    await change('POST', '/api/admin/users', { login: 'eve', name: 'Eve', password: 'her-own' });
    expect(await statusAs('eve:her-own', '/api/user')).toBe(200);
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await statusAs('eve:wrong', '/api/user')).toBe(401);
    expect(await statusAs('eve:her-own', '/api/user')).toBe(401);
    await expect
      .poll(async () => (await log()).join('\n'))
      .toContain('too many consecutive incorrect login attempts for user');
  },

  'users change their own password, with the former one': async ({ change, folder, statusAs }) => {
    await change('POST', '/api/admin/users', { login: 'ann', name: 'Ann', password: 'first' });
    const put = async (oldPassword: string, newPassword: string): Promise<number> => {
      const headers = {
        authorization: `Basic ${Buffer.from('ann:first').toString('base64')}`,
        'content-type': 'application/json',
      };
      const body = JSON.stringify({ oldPassword, newPassword });
      return (await fetch(folder.url('grafana', '/api/user/password'), { method: 'PUT', headers, body })).status;
    };
    expect([await put('wrong', 'second'), await put('first', 'x'), await put('first', 'second')]).toEqual([
      400, 400, 200,
    ]);
    expect([await statusAs('ann:first', '/api/user'), await statusAs('ann:second', '/api/user')]).toEqual([401, 200]);
  },

  'a plugin that is not in the image is 404': async ({ client }) => {
    expect((await client.plugin('prometheus')).kind).toBe('ok');
    expect((await client.plugin('grafana-postgresql-datasource')).kind).toBe('ok');
    expect(await client.plugin('no-such-datasource')).toEqual({ kind: 'absent' });
  },

  'a missing datasource or dashboard is 404': async ({ client }) => {
    expect(await client.datasource('no-such')).toEqual({ kind: 'absent' });
    expect(await client.dashboard('no-such')).toEqual({ kind: 'absent' });
  },

  'a reload responds when it is done': async ({ datasources, dashboards, client }) => {
    expect(await datasources([loki])).toMatchObject({ status: 200, message: 'Datasources config reloaded' });
    expect((await client.datasource('claim')).kind).toBe('ok');
    expect(await dashboards({ 'a.json': board('a', 'A') })).toMatchObject({
      status: 200,
      message: 'Dashboards config reloaded',
    });
    expect((await client.dashboard('a')).kind).toBe('ok');
  },

  'an alias of a type is stored as the name of its plugin': async ({ datasources, ask }) => {
    await datasources([
      { ...loki, name: 'P', uid: 'p', type: 'postgres' },
      { ...loki, name: 'T', uid: 't', type: 'testdata' },
    ]);
    expect((await ask('/api/datasources/uid/p')).body).toMatchObject({ type: 'grafana-postgresql-datasource' });
    expect((await ask('/api/datasources/uid/t')).body).toMatchObject({ type: 'grafana-testdata-datasource' });
  },

  'keys come back in another order, inside lists too': async ({ datasources, ask }) => {
    const derivedFields = [{ name: 't', matcherRegex: 'x', datasourceUid: 'tempo' }];
    await datasources([{ ...loki, jsonData: { derivedFields } }]);
    const { body } = await ask<{ jsonData: { derivedFields: object[] } }>('/api/datasources/uid/claim');
    expect(Object.keys(body.jsonData.derivedFields[0] ?? {})).toEqual(['datasourceUid', 'matcherRegex', 'name']);
  },

  'two dollars are one, and a name after one dollar is a variable': async ({ datasources, ask }) => {
    await datasources([{ ...loki, user: 'a$$b', database: 'x$NO_SUCH_VARIABLE-y' }]);
    expect((await ask('/api/datasources/uid/claim')).body).toMatchObject({ user: 'a$b', database: 'x-y' });
  },

  'the uid of a datasource cannot be changed, but after it was deleted': async ({ datasources, ask }) => {
    await datasources([loki]);
    const refused = await datasources([{ ...loki, uid: 'other' }]);
    expect(refused.status).toBe(500);
    await expect.poll(refused.logged).toMatch(/level=error.*data source not found/);
    expect((await datasources([{ ...loki, uid: 'other' }], ['Claim'])).status).toBe(200);
    expect((await ask('/api/datasources/uid/other')).body).toMatchObject({ name: 'Claim' });
    expect((await ask('/api/datasources/uid/claim')).status).toBe(404);
  },

  'a uid that another datasource has is refused, and the log says so': async ({ change, datasources, client }) => {
    await datasources([]);
    await change('POST', '/api/datasources', { ...loki, name: 'By hand', uid: 'by-hand' });
    const refused = await datasources([{ ...loki, uid: 'by-hand' }]);
    expect(refused.status).toBe(500);
    await expect.poll(refused.logged).toMatch(/level=error.*data source with the same uid already exists/);
    await change('DELETE', '/api/datasources/uid/by-hand');
    expect(await client.datasource('by-hand')).toEqual({ kind: 'absent' });
  },

  'a datasource of the same name that was made by hand is replaced': async ({ change, datasources, ask }) => {
    await datasources([]);
    await change('POST', '/api/datasources', { ...loki, url: 'http://by-hand:3100' });
    expect((await datasources([loki])).status).toBe(200);
    expect((await ask('/api/datasources/uid/claim')).body).toMatchObject({ url: loki.url, readOnly: true });
  },

  'an update leaves a url that is gone from the file': async ({ datasources, ask }) => {
    await datasources([loki]);
    const { url: _, ...rest } = loki;
    await datasources([rest]);
    expect((await ask('/api/datasources/uid/claim')).body).toMatchObject({ url: loki.url });
  },

  'a datasource that is gone from the files is deleted': async ({ datasources, client }) => {
    await datasources([loki]);
    await datasources([]);
    expect(await client.datasource('claim')).toEqual({ kind: 'absent' });
  },

  'a health check asks the server behind, and the Alertmanager has none': async ({ datasources, client, ask }) => {
    await datasources([{ ...loki, type: 'prometheus', url: 'http://127.0.0.1:1' }]);
    expect(await client.health('prometheus')).toMatchObject({ kind: 'ok', value: { isHealthy: true } });
    expect(await client.health('claim')).toMatchObject({ kind: 'ok', value: { isHealthy: false } });
    expect(await client.health('alertmanager')).toMatchObject({ kind: 'failed', message: 'Plugin unavailable' });
    expect((await client.through('alertmanager', 'api/v2/status')).kind).toBe('ok');
    expect((await ask('/api/datasources/uid/claim')).status).toBe(200);
  },

  'the index has the checksum of each file': async ({ dashboards, client }) => {
    await dashboards({ 'a.json': board('a', 'A') });
    await expect
      .poll(async () => {
        const indexed = await client.index();
        return indexed.kind === 'ok' ? indexed.value.find(({ name }) => name === 'a') : indexed;
      })
      .toMatchObject({
        managedBy: { kind: 'classic-file-provisioning' },
        field: { 'source.checksum': expect.stringMatching(/^[0-9a-f]{32}$/) },
      });
  },

  'only a changed file makes a new version, and unknown keys are kept': async ({ dashboards, ask }) => {
    const version = async (uid: string) =>
      (await ask<{ dashboard: { version: number } }>(`/api/dashboards/uid/${uid}`)).body.dashboard.version;
    await dashboards({ 'a.json': board('a', 'A'), 'b.json': board('b', 'B') });
    const [a, b] = [await version('a'), await version('b')];
    await dashboards({ 'a.json': board('a', 'A', { promstack: { uid: 'a' } }), 'b.json': board('b', 'B') });
    expect([await version('a'), await version('b')]).toEqual([a + 1, b]);
    expect((await ask('/api/dashboards/uid/a')).body).toMatchObject({ dashboard: { promstack: { uid: 'a' } } });
  },

  'one title twice in a folder, or one uid twice, is only a warning in the log': async ({ dashboards, client }) => {
    for (const twice of [board('d', 'Twice'), board('c', 'Other')]) {
      await dashboards({});
      const { status, logged } = await dashboards({ 'c.json': board('c', 'Twice'), 'd.json': twice });
      expect(status).toBe(200);
      await expect.poll(logged).toMatch(/level=warn.*duplicates.*provider=claims/);
      expect((await client.dashboard('c')).kind).toBe('ok');
    }
  },

  'a dashboard of schema v2 is answered as a classic one': async ({ dashboards, client }) => {
    const annotation = { builtIn: true, enable: true, hide: true, iconColor: 'blue', name: 'Annotations & Alerts' };
    const query = {
      kind: 'DataQuery',
      group: 'grafana',
      version: 'v0',
      datasource: { name: '-- Grafana --' },
      spec: {},
    };
    const annotations = [
      { kind: 'AnnotationQuery', spec: { ...annotation, query, legacyOptions: { promstack: { uid: 'second' } } } },
    ];
    const spec = { title: 'Second', annotations, elements: {}, layout: { kind: 'GridLayout', spec: { items: [] } } };
    const resource = { kind: 'Dashboard', metadata: { name: 'second' }, spec };
    await dashboards({ 'a.json': { apiVersion: 'dashboard.grafana.app/v2beta1', ...resource } });
    const stored = await client.dashboard('second');
    expect(stored).toMatchObject({ kind: 'ok', value: { dashboard: { title: 'Second' } } });
    expect(JSON.stringify(stored)).toContain('"promstack":{"uid":"second"}');
  },

  'a file that it does not take is named in its log': async ({ dashboards, client }) => {
    const later = { apiVersion: 'dashboard.grafana.app/v9', kind: 'Dashboard', metadata: { name: 'later' } };
    for (const file of [{ ...later, spec: { title: 'Later' } }, board('x y', 'Blank'), board('untitled', '')]) {
      const { status, logged } = await dashboards({ 'hosts/bad.json': file, 'good.json': board('good', 'Good') });
      expect(status).toBe(200);
      await expect.poll(logged).toMatch(/level=error.*failed to (?:load|save) dashboard.*bad\.json/);
      expect((await client.dashboard('good')).kind).toBe('ok');
    }
    for (const uid of ['later', 'untitled']) expect(await client.dashboard(uid)).toEqual({ kind: 'absent' });
  },

  'a file that is gone leaves its dashboard, which may then be deleted': async ({ dashboards, client }) => {
    await dashboards({ 'a.json': board('gone', 'Gone') });
    expect(await client.deleteDashboard('gone')).toMatchObject({ kind: 'failed', status: 400 });
    await dashboards({});
    expect((await client.dashboard('gone')).kind).toBe('ok');
    expect((await client.deleteDashboard('gone')).kind).toBe('ok');
    expect(await client.dashboard('gone')).toEqual({ kind: 'absent' });
  },

  'a folder is made by Grafana itself, and found again unless its name ends with a blank': async (grafana) => {
    const { dashboards, client } = grafana;
    const folders = async (title: string) => {
      const indexed = await client.index('folder');
      return indexed.kind === 'ok' ? indexed.value.filter((folder) => folder.title === title) : [];
    };
    for (const name of ['A', 'B']) {
      await dashboards({ 'plain/a.json': board('a', name), 'blank /b.json': board('b', name) });
    }
    await expect.poll(async () => (await folders('blank')).length, { timeout: 10_000 }).toBeGreaterThan(1);
    const [made, ...others] = await folders('plain');
    expect(others).toEqual([]);
    expect(await client.folder(made?.name ?? '')).toMatchObject({
      value: { metadata: { annotations: { 'grafana.app/createdBy': expect.stringMatching(/^access-policy:/) } } },
    });
    expect(await client.folderCounts(made?.name ?? '')).toMatchObject({ kind: 'ok', value: { dashboard: 1 } });
  },
};

describe.sequential.each(grafanas)('%s of Grafana', (which) => {
  let raw: RawGrafana | undefined;
  const check = grafanaChecks(which, async (stack) => {
    await stack.configure({ anonymous: 'viewer' });
    await stack.fine('up');
    raw = await openRaw(stack);
  });
  for (const [claim, holds] of Object.entries(claims)) {
    check(claim, async () => {
      if (raw === undefined) throw new Error('Grafana was not prepared');
      await holds(raw);
    });
  }
});
