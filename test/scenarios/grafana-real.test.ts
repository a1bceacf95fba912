import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrafanaClient } from '../../scripts/servers/grafana/client.ts';
import { rotatePassword } from '../../scripts/servers/grafana/password.ts';
import { Secret } from '../../stack/secret.ts';
import { type RealGrafana, startGrafana } from '../support/grafana-container.ts';
import { requester } from '../support/grafana-context.ts';
import { imageToRun } from '../support/grafana-real-image.ts';
import { type Folder, renderGrafana } from '../support/grafana-release.ts';
import { GrafanaStandIn } from '../support/grafana-stand-in.ts';

// What promstack relies on of Grafana, asked of the stand-in that the other tests use, and of a real one where there is one:
//   PROMSTACK_GRAFANA_URL and PROMSTACK_GRAFANA_PASSWORD_FILE   one that runs; nothing in it is changed
//   PROMSTACK_GRAFANA_IMAGE                                     an image, which is pulled when it is not present
// Without either the default image is taken if it is present. What cannot be run says so by name.

interface Asked {
  readonly url: string;
  readonly password: string;
}

const running = whichRuns(process.env['PROMSTACK_GRAFANA_URL'], process.env['PROMSTACK_GRAFANA_PASSWORD_FILE']);

function whichRuns(url: string | undefined, passwordFile: string | undefined): Asked | undefined {
  if (url === undefined) return undefined;
  // Trying without would shut its admin out after a few tests.
  if (passwordFile === undefined)
    throw new Error('PROMSTACK_GRAFANA_PASSWORD_FILE must name the file with its password');
  return { url, password: readFileSync(passwordFile, 'utf8').trim() };
}

describe.each(['the stand-in', 'a running Grafana'] as const)('%s', (which) => {
  let standIn: GrafanaStandIn | undefined;
  let asked: Asked | undefined;

  beforeAll(async () => {
    if (which === 'a running Grafana') {
      asked = running;
      return;
    }
    const { release } = await renderGrafana({});
    standIn = await GrafanaStandIn.start({ password: 'right', files: release.files });
    asked = { url: standIn.url, password: 'right' };
  });

  afterAll(async () => {
    await standIn?.[Symbol.asyncDispose]();
    expect(standIn?.unexpected ?? []).toEqual([]);
  });

  const check = (name: string, body: (asked: Asked) => Promise<void>): void => {
    test(name, async (context) => {
      if (asked === undefined) return context.skip('PROMSTACK_GRAFANA_URL names no Grafana');
      await body(asked);
    });
  };
  const apiOf = ({ url, password }: Asked): GrafanaClient =>
    new GrafanaClient(requester(url), new Secret(password, 'a test'));

  check('must return its health and version without authentication', async ({ url }) => {
    const { status, body } = await requester(url)({ method: 'GET', port: 3000, path: '/api/health' });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ database: 'ok', version: expect.stringMatching(/^\d+\.\d+/) });
  });

  check('must reject a wrong password with 401', async ({ url }) => {
    const api = new GrafanaClient(requester(url), new Secret('surely-not-the-password', 'a test'));
    expect(await api.plugin('prometheus')).toEqual({ kind: 'unauthorized' });
  });

  check('must have the Prometheus plugin, and 404 for a missing one', async (one) => {
    expect((await apiOf(one).plugin('prometheus')).kind).toBe('ok');
  });

  check('must respond to a reload of datasources and dashboards once it is done', async (one) => {
    expect((await apiOf(one).reload('datasources')).kind).toBe('ok');
    expect((await apiOf(one).reload('dashboards')).kind).toBe('ok');
  });

  check('must respond with 404 for a missing datasource or dashboard', async (one) => {
    expect(await apiOf(one).datasource('promstack-has-no-such')).toEqual({ kind: 'absent' });
    expect(await apiOf(one).dashboard('promstack-has-no-such')).toEqual({ kind: 'absent' });
  });

  check('must list its dashboards by uid', async (one) => {
    expect((await apiOf(one).dashboards()).kind).toBe('ok');
  });
});

describe('the real image', () => {
  const disks = {
    title: 'Disks',
    uid: 'disks',
    panels: [
      {
        id: 1,
        title: 'Full',
        type: 'stat',
        gridPos: { x: 0, y: 0, w: 6, h: 4 },
        targets: [{ refId: 'A', expr: 'up' }],
      },
    ],
  };
  const dashboards: Folder = { 'disks.json': disks };
  let real: RealGrafana | undefined;
  let whyNot = '';

  beforeAll(async () => {
    const image = await imageToRun();
    if ('whyNot' in image) whyNot = image.whyNot;
    else real = await startGrafana(image.reference, dashboards);
  }, 600_000);

  afterAll(() => real?.[Symbol.asyncDispose]());

  const check = (name: string, body: (real: RealGrafana) => Promise<void>): void => {
    test(name, async (context) => {
      if (real === undefined) return context.skip(whyNot);
      await body(real);
    }, 150_000);
  };

  check('must have all datasources and dashboards after its start, and reach their servers', async (grafana) => {
    await expect(grafana.confirm(grafana.context)).resolves.toEqual([]);
  });

  check('must load a new revision by a reload, and keep the identity of a dashboard', async (grafana) => {
    const api = await loggedIn(grafana);
    const before = await api.dashboard('disks');
    const context = await grafana.release({ 'disks.json': { ...disks, description: 'changed' } });
    await grafana.reload(context);
    await expect(grafana.confirm(context)).resolves.toEqual([]);
    const after = await api.dashboard('disks');
    const idOf = (answer: typeof before) => (answer.kind === 'ok' ? answer.value.dashboard['id'] : answer.kind);
    expect(idOf(after)).toBe(idOf(before));
  });

  check('must delete a dashboard that was removed from the stack', async (grafana) => {
    const context = await grafana.release({});
    await grafana.reload(context);
    await expect(grafana.confirm(context)).resolves.toEqual([]);
    expect(await (await loggedIn(grafana)).dashboard('disks')).toEqual({ kind: 'absent' });
  });

  check('must accept a new password, set without the previous one', async (grafana) => {
    const former = await grafana.context.kept.read('admin-password');
    const { password } = await rotatePassword(grafana.context);
    expect((await new GrafanaClient(grafana.context.request, password).plugin('prometheus')).kind).toBe('ok');
    const old = new GrafanaClient(grafana.context.request, former ?? new Secret('', 'a test'));
    expect(await old.plugin('prometheus')).toEqual({ kind: 'unauthorized' });
  });
});

async function loggedIn({ context }: RealGrafana): Promise<GrafanaClient> {
  const password = await context.kept.read('admin-password');
  if (password === undefined) throw new Error('no password is kept');
  return new GrafanaClient(context.request, password);
}
