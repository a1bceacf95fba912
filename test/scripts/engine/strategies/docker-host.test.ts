import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerHost } from '../../../../scripts/engine/strategies.ts';
import { surroundings, temporaryFolder } from '../../../support/surroundings.ts';

const choose = (env: Record<string, string>, home = '/home/me') => dockerHost.choose?.(surroundings({ env, home }));

test('DOCKER_HOST must be chosen', async () => {
  const endpoint = { kind: 'tcp', hostname: 'lab', port: 2375 };
  expect(await choose({ DOCKER_HOST: 'tcp://lab:2375' })).toMatchObject({ named: 'DOCKER_HOST', endpoint });
});

test('an empty DOCKER_HOST must count as none', async () => {
  expect(await choose({ DOCKER_HOST: '' })).toBeUndefined();
});

test('DOCKER_TLS_VERIFY must bring the certificates of DOCKER_CERT_PATH', async () => {
  await using folder = await temporaryFolder();
  for (const name of ['ca', 'cert', 'key']) await writeFile(join(folder.path, `${name}.pem`), name);
  const env = { DOCKER_HOST: 'tcp://lab', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path };
  const tls = { verify: true, ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') };
  expect(await choose(env)).toMatchObject({ endpoint: { port: 2376, tls } });
});

test('DOCKER_CERT_PATH alone must not bring TLS, as with the docker command', async () => {
  const place = await choose({ DOCKER_HOST: 'tcp://lab', DOCKER_CERT_PATH: '/nowhere' });
  expect(place).toMatchObject({ endpoint: { port: 2375 } });
});

test('certificates that are wanted and not there must be said', async () => {
  const place = await choose({ DOCKER_HOST: 'tcp://lab', DOCKER_TLS_VERIFY: '1' });
  expect(place).toMatchObject({ why: 'DOCKER_TLS_VERIFY is set and /home/me/.docker holds no ca.pem' });
});

test('a DOCKER_HOST that is no address must be said', async () => {
  const why = 'foo://x is no address of an engine; it begins with unix://, tcp:// or ssh://';
  expect(await choose({ DOCKER_HOST: 'foo://x' })).toMatchObject({ kind: 'unusable', why });
});
