import { describe, expect } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';

// The whole program with a Grafana in the stack: the stand-in's image, and a real one where there is one. The stand-in refuses to
// start in a container that is less isolated than promstack promises, and provisions only after it is healthy.

const loki = { name: 'Loki', uid: 'loki', type: 'loki', access: 'proxy', url: 'http://loki:3100' };
/** Only Grafana knows its organizations. */
const ofNoOrganization = { ...loki, name: 'Mine', uid: 'mine', orgId: 7 };
const disks = (title: string): string => JSON.stringify({ uid: 'disks', title, schemaVersion: 41, panels: [] });

describe.sequential.each(grafanas)('a stack with %s of Grafana', (which) => {
  const check = grafanaChecks(which);

  check('up must succeed only when Grafana has its datasources and dashboards', async ({ fine, ask, statusOf }) => {
    await fine('up');
    for (const uid of ['prometheus', 'alertmanager']) expect(await statusOf(`/api/datasources/uid/${uid}`)).toBe(200);
    const { body } = await ask<{ meta: { folderTitle: string; provisioned: boolean } }>(
      '/api/dashboards/uid/promstack-overview',
    );
    expect(body.meta).toMatchObject({ folderTitle: 'promstack', provisioned: true });
  });

  check('a second up and plan must have nothing to do', async ({ fine }) => {
    expect(await fine('up')).toContain('nothing to do, 5 services unchanged');
    await fine('plan', '--detailed-exitcode');
  });

  check('status must show it, and Prometheus reach it', async ({ fine }) => {
    expect(await fine('status')).toMatch(/grafana +ready[\s\S]*grafana +database +ok \(Grafana 12\.4\.0\)/);
  });

  check('the password must be random, and sign in', async ({ password, statusOf }) => {
    expect(await password()).toMatch(/^[a-zA-Z2-9-]{24}$/);
    expect(await statusOf('/api/plugins/prometheus/settings')).toBe(200);
    expect(await statusOf('/api/plugins/prometheus/settings', 'admin')).toBe(401);
  });

  check('verify must find its canary through the datasource', async ({ fine }) => {
    const out = await fine('verify', '--timeout', '60s');
    expect(out).toMatch(/grafana.*queries it through its datasource/);
  });

  check(
    'a reload must bring a datasource and a dashboard, and touch no container',
    async ({ folder, configure, fine, ask, statusOf, containers }) => {
      const before = await containers();
      await folder.write('dashboards/hosts/disks.json', disks('Disks'));
      await configure({ datasources: [loki], dashboards: ['dashboards'] });
      await fine('reload');
      expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
      const { body } = await ask<{ meta: { folderTitle: string }; dashboard: { id: number } }>(
        '/api/dashboards/uid/disks',
      );
      expect(body.meta.folderTitle).toBe('hosts');

      await folder.write('dashboards/hosts/disks.json', disks('All disks'));
      await fine('reload');
      const after = await ask<{ dashboard: { id: number; title: string } }>('/api/dashboards/uid/disks');
      expect(after.body.dashboard).toMatchObject({ title: 'All disks', id: body.dashboard.id });
      expect(await containers()).toEqual(before);
    },
  );

  check(
    'datasources must exchange their uids and lose their url by a reload, and one deleted by hand must be back after up',
    async ({ configure, fine, ask, change, statusOf }) => {
      const dashboards = ['dashboards'];
      const first = { ...loki, name: 'First', uid: 'first', editable: true };
      const second = { name: 'Second', uid: 'second', type: 'postgres', url: 'db:5432', user: 'me' };
      await configure({ datasources: [loki, first, second], dashboards });
      await fine('reload');
      const { url: _url, ...rest } = first;
      const exchanged = [
        { ...rest, uid: 'second' },
        { ...second, uid: 'first', editable: true },
      ];
      await configure({ datasources: [loki, ...exchanged], dashboards });
      await fine('reload');
      expect((await ask('/api/datasources/uid/second')).body).toMatchObject({ name: 'First', url: '' });
      expect((await ask('/api/datasources/uid/first')).body).toMatchObject({ name: 'Second', user: 'me' });

      await change('DELETE', '/api/datasources/uid/first');
      expect(await fine('plan')).toContain('the datasource Second was removed by hand');
      await fine('up');
      expect(await statusOf('/api/datasources/uid/first')).toBe(200);
      await configure({ datasources: [loki], dashboards });
      await fine('reload');
      expect(await statusOf('/api/datasources/uid/first')).toBe(404);
    },
  );

  check(
    'files that a killed reload put in place must be loaded by the next one, and be confirmed only then',
    async ({ folder, fine, ask }) => {
      const title = async (): Promise<string> =>
        (await ask<{ dashboard: { title: string } }>('/api/dashboards/uid/disks')).body.dashboard.title;
      await folder.write('dashboards/hosts/disks.json', disks('Every disk'));
      const killed = await folder.start(['reload'], { PROMSTACK_STOP_AFTER: 'switchReleases' });
      expect(killed.signal, String(killed.stderr)).toBe('SIGKILL');
      expect(await title()).toBe('All disks');
      expect(await fine('plan')).toMatch(/~ grafana +reload +its files were never confirmed/);
      await fine('reload');
      expect(await title()).toBe('Every disk');
      await fine('plan', '--detailed-exitcode');

      await folder.write('dashboards/hosts/disks.json', disks('All disks'));
      await fine('reload');
    },
  );

  check(
    'an invalid dashboard or datasource must be reported before anything is changed',
    async ({ folder, configure, statusOf }) => {
      await folder.write('dashboards/hosts/disks.json', JSON.stringify({ uid: 'disks', panels: [] }));
      const untitled = await folder.run('reload');
      expect([untitled.exitCode, untitled.stderr]).toEqual([2, expect.stringContaining('title')]);
      await folder.write('dashboards/hosts/disks.json', disks('All disks'));
      await configure({ datasources: [{ ...loki, uid: 'no uid' }], dashboards: ['dashboards'] });
      expect((await folder.run('reload')).exitCode).toBe(2);
      await configure({ datasources: [loki], dashboards: ['dashboards'] });
      expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
    },
  );

  check(
    'files that Grafana rejects must be reported with its log, and everything rolled back',
    async ({ folder, configure, statusOf }) => {
      await configure({ datasources: [loki, ofNoOrganization], dashboards: ['dashboards'] });
      const refused = await folder.run('reload');
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/its log: .*org/i)]);
      expect(refused.stderr).not.toContain('no such file or directory');
      expect(refused.stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
      expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
    },
  );

  check(
    'a datasource made by hand must be reported before a file replaces it, and refused where Grafana would',
    async ({ folder, configure, ask, change, containers, fine }) => {
      const before = await containers();
      const added = { ...loki, name: 'Added by hand', uid: 'by-hand', url: 'http://by-hand:3100' };
      await change('POST', '/api/datasources', added);
      await configure({ datasources: [loki, { ...loki, name: 'Mine', uid: 'by-hand' }], dashboards: ['dashboards'] });
      const why =
        'the datasource "Added by hand" was made in Grafana with the uid by-hand, which the stack\'s datasource "Mine" has too';
      for (const command of [['plan'], ['reload'], ['up'], ['up', '--recreate']]) {
        const { exitCode, stderr } = await folder.run(...command);
        expect([exitCode, stderr], command.join(' ')).toEqual([
          command[0] === 'plan' ? 0 : 1,
          expect.stringContaining(why),
        ]);
      }
      expect(await containers()).toEqual(before);

      await configure({ datasources: [loki, { ...added, url: 'http://file:3100' }], dashboards: ['dashboards'] });
      const replaced = await folder.run('reload');
      expect(replaced.stderr).toContain(
        'the datasource "Added by hand" was made in Grafana, and the stack\'s datasource of the same name replaces it',
      );
      expect(replaced.exitCode).toBe(0);
      expect((await ask('/api/datasources/uid/by-hand')).body).toMatchObject({ url: 'http://file:3100' });
      await configure({ datasources: [loki], dashboards: ['dashboards'] });
      await fine('reload');
    },
  );

  check(
    'a password that was changed together with what Grafana refuses must be the former one again',
    async ({ folder, configure, password, statusOf }) => {
      const former = await password();
      const datasources = [loki, ofNoOrganization];
      await configure({ admin_password: 'another-one', datasources, dashboards: ['dashboards'] });
      const refused = await folder.run('reload');
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('everything was rolled back')]);
      expect(await password()).toBe(former);
      expect(await statusOf('/api/plugins/prometheus/settings', former)).toBe(200);
      expect(await statusOf('/api/plugins/prometheus/settings', 'another-one')).toBe(401);
    },
  );

  check('a Grafana that rejects its previous files as well must not be reported as running them', async (stack) => {
    const { folder, configure, change, fine, statusOf } = stack;
    await change('POST', '/api/orgs', { name: 'second' });
    const ofSecond = { ...ofNoOrganization, orgId: 2 };
    await configure({ datasources: [loki, ofSecond], dashboards: ['dashboards'] });
    await fine('reload');
    await change('DELETE', '/api/orgs/2');
    await configure({ datasources: [{ ...loki, url: 'http://other:3100' }, ofSecond], dashboards: ['dashboards'] });
    const refused = await folder.run('reload');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('rolling back to what ran before failed as well');
    expect(refused.stderr).toMatch(
      /grafana: it is running, with the files of .* in place: it is not confirmed that it loaded them/,
    );
    expect(refused.stderr).not.toContain('everything was rolled back');

    await configure({ datasources: [loki], dashboards: ['dashboards'] });
    await fine('reload');
    expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
  });

  check(
    'a Grafana that exits over its files after it was healthy must be reported with its log, and everything rolled back',
    async ({ folder, configure, fine, containers }) => {
      const before = await containers();
      const datasources = [loki, ofNoOrganization];
      await configure({ datasources, dashboards: ['dashboards'], config: { log: { level: 'warn' } } });
      const refused = await folder.run('up');
      expect(refused.exitCode).toBe(1);
      // It says so to a request, or exits first.
      expect(refused.stderr).toMatch(/loading Grafana's datasources from their files|it exited/);
      expect(refused.stderr).toMatch(/org/i);
      expect(refused.stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
      await configure({ datasources: [loki], dashboards: ['dashboards'] });
      await fine('plan', '--detailed-exitcode');
      expect((await containers()).length).toBe(before.length);
    },
  );

  check('a Grafana that exits over its data must not be reported as running as before', async ({ folder, fine }) => {
    const container = `${folder.name}-grafana`;
    await using engine = await connect({ env: process.env });
    const [database] = (await engine.getFiles(container, '/var/lib/grafana/grafana.db')) ?? [];
    if (database?.kind !== 'file') throw new Error('there is no database');
    const damaged = { ...database, content: Buffer.from('damaged') };
    await engine.putFiles(container, '/var/lib/grafana', [damaged]);
    const refused = await folder.run('up', '--recreate');
    await engine.putFiles(container, '/var/lib/grafana', [database]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('rolling back to what ran before failed as well');
    await fine('up');
    await fine('plan', '--detailed-exitcode');
  });

  check('what is removed from the stack must be removed from Grafana', async ({ configure, fine, statusOf }) => {
    await configure({});
    await fine('reload');
    expect(await statusOf('/api/datasources/uid/loki')).toBe(404);
    expect(await statusOf('/api/dashboards/uid/disks')).toBe(404);
    expect(await statusOf('/api/dashboards/uid/promstack-overview')).toBe(200);
  });

  check('a rotated password must sign in, and the previous one no longer', async ({ fine, password, statusOf }) => {
    const former = await password();
    const rotated = (await fine('password', '--rotate')).trim();
    expect(rotated).not.toBe(former);
    expect(await password()).toBe(rotated);
    expect(await statusOf('/api/plugins/prometheus/settings')).toBe(200);
    expect(await statusOf('/api/plugins/prometheus/settings', former)).toBe(401);
    await fine('plan', '--detailed-exitcode');
  });

  check('a rollback must keep the current password, whatever stack.yml says', async (stack) => {
    const { configure, fine, password, statusOf } = stack;
    await configure({ admin_password: 'first-one' });
    await fine('reload');
    await configure({ admin_password: 'second-one' });
    await fine('rollback');
    expect(await password()).toBe('first-one');
    expect(await statusOf('/api/plugins/prometheus/settings', 'first-one')).toBe(200);
    await fine('reload');
    expect(await password()).toBe('second-one');
    expect((await fine('-p', stack.folder.name, 'password', '--rotate')).trim()).toBe('second-one');
    await fine('plan', '--detailed-exitcode');
    await configure({});
    await fine('reload');
    expect(await password()).toBe('second-one');
  });

  check('down and up must keep the password and the key of secrets', async ({ fine, password, statusOf, log }) => {
    const kept = await password();
    await fine('down');
    await fine('up');
    expect(await password()).toBe(kept);
    expect(await statusOf('/api/plugins/prometheus/settings', kept)).toBe(200);
    expect((await log()).filter((line) => /decrypt/.test(line))).toEqual([]);
  });

  check(
    'anonymous viewers and settings of plugins must reach it, by a recreated container',
    async ({ configure, fine, statusForAll }) => {
      await configure({
        anonymous: 'viewer',
        config: { 'plugin.own-app': { 'some-key': 'a; "b" # c' }, log: { level: 'warn' } },
      });
      await fine('up');
      expect(await statusForAll('/api/dashboards/uid/promstack-overview')).toBe(200);
      expect(await statusForAll('/api/datasources/uid/prometheus')).toBe(200);
      expect(await statusForAll('/api/user')).toBe(401);
      await fine('plan', '--detailed-exitcode');
    },
  );
});
