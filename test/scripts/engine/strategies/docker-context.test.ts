import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerContext } from '../../../../scripts/engine/strategies.ts';
import { surroundings, temporaryFolder } from '../../../support/surroundings.ts';

const choose = (home: string, env: Record<string, string> = {}) => dockerContext.choose?.(surroundings({ home, env }));

async function writeJson(path: string, content: unknown): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, JSON.stringify(content));
}

async function writeContext(home: string, name: string, host: string, skipVerify = false): Promise<string> {
  const id = createHash('sha256').update(name).digest('hex');
  const docker = { Host: host, SkipTLSVerify: skipVerify };
  await writeJson(join(home, '.docker/contexts/meta', id, 'meta.json'), { Name: name, Endpoints: { docker } });
  return join(home, '.docker/contexts/tls', id, 'docker');
}

test('the context of `docker context use` must be chosen', async () => {
  await using home = await temporaryFolder();
  await writeContext(home.path, 'lab', 'ssh://me@lab');
  await writeJson(join(home.path, '.docker/config.json'), { currentContext: 'lab' });
  const endpoint = { kind: 'ssh', hostname: 'lab', user: 'me' };
  expect(await choose(home.path)).toMatchObject({ named: 'docker context "lab"', endpoint });
});

test('DOCKER_CONTEXT must win over it', async () => {
  await using home = await temporaryFolder();
  await writeContext(home.path, 'attic', 'unix:///attic.sock');
  await writeJson(join(home.path, '.docker/config.json'), { currentContext: 'lab' });
  const place = await choose(home.path, { DOCKER_CONTEXT: 'attic' });
  expect(place).toMatchObject({ endpoint: { path: '/attic.sock' } });
});

test("a context's certificates must be used, trusted as it says", async () => {
  await using home = await temporaryFolder();
  const tlsFolder = await writeContext(home.path, 'lab', 'tcp://lab:2376', true);
  await mkdir(tlsFolder, { recursive: true });
  await writeFile(join(tlsFolder, 'ca.pem'), 'ca');
  const place = await choose(home.path, { DOCKER_CONTEXT: 'lab' });
  expect(place).toMatchObject({ endpoint: { tls: { verify: false, ca: Buffer.from('ca') } } });
});

test.each([{}, { currentContext: 'default' }])('%j must leave the choice to others', async (config) => {
  await using home = await temporaryFolder();
  await writeJson(join(home.path, '.docker/config.json'), config);
  expect(await choose(home.path)).toBeUndefined();
});

test('a context that is not there must be said', async () => {
  const place = await choose('/home/me', { DOCKER_CONTEXT: 'lab' });
  expect(place).toMatchObject({ why: 'there is no context of that name in /home/me/.docker' });
});
