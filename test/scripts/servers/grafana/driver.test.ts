import { describe, expect, test } from 'vitest';
import { GrafanaClient } from '../../../../scripts/servers/grafana/client.ts';
import { grafanaDriver } from '../../../../scripts/servers/grafana/driver.ts';
import { rotatePassword, storedPasswords } from '../../../../scripts/servers/grafana/password.ts';
import { signInProblems } from '../../../../scripts/servers/grafana/sign-in.ts';
import { makeSecret } from '../../../../scripts/state/secret-store.ts';
import { ConnectionError, timeoutError } from '../../../../scripts/util/http.ts';
import { StackError } from '../../../../scripts/util/stack-error.ts';
import { Secret } from '../../../../stack/secret.ts';
import { defaultImages } from '../../../../stack/values/default-images.ts';
import { contextOf, keptInMemory } from '../../../support/grafana-context.ts';
import { hashOf, type StoredUser } from '../../../support/grafana-image/store.ts';
import { type Folder, renderGrafana } from '../../../support/grafana-release.ts';
import { type Faults, GrafanaStandIn } from '../../../support/grafana-stand-in.ts';

const disks = {
  title: 'Disks',
  uid: 'disks',
  panels: [{ id: 1, title: 'Full', type: 'stat', targets: [{ expr: 'up' }] }],
};
const lokiStack = `
grafana:
  dashboards: [dashboards]
  datasources:
    - {name: Loki, type: loki, uid: loki, url: "http://loki:3100"}
`;
const folder: Folder = { 'stack.yml': lokiStack, 'dashboards/disks.json': disks };

/** A fake Grafana with the stack's files, and a driver context; fails on unexpected requests at the end. */
async function scene(
  options: {
    folder?: Folder;
    env?: Readonly<Record<string, string>>;
    password?: string;
    kept?: string;
    faults?: Faults;
    settings?: Readonly<Record<string, string>>;
  } = {},
) {
  const { release } = await renderGrafana(options.folder ?? folder, options.env);
  const { password = 'right', kept: keptPassword = 'right', faults = {}, settings = {} } = options;
  const standIn = await GrafanaStandIn.start({ password, files: release.files, faults, settings });
  const kept = keptInMemory({ 'admin-password': keptPassword });
  const context = contextOf(standIn, release, kept);
  return {
    standIn,
    kept,
    context,
    confirm: () => grafanaDriver.confirm(context),
    reload: () => grafanaDriver.reload(context),
    [Symbol.asyncDispose]: async () => {
      await standIn[Symbol.asyncDispose]();
      expect(standIn.unexpected).toEqual([]);
    },
  };
}

/** The three parts of the error of an action. */
async function refusal(action: Promise<unknown>): Promise<{ doing: string; why: string; tryThis: string | undefined }> {
  try {
    await action;
  } catch (error) {
    if (error instanceof StackError) return { doing: error.doing, why: error.why, tryThis: error.tryThis };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a Grafana that has its files', () => {
  test('must be confirmed', async () => {
    await using setUp = await scene();
    await expect(setUp.confirm()).resolves.toEqual([]);
  });

  test('must be queried for all datasources by uid and health, and for all dashboards at once', async () => {
    await using setUp = await scene();
    await setUp.confirm();
    expect(setUp.standIn.requests).toEqual(
      expect.arrayContaining([
        'GET /api/datasources/uid/prometheus',
        'GET /api/datasources/uid/prometheus/health',
        'GET /api/datasources/uid/alertmanager',
        'GET /api/datasources/proxy/uid/alertmanager/api/v2/status',
        'GET /api/datasources/uid/loki',
        expect.stringContaining('/search?type=dashboard&'),
      ]),
    );
    expect(setUp.standIn.requests.filter((asked) => asked.includes('/dashboards/uid/'))).toEqual([]);
  });

  test('but no index of dashboards, as before 12, must be queried for each dashboard by uid', async () => {
    await using setUp = await scene({ faults: { withoutIndex: true } });
    await setUp.confirm();
    expect(setUp.standIn.requests).toEqual(
      expect.arrayContaining(['GET /api/dashboards/uid/promstack-overview', 'GET /api/dashboards/uid/disks']),
    );
  });

  test('must load datasources before dashboards when it is reloaded', async () => {
    await using setUp = await scene();
    await setUp.reload();
    expect(setUp.standIn.requests.filter((asked) => asked.startsWith('POST'))).toEqual([
      'POST /api/admin/provisioning/datasources/reload',
      'POST /api/admin/provisioning/dashboards/reload',
    ]);
  });

  test('must be confirmed by visible parts when it drops unknown keys', async () => {
    await using setUp = await scene({ faults: { dropsUnknownKeys: true } });
    await expect(setUp.confirm()).resolves.toEqual([]);
  });

  test('must be confirmed with a note about a user-defined datasource that does not answer', async () => {
    await using setUp = await scene({
      faults: { deadServer: { url: 'http://loki:3100', message: 'connection refused' } },
    });
    await expect(setUp.confirm()).resolves.toEqual([
      'the datasource Loki does not answer: Unable to connect with Loki. Please check the server logs for more details.',
    ]);
  });

  test.each([
    ['prometheus', 'GET /api/datasources/proxy/uid/am/api/v2/status'],
    ['mimir', 'GET /api/datasources/proxy/uid/am/alertmanager/api/v2/status'],
  ])(
    'must be confirmed with a note about an Alertmanager of the user that does not answer: %s',
    async (kind, asked) => {
      const datasource = `{name: Mine, uid: am, type: alertmanager, url: "http://am", jsonData: {implementation: ${kind}}}`;
      await using setUp = await scene({
        folder: { 'stack.yml': `grafana: {datasources: [${datasource}]}` },
        faults: { deadServer: { url: 'http://am', message: 'no such host' } },
      });
      await expect(setUp.confirm()).resolves.toEqual(['the datasource Mine does not answer: 502 Bad Gateway']);
      expect(setUp.standIn.requests).toContain(asked);
    },
  );
});

describe('a Grafana that is slow', () => {
  test('to provision must be waited for, even after its health check passes', async () => {
    await using setUp = await scene({ faults: { slowStart: 60 } });
    await expect(setUp.confirm()).resolves.toEqual([]);
  });

  test('beyond the deadline must be reported with everything that is missing', async () => {
    await using setUp = await scene({ faults: { slowStart: 1e9 } });
    const { doing, why } = await refusal(setUp.confirm());
    expect(doing).toBe('confirming that Grafana has the datasource Alertmanager');
    expect(why).toContain('it has no datasource with the uid alertmanager, after 10 s');
    expect(why).toContain('nor: has the datasource Prometheus');
    expect(why).toContain('nor: has the dashboard Disks of dashboards/disks.json');
  });
});

describe('a Grafana that rejects', () => {
  test('the stored password must be an error with a hint, after one attempt', async () => {
    await using setUp = await scene({ password: 'changed in the browser' });
    expect(await refusal(setUp.confirm())).toEqual({
      doing: 'signing in to Grafana',
      why: expect.stringContaining('it rejects the stored password: the password of admin was changed in Grafana'),
      tryThis: 'promstack password --rotate sets a new one',
    });
    expect(setUp.standIn.failedLogins).toBe(1);
  });

  test('the stored password must not be asked again within a command, as by a rollback', async () => {
    await using setUp = await scene({ password: 'changed in the browser' });
    for (const action of [setUp.reload, setUp.confirm, setUp.reload, setUp.confirm]) await refusal(action());
    expect(setUp.standIn.failedLogins).toBe(1);
  });

  test('the stored password must be found by looking, with one attempt in five minutes', async () => {
    await using setUp = await scene({ password: 'changed in the browser' });
    for (let looks = 0; looks < 9; looks += 1) {
      expect(await signInProblems({ ...setUp.context, rejected: new Set() })).toEqual([
        {
          message: expect.stringContaining('the password of admin was changed in Grafana'),
          tryThis: 'promstack password --rotate sets a new one',
        },
      ]);
    }
    expect(setUp.standIn.failedLogins).toBe(1);
    await setUp.context.clock.sleep(300_000);
    await signInProblems({ ...setUp.context, rejected: new Set() });
    expect(setUp.standIn.failedLogins).toBe(2);

    // Once a change has signed in with it, it is no longer reported.
    setUp.standIn.users = setUp.standIn.users.map((user) => ({ ...user, password: hashOf('right') }));
    await setUp.context.clock.sleep(1);
    await grafanaDriver.confirm({ ...setUp.context, rejected: new Set() });
    expect(await signInProblems({ ...setUp.context, rejected: new Set() })).toEqual([]);
  });

  test('the stored password must be noticed where visitors may look at everything', async () => {
    await using setUp = await scene({
      password: 'changed in the browser',
      settings: { 'auth.anonymous.enabled': 'true' },
    });
    expect((await refusal(setUp.confirm())).why).toContain('it rejects the stored password');
    expect(await signInProblems({ ...setUp.context, rejected: new Set() })).toHaveLength(1);
  });

  test('its admin as a server admin must be reported as that, with the stored password kept', async () => {
    await using setUp = await scene();
    setUp.standIn.users = setUp.standIn.users.map((user) => ({ ...user, isAdmin: false }));
    const demoted = {
      message: 'it accepts the password, but admin is no longer a server admin',
      tryThis: 'make admin a server admin again in Grafana, under Administration, Users',
    };
    expect(await refusal(setUp.confirm())).toMatchObject({ why: demoted.message, tryThis: demoted.tryThis });
    expect(await signInProblems(setUp.context)).toEqual([demoted]);
  });

  test('the stored password, while stack.yml has another, must get the latter by its own program', async () => {
    const own: Folder = { ...folder, 'stack.yml': `${lokiStack}  admin_password: !env PASSWORD\n` };
    for (const password of ['in-use', 'third']) {
      await using setUp = await scene({ folder: own, env: { PASSWORD: 'in-use' }, password, kept: 'outdated' });
      await expect(setUp.confirm()).resolves.toEqual([]);
      expect(setUp.kept.texts.get('admin-password')).toBe('in-use');
      expect(setUp.standIn.hasPassword('in-use')).toBe(true);
      expect(setUp.standIn.failedLogins).toBe(1);
    }
  });

  test('the password in stack.yml, which is stored too, must be an error that names both', async () => {
    const own: Folder = { ...folder, 'stack.yml': `${lokiStack}  admin_password: !env PASSWORD\n` };
    await using setUp = await scene({ folder: own, env: { PASSWORD: 'both' }, password: 'third', kept: 'both' });
    const { why, tryThis } = await refusal(setUp.confirm());
    expect(why).toContain('it rejects the stored password, which is grafana.admin_password too');
    expect(tryThis).toContain('or set grafana.admin_password to the current one');
  });

  test('a password that was generated for a database which has an admin already must get it, with a note', async () => {
    await using setUp = await scene({ password: 'of an earlier stack' });
    const notes: string[] = [];
    const context = { ...setUp.context, isFirstStart: true, onNote: (text: string) => void notes.push(text) };
    await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
    expect(setUp.standIn.hasPassword('right')).toBe(true);
    expect(await signInProblems({ ...setUp.context, rejected: new Set() })).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('already had a user admin: its password was set to a new one')]);
  });

  test('a reload without permission must be reported with the user', async () => {
    const refuse = { what: 'datasources', status: 403, message: "You'll need additional permissions" } as const;
    await using setUp = await scene({ faults: { refuse } });
    expect(await refusal(setUp.reload())).toEqual({
      doing: "loading Grafana's datasources from their files",
      why: 'its user admin lacks the permission: only a server admin has it',
      tryThis: 'make admin a server admin again in Grafana, under Administration, Users',
    });
  });

  test('a datasource file must be reported with the reason and the line from its log', async () => {
    await using setUp = await scene({
      faults: {
        refuse: {
          what: 'datasources',
          status: 500,
          message: 'Internal server error',
          log: 'logger=provisioning t=2026-01-01T00:00:00Z level=error msg="Failed to provision data sources" error="Datasource provisioning error: /etc/promstack/current/provisioning/datasources/stack.yml: yaml: line 7: did not find expected key"',
        },
      },
    });
    const { doing, why } = await refusal(setUp.reload());
    expect(doing).toBe("loading Grafana's datasources from their files");
    expect(why).toContain('it answers 500: Internal server error');
    expect(why).toMatch(
      /did not find expected key \(line 7 of provisioning\/datasources\/stack\.yml, rendered from .*templates\/grafana\//,
    );
  });

  test('a datasource file must be reported with the reason from a log in JSON too', async () => {
    const error = 'Datasource provisioning error: data source with the same "uid" exists';
    const log = JSON.stringify({
      error,
      level: 'error',
      logger: 'provisioning',
      msg: 'Failed to provision data sources',
    });
    const refuse = { what: 'datasources', status: 500, message: '', log } as const;
    await using setUp = await scene({ faults: { refuse } });
    expect((await refusal(setUp.reload())).why).toContain(`its log: ${error}`);
  });

  test('a refused reload must be reported with a reason that reaches the log after the response', async () => {
    const error = 'Datasource provisioning error: data source with the same "uid" exists';
    const log = `level=error logger=provisioning msg="Failed to provision data sources" error="${error.replaceAll('"', '\\"')}"`;
    const refuse = { what: 'datasources', status: 500, message: '', log } as const;
    await using setUp = await scene({ faults: { refuse } });
    let calls = 0;
    const lastLines = async () => (++calls < 4 ? [] : setUp.standIn.log);
    expect((await refusal(grafanaDriver.reload({ ...setUp.context, lastLines }))).why).toContain(`its log: ${error}`);
  });

  test('one dashboard must be reported with its file and the reason from the log', async () => {
    await using setUp = await scene({ faults: { untitledDashboard: 'disks' } });
    const { doing, why } = await refusal(setUp.confirm());
    expect(doing).toBe('confirming that Grafana has the dashboard Disks of dashboards/disks.json');
    expect(why).toContain('it has no dashboard with the uid disks, after 10 s');
    expect(why).toContain('its log: Dashboard title cannot be empty (dashboards/disks.json)');
  });

  test('one dashboard must be reported at once when its log says so since the change, and not for older lines', async () => {
    await using setUp = await scene({ faults: { untitledDashboard: 'disks' } });
    const { clock } = setUp.context;
    const changedAt = new Date(clock.now());
    const waited = async (lastLines: typeof setUp.context.lastLines): Promise<number> => {
      const start = clock.now();
      const { why } = await refusal(grafanaDriver.confirm({ ...setUp.context, changedAt, lastLines }));
      expect(why).toContain('it has no dashboard with the uid disks');
      return clock.now() - start;
    };
    expect(await waited(async (since) => (since === changedAt ? setUp.standIn.log : []))).toBeLessThan(1_000);
    expect(await waited(async (since) => (since === undefined ? setUp.standIn.log : []))).toBeGreaterThanOrEqual(
      10_000,
    );
    const busy = setUp.standIn.log.map((line) => line.replace('Dashboard title cannot be empty', 'database is locked'));
    expect(await waited(async () => busy)).toBeGreaterThanOrEqual(10_000);
  });

  test('the plugin check, with an image without the Prometheus plugin, must be reported with an image to use', async () => {
    await using setUp = await scene({ faults: { withoutPlugin: true } });
    const { why, tryThis } = await refusal(setUp.confirm());
    expect(why).toBe(`the image ${defaultImages.grafana} has no plugin for Prometheus`);
    expect(tryThis).toContain('without -slim');
  });
});

describe('a reload', () => {
  test('that leaves one datasource unchanged must be repeated once', async () => {
    await using setUp = await scene();
    setUp.standIn.changeDatasource('prometheus', { url: 'http://elsewhere:9090' });
    setUp.standIn.faults.leaveAsItWas = { uid: 'prometheus', times: 1 };
    await setUp.reload();
    await expect(setUp.confirm()).resolves.toEqual([]);
    expect(setUp.standIn.requests.filter((asked) => asked.endsWith('/datasources/reload'))).toHaveLength(2);
  });

  test('that leaves one datasource unchanged each time must be reported with the difference', async () => {
    await using setUp = await scene();
    setUp.standIn.changeDatasource('prometheus', { url: 'http://elsewhere:9090' });
    setUp.standIn.faults.leaveAsItWas = { uid: 'prometheus', times: 9 };
    await setUp.reload();
    const { doing, why } = await refusal(setUp.confirm());
    expect(doing).toBe('confirming that Grafana has the datasource Prometheus');
    expect(why).toContain('its url is "http://elsewhere:9090", not "http://prometheus:9090"');
  });

  test('must load a new revision of a dashboard, and confirm must detect when it did not', async () => {
    await using setUp = await scene();
    const other = await renderGrafana({ ...folder, 'dashboards/disks.json': { ...disks, description: 'changed' } });
    const context = { ...setUp.context, release: other.release };
    expect((await refusal(grafanaDriver.confirm(context))).why).toContain('it is of an earlier version of the file');
    await setUp.standIn.put(other.release.files);
    await grafanaDriver.reload(context);
    await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
  });

  test('must delete a dashboard that is no longer part of the stack, and keep user-defined ones', async () => {
    await using setUp = await scene();
    const held = JSON.parse(JSON.stringify({ ...disks, promstack: { revision: 'x', uid: 'disks' } }));
    setUp.standIn.addDashboard({ ...held, uid: 'copied', title: 'Disks copy' });
    setUp.standIn.addDashboard({ uid: 'mine', title: 'Mine' });
    const without = await renderGrafana({ 'stack.yml': lokiStack.replace('  dashboards: [dashboards]\n', '') });
    await setUp.standIn.put(without.release.files);
    const context = { ...setUp.context, release: without.release };
    await grafanaDriver.reload(context);
    await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
    expect(setUp.standIn.dashboardUids).toEqual(
      [
        'copied',
        'mine',
        'promstack-alertmanager',
        'promstack-overview',
        'promstack-prometheus',
        'promstack-pushgateway',
      ].sort(),
    );
  });
});

describe('dashboards of all formats', () => {
  const all = {
    'classic.json': { uid: 'classic', title: 'Classic', schemaVersion: 41, panels: [] },
    'resource.json': {
      ...{ apiVersion: 'dashboard.grafana.app/v1beta1', kind: 'Dashboard', metadata: { name: 'resource' } },
      spec: { title: 'Resource', panels: [] },
    },
    'second.json': {
      ...{ apiVersion: 'dashboard.grafana.app/v2beta1', kind: 'Dashboard' },
      metadata: { name: 'second', namespace: 'stacks-1234', annotations: { 'grafana.app/folder': 'elsewhere' } },
      spec: { title: 'Second', elements: {}, layout: { kind: 'GridLayout', spec: { items: [] } } },
    },
    'alpha.json': {
      ...{ apiVersion: 'dashboard.grafana.app/v2alpha1', kind: 'Dashboard', metadata: { name: 'alpha' } },
      spec: {
        ...{ title: 'Alpha', elements: {} },
        annotations: [{ kind: 'AnnotationQuery', spec: { name: 'Deploys', enable: true, legacyOptions: { a: 1 } } }],
      },
    },
  };
  const folderOf = (files: object, names = Object.keys(all)): Folder => ({
    'stack.yml': 'grafana: {shipped_dashboards: false, dashboards: ["*.json"]}',
    ...Object.fromEntries(Object.entries(files).filter(([name]) => names.includes(name))),
  });

  test.each([[{}], [{ withoutIndex: true }]])(
    'must be loaded, read back and changed, with faults %j',
    async (faults) => {
      await using setUp = await scene({ folder: folderOf(all), faults });
      await expect(setUp.confirm()).resolves.toEqual([]);
      const changed = JSON.parse(JSON.stringify(all).replaceAll('"title":"', '"title":"New ')) as object;
      const { release } = await renderGrafana(folderOf(changed));
      const context = { ...setUp.context, release };
      await setUp.standIn.put(release.files);
      await expect(grafanaDriver.confirm(context)).rejects.toThrow('confirming');
      await grafanaDriver.reload(context);
      await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
    },
  );

  test.each(Object.keys(all))('must be deleted with their file, but not a copy of them: %s', async (name) => {
    await using setUp = await scene({ folder: folderOf(all) });
    const uid = name.replace('.json', '');
    const { standIn } = setUp;
    standIn.addDashboard({ ...standIn.stored(uid), uid: `${uid}-copy` });
    const { release } = await renderGrafana(
      folderOf(all, ['none', ...Object.keys(all).filter((kept) => kept !== name)]),
    );
    await standIn.put(release.files);
    const context = { ...setUp.context, release };
    await grafanaDriver.reload(context);
    await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
    expect(standIn.dashboardUids).toEqual(
      ['alpha', 'classic', 'resource', 'second', `${uid}-copy`].filter((kept) => kept !== uid).sort(),
    );
  });
});

describe('a change of one dashboard among many', () => {
  const boards = (edited: string): Folder => ({
    'stack.yml': 'grafana: {shipped_dashboards: false, dashboards: [boards]}',
    ...Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [
        `boards/team ${at % 7}/${at}.json`,
        { uid: `board-${at}`, title: at === 150 ? edited : `Board ${at}`, panels: [] },
      ]),
    ),
  });

  test('must leave the files and versions of all others as they are, and take few requests', async () => {
    await using setUp = await scene({ folder: boards('Before') });
    await setUp.confirm();
    const { standIn, context } = setUp;
    const versions = standIn.versions();
    const { release } = await renderGrafana(boards('After'));
    const before = new Map(context.release.files.map(({ path, content }) => [path, content]));
    expect(release.files.flatMap(({ path, content }) => (before.get(path) === content ? [] : [path]))).toEqual([
      'dashboards/team 3/150.json',
    ]);
    await standIn.put(release.files);
    standIn.requests.length = 0;
    await grafanaDriver.reload({ ...context, release });
    await grafanaDriver.confirm({ ...context, release });
    expect(standIn.versions()).toEqual({ ...versions, 'board-150': (versions['board-150'] ?? 0) + 1 });
    expect(standIn.requests.length).toBeLessThan(40);
  });

  test('must be confirmed for each, by an index that lags behind', async () => {
    await using setUp = await scene({ folder: boards('Before') });
    let lagging = 3;
    const context: typeof setUp.context = {
      ...setUp.context,
      request: async (request) => {
        const answer = await setUp.context.request(request);
        return request.path.startsWith('/apis/') && lagging-- > 0 ? { status: 200, body: '{"hits":[]}' } : answer;
      },
    };
    setUp.standIn.requests.length = 0;
    await grafanaDriver.confirm(context);
    expect(setUp.standIn.requests.filter((asked) => asked.includes('/dashboards/uid/')).length).toBeLessThan(100);
  });
});

test('of a thousand dashboards, none but a changed one may get a new version at later reloads', async () => {
  const boards = (title: string): Folder => ({
    'stack.yml': 'grafana: {dashboards: [boards]}',
    ...Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [
        `boards/team ${at % 7}/${at}.json`,
        { uid: `board-${at}`, title: at === 150 ? title : `Board ${at}`, panels: [] },
      ]),
    ),
  });
  await using setUp = await scene({ folder: boards('Before') });
  const { standIn, context } = setUp;
  await setUp.confirm();
  const versions = standIn.versions();
  const { release } = await renderGrafana(boards('After'));
  await standIn.put(release.files);
  await grafanaDriver.reload({ ...context, release });
  await grafanaDriver.confirm({ ...context, release });
  expect(standIn.versions()).toEqual({ ...versions, 'board-150': (versions['board-150'] ?? 0) + 1 });
  expect(standIn.stored('board-999')['title']).toBe('Board 999');
});

describe('a folder in Grafana', () => {
  const board = (uid: string): object => ({ uid, title: uid, panels: [] });
  const folderOf = (...paths: readonly string[]): Folder => ({
    'stack.yml': 'grafana: {shipped_dashboards: false, dashboards: [boards]}',
    ...Object.fromEntries(paths.map((path) => [`boards/${path}.json`, board(path.replaceAll('/', '-'))])),
  });

  /** The titles of its folders after a change from one stack to another, with something done by a user between. */
  async function folders(before: Folder, after: Folder, by: (standIn: GrafanaStandIn) => void = () => undefined) {
    await using setUp = await scene({ folder: before });
    await setUp.confirm();
    by(setUp.standIn);
    const { release } = await renderGrafana(after);
    await setUp.standIn.put(release.files);
    const context = { ...setUp.context, release };
    await grafanaDriver.reload(context);
    await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
    return setUp.standIn.folderTitles;
  }

  test('must be deleted with its last dashboard, when that moves too', async () => {
    expect(await folders(folderOf('a/x', 'b/y'), folderOf('a/x'))).toEqual(['a']);
    expect(await folders(folderOf('a/x', 'a/y'), folderOf('a/x'))).toEqual(['a']);
    const moved = { ...folderOf('b/y'), 'boards/b/x.json': board('a-x') };
    expect(await folders(folderOf('a/x', 'b/y'), moved)).toEqual(['b']);
  });

  test('that a user made must stay, although files were in it', async () => {
    const made = (standIn: GrafanaStandIn): void => standIn.addFolder('mine');
    expect(await folders(folderOf('a/x'), folderOf('a/x'), made)).toEqual(['a', 'mine']);
    await using setUp = await scene({ folder: folderOf('a/x') });
    setUp.standIn.addFolder('mine');
    for (const paths of [['a/x', 'mine/y'], ['a/x']]) {
      const { release } = await renderGrafana(folderOf(...paths));
      await setUp.standIn.put(release.files);
      await grafanaDriver.reload({ ...setUp.context, release });
      await grafanaDriver.confirm({ ...setUp.context, release });
    }
    expect(setUp.standIn.folderTitles).toEqual(['a', 'mine']);
  });

  test('into which a user put a dashboard must stay', async () => {
    const put = (standIn: GrafanaStandIn): void => standIn.addDashboard({ uid: 'own', title: 'Own' }, 'b');
    expect(await folders(folderOf('a/x', 'b/y'), folderOf('a/x'), put)).toEqual(['a', 'b']);
  });
});

describe('a dashboard made in Grafana with the uid of a file', () => {
  test('must be reported before a change replaces it', async () => {
    await using setUp = await scene({ folder: { 'stack.yml': '{}' } });
    setUp.standIn.addDashboard({ uid: 'disks', title: 'Made by hand' });
    const { release } = await renderGrafana(folder);
    const look = { ...setUp.context, files: release.files };
    expect(await grafanaDriver.problems?.(look)).toEqual([
      {
        prevents: 'nothing',
        message:
          'the dashboard "Made by hand" was made in Grafana, and dashboards/disks.json with the same uid disks replaces it',
        tryThis: 'change the uid in the file to keep both; a replaced dashboard stays in its version history',
      },
    ]);
    expect(await grafanaDriver.problems?.({ ...look, files: setUp.context.release.files })).toEqual([]);
    expect(await grafanaDriver.problems?.({ ...look, files: undefined })).toEqual([]);
  });

  test('must not be one that the stack itself has or had', async () => {
    await using setUp = await scene();
    const look = { ...setUp.context, files: setUp.context.release.files };
    expect(await grafanaDriver.problems?.(look)).toEqual([]);
    const { release } = await renderGrafana({ 'stack.yml': '{}' });
    await setUp.standIn.put(release.files);
    await grafanaDriver.reload({ ...setUp.context, release });
    expect(setUp.standIn.dashboardUids).toContain('disks');
    expect(await grafanaDriver.problems?.(look)).toEqual([]);
  });
});

describe('a datasource made in Grafana', () => {
  const inFile = (name: string, uid: string, more = ''): Folder => ({
    'stack.yml': `grafana: {datasources: [{name: ${name}, type: loki, uid: ${uid}, url: "http://loki:3100"${more}}]}`,
  });
  /** What is reported before the stack of one datasource replaces one that runs these files. */
  const problemsOf = async (setUp: Awaited<ReturnType<typeof scene>>, wanted: Folder) => {
    const { release } = await renderGrafana(wanted);
    const running = async () => setUp.context.release.files;
    return grafanaDriver.problems?.({ ...setUp.context, files: release.files, running });
  };
  const byHand = async (setUp: Awaited<ReturnType<typeof scene>>, name: string, uid: string) => {
    const authorization = `Basic ${Buffer.from('admin:right').toString('base64')}`;
    const body = JSON.stringify({ name, uid, type: 'loki', url: 'http://by-hand:3100' });
    await fetch(`${setUp.standIn.url}/api/datasources`, { method: 'POST', headers: { authorization }, body });
  };

  test.each([
    ['Loki', 'loki'],
    ['Loki', 'other'],
    ['Prometheus', 'own'],
  ])('with the name %s and the uid %s must be reported before a file replaces it', async (name, uid) => {
    await using setUp = await scene({ folder: { 'stack.yml': '{}' } });
    if (name === 'Prometheus') setUp.standIn.changeDatasource('prometheus', { readOnly: false, uid });
    else await byHand(setUp, name, uid);
    const wanted = name === 'Prometheus' ? { 'stack.yml': '{}' } : inFile('Loki', 'loki');
    const { release } = await renderGrafana(wanted);
    const look = { ...setUp.context, files: release.files, running: async () => [] };
    expect(await grafanaDriver.problems?.(look)).toEqual([
      {
        prevents: 'nothing',
        message: `the datasource "${name}" was made in Grafana, and the stack's datasource of the same name replaces it, its secrets too`,
        tryThis: 'change the name in stack.yml to keep both',
      },
    ]);
  });

  test.each(['Mine', 'loki'])('with the uid of a file, but the name %s, must be refused', async (name) => {
    await using setUp = await scene({ folder: { 'stack.yml': '{}' } });
    await byHand(setUp, name, 'loki');
    expect(await problemsOf(setUp, inFile('Loki', 'loki'))).toEqual([
      {
        prevents: 'any change',
        message: `the datasource "${name}" was made in Grafana with the uid loki, which the stack's datasource "Loki" has too: Grafana would load none of the stack's`,
        tryThis: 'change the uid in stack.yml, or delete the other datasource in Grafana',
      },
    ]);
    // As Grafana does.
    const { release } = await renderGrafana(inFile('Loki', 'loki'));
    await setUp.standIn.put(release.files);
    await expect(grafanaDriver.reload({ ...setUp.context, release })).rejects.toThrow('500');
  });

  test.each([
    ['the same', inFile('Loki', 'loki', ', editable: true')],
    ['another uid', inFile('Loki', 'other')],
    ['its uid at another name', inFile('Tempo', 'loki')],
  ])('must not be an editable one of the stack, which gets %s', async (_, wanted) => {
    await using setUp = await scene({ folder: inFile('Loki', 'loki', ', editable: true') });
    expect(await problemsOf(setUp, wanted)).toEqual([]);
  });

  test('must not be reported when it has nothing in common with a file', async () => {
    await using setUp = await scene({ folder: { 'stack.yml': '{}' } });
    await byHand(setUp, 'Mine', 'mine');
    expect(await problemsOf(setUp, inFile('Loki', 'loki'))).toEqual([]);
  });
});

test('a dashboard that cannot be deleted must be noted without failing', async () => {
  await using setUp = await scene();
  const { release } = await renderGrafana({ 'stack.yml': lokiStack.replace('  dashboards: [dashboards]\n', '') });
  const context: typeof setUp.context = {
    ...setUp.context,
    release,
    request: async (request) => {
      if (request.method === 'DELETE') throw new ConnectionError('connection', 'a DELETE request cannot be sent');
      return setUp.context.request(request);
    },
  };
  await setUp.standIn.put(release.files);
  await grafanaDriver.reload(context);
  await expect(grafanaDriver.confirm(context)).resolves.toEqual([
    'the dashboard "Disks" is no longer part of the stack, but Grafana did not delete it',
  ]);
});

describe('a request without a response', () => {
  /** The set-up with a Grafana that never responds to these requests. */
  const silent = async (setUp: Awaited<ReturnType<typeof scene>>, isSilent: (path: string) => boolean) => {
    const context: typeof setUp.context = {
      ...setUp.context,
      request: async (request) => {
        if (isSilent(request.path)) throw timeoutError(30_000);
        return setUp.context.request(request);
      },
    };
    return grafanaDriver.confirm(context);
  };

  test('for a user-defined datasource must be noted without failing', async () => {
    await using setUp = await scene();
    await expect(silent(setUp, (path) => path.endsWith('/loki/health'))).resolves.toEqual([
      'the datasource Loki does not answer: no answer within 30 s',
    ]);
  });

  test('for the list of dashboards must be noted', async () => {
    await using setUp = await scene();
    await expect(silent(setUp, (path) => path.includes('/search?'))).resolves.toEqual([
      'Grafana did not list its dashboards: dashboards of previous revisions may remain',
    ]);
  });

  test('for user-defined dashboards must be noted, and end further requests', async () => {
    await using setUp = await scene({ faults: { withoutIndex: true } });
    const mine = Array.from({ length: 40 }, (_, at) => `mine-${at}`);
    for (const uid of mine) setUp.standIn.addDashboard({ uid, title: uid });
    const asked: string[] = [];
    const notes = await silent(setUp, (path) => {
      const isMine = path.startsWith('/api/dashboards/uid/mine-');
      if (isMine) asked.push(path);
      return isMine;
    });
    expect(notes).toEqual([
      'Grafana did not return all of its dashboards: dashboards of previous revisions may remain',
    ]);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  const failures: readonly (readonly [string, ConnectionError])[] = [
    ['a Grafana that was killed', new ConnectionError('connection', 'socket hang up')],
    ['a Grafana that is down', new ConnectionError('connection', 'connect ECONNREFUSED 127.0.0.1:3000')],
    ['a Grafana that was paused', timeoutError(30_000)],
  ];
  const actions = {
    reload: grafanaDriver.reload,
    confirm: grafanaDriver.confirm,
  } as const;
  for (const [who, failure] of failures) {
    for (const [name, action] of Object.entries(actions)) {
      test(`of ${who} must end to ${name} with a sentence, at each request`, async () => {
        await using setUp = await scene();
        const context = (answered: number): typeof setUp.context => {
          let sent = 0;
          return {
            ...setUp.context,
            request: async (request) => {
              sent += 1;
              if (sent > answered) throw failure;
              return setUp.context.request(request);
            },
          };
        };
        let reached = 0;
        for (;;) {
          try {
            await action(context(reached));
            break;
          } catch (error) {
            expect(error).toBeInstanceOf(StackError);
            expect((error as StackError).why).toContain(`answer: ${failure.message}`);
          }
          reached += 1;
        }
        expect(reached).toBeGreaterThan(0);
      });
    }
  }

  test('must end when the user interrupts', async () => {
    await using setUp = await scene();
    const ending = new AbortController();
    const context: typeof setUp.context = {
      ...setUp.context,
      signal: ending.signal,
      request: async (request) => {
        if (!request.path.includes('/search?')) return setUp.context.request(request);
        ending.abort(new Error('interrupted'));
        throw ending.signal.reason;
      },
    };
    await expect(grafanaDriver.confirm(context)).rejects.toThrow('interrupted');
  });
});

test('user-defined dashboards must be requested with limited concurrency, where there is no index', async () => {
  await using setUp = await scene({ faults: { withoutIndex: true } });
  for (let at = 0; at < 40; at++) setUp.standIn.addDashboard({ uid: `mine-${at}`, title: `Mine ${at}` });
  let open = 0;
  let most = 0;
  const context: typeof setUp.context = {
    ...setUp.context,
    request: async (request) => {
      if (!request.path.startsWith('/api/dashboards/uid/mine-')) return setUp.context.request(request);
      open += 1;
      most = Math.max(most, open);
      const answer = await setUp.context.request(request);
      open -= 1;
      return answer;
    },
  };
  await expect(grafanaDriver.confirm(context)).resolves.toEqual([]);
  expect(most).toBe(4);
});

describe('an unreachable datasource', () => {
  test("of the stack's Prometheus must be reported with Grafana's message", async () => {
    await using setUp = await scene({
      faults: { deadServer: { url: 'http://prometheus:9090', message: 'dial tcp: lookup prometheus: no such host' } },
    });
    const { doing, why } = await refusal(setUp.confirm());
    expect(doing).toBe('confirming that Grafana reaches http://prometheus:9090 through the datasource Prometheus');
    expect(why).toMatch(/Grafana reports: dial tcp: lookup prometheus: no such host - There was .*, after 10 s/);
  });

  test("of the stack's Alertmanager must be reported, although its plugin has no health check", async () => {
    await using setUp = await scene({
      faults: { deadServer: { url: 'http://alertmanager:9093', message: 'no such host' } },
    });
    const { doing, why } = await refusal(setUp.confirm());
    expect(doing).toBe('confirming that Grafana reaches http://alertmanager:9093 through the datasource Alertmanager');
    expect(why).toContain('through Grafana it answers 502: Bad Gateway');
  });
});

describe('the password', () => {
  test('must be shown as stored', async () => {
    await using setUp = await scene();
    expect((await storedPasswords(setUp.context)).current?.reveal()).toBe('right');
  });

  test('must be set without the previous one, stored, and accepted by Grafana', async () => {
    await using setUp = await scene({ password: 'nobody knows' });
    const { password: made } = await rotatePassword(setUp.context);
    expect(made.reveal()).toMatch(/^[a-zA-Z2-9-]{24}$/);
    expect(setUp.standIn.hasPassword(made.reveal())).toBe(true);
    expect(setUp.kept.texts.get('admin-password')).toBe(made.reveal());
    await expect(setUp.confirm()).resolves.toEqual([]);
  });

  test('in stack.yml must be set when it has changed', async () => {
    const own: Folder = { ...folder, 'stack.yml': `${lokiStack}  admin_password: !env PASSWORD\n` };
    await using setUp = await scene({ folder: own, env: { PASSWORD: 'new $one' } });
    await setUp.reload();
    expect(setUp.standIn.hasPassword('new $one')).toBe(true);
    expect(setUp.kept.texts.get('admin-password')).toBe('new $one');
  });

  test('must not be set for another account when the admin was renamed, deleted or demoted', async () => {
    const other = { id: 2, login: 'carol', password: 'hers', isAdmin: true, isDisabled: false };
    const cases: readonly (readonly [string, Partial<StoredUser> | undefined, readonly string[]])[] = [
      ['renamed', { login: 'bob' }, ['was renamed to bob; no password was changed', 'rename bob to admin']],
      ['renamed and demoted', { login: 'bob', isAdmin: false }, ['was deleted', "Grafana's server admins are carol"]],
      ['demoted', { isAdmin: false }, ['is no longer a server admin', "Grafana's server admins are carol"]],
      ['deleted', undefined, ['was deleted', "Grafana's server admins are carol", 'sign in to Grafana as carol']],
    ];
    for (const [name, change, expected] of cases) {
      await using setUp = await scene();
      const [admin] = setUp.standIn.users;
      if (admin === undefined) throw new Error('there is no admin');
      setUp.standIn.users = [...(change === undefined ? [] : [{ ...admin, ...change }]), other];
      const before = setUp.standIn.users;
      const { why, tryThis } = await refusal(rotatePassword(setUp.context));
      for (const part of expected) expect(`${why}\n${tryThis}`, name).toContain(part);
      expect(setUp.standIn.users, name).toEqual(before);
      expect(setUp.kept.texts.get('admin-password')).toBe('right');
    }
  });

  test('must be set for the user admin, whatever its id', async () => {
    await using setUp = await scene();
    const [admin] = setUp.standIn.users;
    if (admin === undefined) throw new Error('there is no admin');
    setUp.standIn.users = [
      { ...admin, login: 'bob' },
      { ...admin, id: 7, login: 'Admin' },
    ];
    const { password, warning } = await rotatePassword(setUp.context);
    expect(warning).toBeUndefined();
    expect(setUp.standIn.hasPassword('right')).toBe(true);
    expect(setUp.kept.texts.get('admin-password')).toBe(password.reveal());
    await expect(setUp.confirm()).resolves.toEqual([]);
  });

  test.each([
    ['a stored one that signs in', 'right', 3],
    ['a stored one that does not', 'lost', 1],
  ])('must be set in a database whose admins Grafana cannot list, with %s', async (_, kept, id) => {
    await using setUp = await scene({ kept });
    const { standIn } = setUp;
    // As in Postgres.
    const error =
      'failed to list admin users: could not read user from database. Error: pq: operator does not exist: boolean = integer';
    const context: typeof setUp.context = {
      ...setUp.context,
      exec: async (argv, stdin = '') => {
        if (!argv.join(' ').includes('--user-id 0 ')) return standIn.cli(argv, stdin);
        return {
          exitCode: 1,
          stdout: 'New Password: \n\nAdmin user cannot be found ✘. \n',
          stderr: `Error: ✗ ${error}\n`,
        };
      },
    };
    const [admin] = standIn.users;
    if (admin === undefined) throw new Error('the stand-in has no admin');
    standIn.users = [{ ...admin, id }];
    const { password, warning } = await rotatePassword(context);
    expect(warning).toBeUndefined();
    expect(standIn.users[0]).toMatchObject({ id, password: hashOf(password.reveal()) });
    expect(setUp.kept.texts.get('admin-password')).toBe(password.reveal());
  });

  test('must be kept when it was set but the admin is locked out, with a warning', async () => {
    await using setUp = await scene();
    const wrong = new GrafanaClient(setUp.context.request, new Secret('wrong', 'a test'));
    for (let tries = 0; tries < 5; tries += 1) expect((await wrong.user()).kind).toBe('unauthorized');
    const { password, warning } = await rotatePassword(setUp.context);
    expect(warning).toContain('the password is set and stored, but Grafana does not let admin sign in');
    expect(warning).toContain('locks a user for five minutes');
    const locked = 'it has locked admin for five minutes, after five wrong passwords';
    expect((await refusal(setUp.confirm())).why).toBe(locked);
    expect(await signInProblems(setUp.context)).toMatchObject([{ message: locked }]);
    expect(setUp.standIn.hasPassword(password.reveal())).toBe(true);
    expect(setUp.kept.texts.get('admin-password')).toBe(password.reveal());
  });

  test('must be kept when it was set but Grafana does not answer any more, with a warning', async () => {
    await using setUp = await scene();
    const request = async () => {
      throw timeoutError(30_000);
    };
    const { password, warning } = await rotatePassword({ ...setUp.context, request });
    expect(warning).toBe('the password is set and stored, but Grafana does not answer: no answer within 30 s');
    expect(setUp.kept.texts.get('admin-password')).toBe(password.reveal());
  });

  test('must be known wherever setting it is killed', async () => {
    class Killed extends Error {}
    for (let steps = 0, isDone = false; !isDone; steps += 1) {
      await using setUp = await scene();
      let left = steps;
      const step = <A extends unknown[], T>(run: (...args: A) => Promise<T>, isBefore: boolean) => {
        return async (...args: A): Promise<T> => {
          if (isBefore && left-- <= 0) throw new Killed();
          const result = await run(...args);
          if (!isBefore && left-- <= 0) throw new Killed();
          return result;
        };
      };
      const { context, kept } = setUp;
      // Killed after the program in the container has begun, which runs to its end.
      const exec = step(context.exec, false);
      try {
        await rotatePassword({ ...context, exec, kept: { ...kept, write: step(kept.write, true) } });
        isDone = true;
      } catch (error) {
        expect(error).toBeInstanceOf(Killed);
      }
      await expect(setUp.confirm(), `killed at step ${steps}`).resolves.toEqual([]);
      const { current, next } = await storedPasswords(context);
      expect(setUp.standIn.hasPassword(current?.reveal() ?? ''), `killed at step ${steps}`).toBe(true);
      expect(next).toBeUndefined();
      expect(setUp.standIn.failedLogins).toBeLessThanOrEqual(1);
    }
  });

  test('must satisfy the rules that Grafana can be set to enforce', () => {
    for (let times = 0; times < 500; times += 1) {
      const text = makeSecret(24).reveal();
      for (const pattern of [/^.{24}$/, /[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) expect(text).toMatch(pattern);
    }
  });

  test('must not change when grafana cli fails, nor be in the message', async () => {
    await using setUp = await scene();
    const exec = async () => ({ exitCode: 1, stdout: '', stderr: 'Error: ✗ hunter2-hunter2 is too short\n' });
    const { why } = await refusal(rotatePassword({ ...setUp.context, exec }, new Secret('hunter2-hunter2', 'a test')));
    expect(why).toBe('grafana cli exited with code 1: Error: ✗ [secret] is too short');
    expect(setUp.kept.texts.get('admin-password')).toBe('right');
  });
});
