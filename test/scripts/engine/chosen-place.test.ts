import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isEngineHere } from '../../../scripts/engine/chosen-place.ts';
import { emptyFolder } from '../../support/promstack.ts';

test.each([
  [{}, true],
  [{ DOCKER_HOST: '' }, true],
  [{ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' }, true],
  [{ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, true],
  [{ DOCKER_HOST: 'tcp://lab:2375' }, false],
  [{ DOCKER_HOST: 'ssh://me@prod' }, false],
  [{ DOCKER_HOST: 'what://ever' }, false],
  [{ DOCKER_HOST: 'unix:///run/docker.sock', DOCKER_CONTEXT: 'nowhere' }, true],
  [{ DOCKER_CONTEXT: 'nowhere' }, false],
])('with %j it must be known whether the engine is here', async (env, isHere) => {
  await using home = await emptyFolder();
  expect(await isEngineHere(env, home.path)).toBe(isHere);
});

test('the current docker context must count', async () => {
  await using home = await emptyFolder();
  await mkdir(join(home.path, '.docker'));
  await writeFile(join(home.path, '.docker/config.json'), '{"currentContext": "nowhere"}');
  expect(await isEngineHere({}, home.path)).toBe(false);
});
