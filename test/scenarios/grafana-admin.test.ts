import Docker from 'dockerode';
import { describe, expect } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { grafanaChecks, grafanas } from '../support/grafana-checks.ts';
import { isFull, shareOf } from '../support/shares.ts';
import { type StackFolder, toRun } from '../support/stack-folder.ts';

// The admin that promstack signs in as, and what people do to it in Grafana: with the stand-in, and with a real one where there is one.

const disks = (title: string): string => JSON.stringify({ uid: 'disks', title, schemaVersion: 41, panels: [] });
const carol = 'carol:hers-and-only-hers';

/** When Grafana is killed or paused: once a step is done, by the line that says so, or so many milliseconds after the start. */
type Fault = readonly [command: string, moment: string | number, what: 'kill' | 'pause'];

const moments: Readonly<Record<string, readonly (string | number)[]>> = {
  reload: ['switch to the files', 'wait until grafana is ready', 'reload grafana', 'confirm that grafana'],
  'up --recreate': ['stop', 'remove', 'create grafana', 'start grafana', 'wait until grafana is ready', 'confirm that'],
  up: ['switch to the files', 'create grafana', 'start grafana', 'wait until grafana is ready', 'confirm that grafana'],
  'password --rotate': [150, 250, 350, 500, 800],
};
const faults: readonly Fault[] = shareOf(
  'Grafana killed or paused after each step of each change',
  Object.entries(moments).flatMap(([command, some]) =>
    some.flatMap((moment) => (['kill', 'pause'] as const).map((what) => [command, moment, what] as const)),
  ),
);

/** Waits for the moment, or the end of the command. */
async function momentOf(running: ReturnType<StackFolder['start']>, moment: string | number): Promise<void> {
  if (typeof moment === 'number') return new Promise((resolve) => setTimeout(resolve, moment));
  const pattern = new RegExp(`^✔ ${moment}`, 'm');
  let output = '';
  await new Promise<void>((resolve) => {
    running.stderr?.on('data', (chunk) => {
      output += String(chunk);
      if (pattern.test(output)) resolve();
    });
    running.once('exit', () => resolve());
  });
  expect(output).toMatch(pattern);
}

describe.sequential.each(grafanas)('the admin of %s of Grafana', (which) => {
  const check = grafanaChecks(which, async ({ folder, configure, fine }) => {
    await folder.write('dashboards/hosts/disks.json', disks('Disks'));
    await configure({ dashboards: ['dashboards'] });
    await fine('up');
  });

  check(
    'a password that was changed by hand must be noticed by every command, and not lock the admin out',
    async ({ folder, change, password, statusAs, fine }) => {
      const kept = await password();
      await change('PUT', '/api/admin/users/1/password', { password: 'by-hand' });
      await folder.write('dashboards/hosts/disks.json', disks('All disks'));
      const refused = await folder.run('reload');
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('the password of admin was changed in Grafana');
      expect(refused.stderr).toContain('nothing was changed');
      for (const command of ['password', 'status', 'plan', 'reload', 'password', 'status']) {
        const { exitCode, stdout, stderr } = await folder.run(command);
        expect(`${stdout}\n${stderr}`, command).toContain('it rejects the stored password');
        expect(exitCode, command).toBe(command === 'plan' ? 0 : 1);
        if (command === 'password') expect(stdout.trim()).toBe(kept);
      }
      expect(await statusAs('admin:by-hand', '/api/user')).toBe(200);

      const rotated = (await fine('password', '--rotate')).trim();
      expect(await statusAs(`admin:${rotated}`, '/api/user')).toBe(200);
      await fine('reload');
      await fine('status');
    },
  );

  check('an admin that chose another organization must not hide the datasources', async (stack) => {
    const { folder, change, statusOf, fine } = stack;
    await change('POST', '/api/orgs', { name: 'second' });
    await change('POST', '/api/user/using/2');
    expect(await statusOf('/api/datasources/uid/prometheus')).toBe(404);
    await folder.write('dashboards/hosts/disks.json', disks('Disks of the first organization'));
    await fine('reload');
    await change('POST', '/api/user/using/1');
  });

  check('a renamed, demoted or deleted admin must be named, and nobody be given a password', async (stack) => {
    const { folder, change, password, statusAs, fine } = stack;
    const kept = await password();
    await change('POST', '/api/admin/users', { login: 'carol', name: 'Carol', password: carol.slice(6) });
    const [, id] =
      /"id":\s*(\d+)/.exec(await (await stack.request('/api/users/lookup?loginOrEmail=carol')).text()) ?? [];
    await change('PUT', `/api/admin/users/${id}/permissions`, { isGrafanaAdmin: true });

    await change('PUT', '/api/users/1', { login: 'bob', email: 'bob@example.com' }, carol);
    const renamed = await folder.run('password', '--rotate');
    expect([renamed.exitCode, renamed.stdout]).toEqual([1, '']);
    expect(renamed.stderr).toContain('the user admin was renamed to bob; no password was changed');
    expect(await statusAs(`bob:${kept}`, '/api/user')).toBe(200);
    await change('PUT', '/api/users/1', { login: 'admin', email: 'admin@localhost' }, carol);

    await change('PUT', '/api/admin/users/1/permissions', { isGrafanaAdmin: false }, carol);
    const status = await folder.run('status');
    expect([status.exitCode, status.stdout]).toEqual([1, expect.stringContaining('admin is no longer a server admin')]);
    const demoted = await folder.run('password', '--rotate');
    expect([demoted.exitCode, demoted.stdout]).toEqual([1, '']);
    expect(demoted.stderr).toContain("is no longer a server admin: Grafana's server admins are carol");
    expect(await statusAs(`admin:${kept}`, '/api/user')).toBe(200);
    await change('PUT', '/api/admin/users/1/permissions', { isGrafanaAdmin: true }, carol);

    await change('DELETE', '/api/admin/users/1', {}, carol);
    const deleted = await folder.run('password', '--rotate');
    expect([deleted.exitCode, deleted.stdout]).toEqual([1, '']);
    expect(deleted.stderr).toContain(
      "the user admin was deleted or is no longer a server admin: Grafana's server admins",
    );
    expect(await statusAs(carol, '/api/user')).toBe(200);

    // An admin that was created again has another id.
    await change('POST', '/api/admin/users', { login: 'admin', name: 'admin', password: 'in-its-place' }, carol);
    const lookup = await stack.request('/api/users/lookup?loginOrEmail=admin', carol);
    const [, again] = /"id":\s*(\d+)/.exec(await lookup.text()) ?? [];
    await change('PUT', `/api/admin/users/${again}/permissions`, { isGrafanaAdmin: true }, carol);
    await fine('password', '--rotate');
    await fine('reload');
    await fine('status');
  });

  check('a rotation that is killed must leave a password that signs in', async ({ folder, password, statusAs }) => {
    const moments = !isFull ? [250, 900] : [150, 180, 210, 250, 280, 400, 700, 900];
    for (const moment of moments) {
      const rotation = folder.start(['password', '--rotate']);
      setTimeout(() => rotation.kill('SIGKILL'), moment);
      await rotation;
      // A program in the container runs to its end.
      await expect
        .poll(async () => statusAs(`admin:${await password()}`, '/api/user'), { timeout: 20_000, interval: 1_500 })
        .toBe(200);
    }
  });

  for (const command of new Set(faults.map(([changing]) => changing))) {
    check(
      `a Grafana that is killed or paused after any step of ${command} must be reported, and everything be as before`,
      async (stack) => {
        const { folder, fine, statusAs, password } = stack;
        const container = new Docker().getContainer(`${folder.name}-grafana`);
        const ofCommand = faults.filter(([changing]) => changing === command);
        for (const [at, [, moment, what]] of ofCommand.entries()) {
          const name = `${command}, ${what} after ${moment}`;
          await folder.write('dashboards/hosts/disks.json', disks(`Disks ${at} of ${command}`));
          if (command === 'up') await fine('down', '--volumes', '--yes');
          const running = folder.start(command.split(' '));
          await momentOf(running, moment);
          // Between two containers there is none, and one that does not run cannot be paused.
          await container[what]().catch(() => undefined);
          const { exitCode, stdout, stderr } = toRun(await running);
          expect(`${stdout}${stderr}`, name).not.toMatch(/internal error|TypeError|\n +at /);
          if (exitCode !== 0) expect(stderr, name).toMatch(/✖ [\s\S]*grafana/i);
          await container.unpause().catch(() => undefined);
          await fine('up');
          await fine('plan', '--detailed-exitcode');
          expect(await statusAs(`admin:${await password()}`, '/api/user'), name).toBe(200);
        }
      },
      isFull ? 1_200_000 : undefined,
    );
  }

  check(
    'a database that outlived the password must get a new one, with a note',
    async ({ folder, fine, password, statusAs }) => {
      await fine('down');
      await using engine = await connect({ env: process.env });
      await engine.removeVolume(`${folder.name}-grafana-config`);
      const up = await folder.run('up');
      expect([up.exitCode, up.stderr]).toEqual([0, expect.stringContaining('already had a user admin')]);
      expect(await statusAs(`admin:${await password()}`, '/api/user')).toBe(200);
    },
  );
});
