import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { connect } from '../../../../scripts/engine/connect.ts';
import { toSshArguments } from '../../../../scripts/engine/docker/transport.ts';
import { fakeDaemon, json } from '../../../support/fake-daemon.ts';
import { emptyFolder } from '../../../support/promstack.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Replaces ssh by a script. */
async function ssh(script: string) {
  const folder = await emptyFolder();
  await writeFile(join(folder.path, 'ssh'), `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder.path}:${process.env['PATH']}`);
  return folder;
}

test('ssh must be called like the docker command calls it', () => {
  const endpoint = { kind: 'ssh', address: '', hostname: 'lab', port: 2222, user: 'me' } as const;
  expect(toSshArguments(endpoint).join(' ')).toBe(
    '-T -o ConnectTimeout=30 -l me -p 2222 -- lab docker system dial-stdio',
  );
});

test('calls must go through ssh to the remote engine, over as few connections as possible', async () => {
  await using daemon = await fakeDaemon({
    'GET /_ping': json(200, 'OK'),
    'GET /images/json': json(200, []),
    'GET /version': json(200, { Version: '20.10.24', Arch: 'amd64' }),
  });
  await using folder = await ssh(`
    require('node:fs').appendFileSync(__dirname + '/calls', process.argv.slice(2).join(' ') + '\\n');
    const socket = require('node:net').connect(${JSON.stringify(daemon.path)});
    process.stdin.pipe(socket).pipe(process.stdout);
  `);
  await using engine = await connect({ env: { DOCKER_HOST: 'ssh://me@lab' } });
  expect(await engine.listImages({})).toEqual([]);
  expect(await engine.listImages({})).toEqual([]);
  expect(engine.location).toMatchObject({ address: 'ssh://me@lab', host: 'lab', isLocal: false });
  const calls = (await readFile(join(folder.path, 'calls'), 'utf8')).trim().split('\n');
  expect(calls).toEqual(Array(2).fill('-T -o ConnectTimeout=30 -l me -- lab docker system dial-stdio'));
});

test("ssh's error output must be the reason", async () => {
  await using _folder = await ssh(`
    console.error('me@lab: Permission denied (publickey).');
    process.exit(255);
  `);
  const connecting = connect({ env: { DOCKER_HOST: 'ssh://me@lab' } });
  await expect(connecting).rejects.toThrow('DOCKER_HOST, ssh://me@lab: me@lab: Permission denied (publickey).');
});

test('a missing ssh must be the reason', async () => {
  vi.stubEnv('PATH', '/nowhere');
  const connecting = connect({ env: { DOCKER_HOST: 'ssh://me@lab' } });
  await expect(connecting).rejects.toThrow('DOCKER_HOST, ssh://me@lab: ssh was not found on the PATH');
});
