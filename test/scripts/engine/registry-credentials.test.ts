import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { credentialsFor } from '../../../scripts/engine/registry-credentials.ts';
import { emptyFolder } from '../../support/promstack.ts';

const forever = new AbortController().signal;
const auth = Buffer.from('me:secret:with colon').toString('base64');

async function credentials(reference: string, config: unknown, program?: string) {
  await using home = await emptyFolder();
  await mkdir(join(home.path, '.docker'));
  await writeFile(join(home.path, '.docker/config.json'), JSON.stringify(config));
  const path = join(home.path, 'docker-credential-test');
  if (program !== undefined) await writeFile(path, `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const env = { HOME: home.path, PATH: `${home.path}:${process.env['PATH']}` };
  return await credentialsFor(reference, env, forever);
}

describe('credentials stored by `docker login`', () => {
  test.each([
    ['prom/x:v1', 'https://index.docker.io/v1/'],
    ['registry.local:5000/x:v1', 'registry.local:5000'],
    ['registry.local:5000/x:v1', 'https://registry.local:5000/v2/'],
  ])('must be used for %s under %s', async (reference, key) => {
    const credential = { username: 'me', password: 'secret:with colon' };
    expect(await credentials(reference, { auths: { [key]: { auth } } })).toMatchObject(credential);
  });

  test('must not be sent to another registry', async () => {
    expect(await credentials('other.local/x:v1', { auths: { 'registry.local': { auth } } })).toBeUndefined();
    expect(await credentials('prom/x:v1', { auths: { 'registry.local': { auth } } })).toBeUndefined();
  });

  test('must be used when it is a token', async () => {
    const auths = { 'registry.local': { identitytoken: 't' } };
    const credential = { serveraddress: 'registry.local', identitytoken: 't' };
    expect(await credentials('registry.local/x:v1', { auths })).toEqual(credential);
  });
});

describe('a credential helper', () => {
  const answer = `read server; echo '{"Username":"me","Secret":"of '"$server"'"}'`;

  test('must be used for the registry it is configured for', async () => {
    const config = { credHelpers: { 'registry.local': 'test' } };
    expect(await credentials('registry.local/x:v1', config, answer)).toEqual({
      serveraddress: 'registry.local',
      username: 'me',
      password: 'of registry.local',
    });
  });

  test('must be used for every registry as the credential store', async () => {
    const credential = { password: 'of https://index.docker.io/v1/' };
    expect(await credentials('prom/x:v1', { credsStore: 'test' }, answer)).toMatchObject(credential);
  });

  test('must be able to return a token', async () => {
    const program = `echo '{"Username":"<token>","Secret":"t"}'`;
    const credential = { serveraddress: 'registry.local', identitytoken: 't' };
    expect(await credentials('registry.local/x:v1', { credsStore: 'test' }, program)).toEqual(credential);
  });

  test('without credentials, or not installed, must be followed by those in the file', async () => {
    const config = { credsStore: 'test', auths: { 'registry.local': { auth } } };
    expect(await credentials('registry.local/x:v1', config, 'exit 1')).toMatchObject({ username: 'me' });
    expect(await credentials('registry.local/x:v1', config, 'echo sorry')).toMatchObject({ username: 'me' });
    expect(await credentials('registry.local/x:v1', config)).toMatchObject({ username: 'me' });
  });
});

test("without the docker command's file there must be no credentials", async () => {
  expect(await credentialsFor('prom/x:v1', { HOME: '/nowhere' }, forever)).toBeUndefined();
});
