import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from '../../../support/promstack.ts';
import { type ScriptedGateway, scriptedGateway } from '../../../support/scripted-gateway.ts';
import { runInProcess } from '../../../support/test-process.ts';

const nothing = { status: 200, body: '{"status":"success","data":[]}' } as const;
/** A remote address without a server. */
const elsewhere = { DOCKER_HOST: 'tcp://0.0.0.0:1' };
const here = { DOCKER_HOST: 'tcp://127.0.0.1:1' };

test.each([
  [elsewhere, 'groups'],
  [elsewhere, 'push --job a --var x=1'],
  [elsewhere, 'gc --older-than 1h'],
  // The port may be used by another stack while this one is down.
  [here, 'gc --older-than 1h'],
  [here, 'groups rm --job a'],
  [here, 'push --job a --delete'],
])('without the engine, and %j, %s must send nothing to the port in stack.yml', async (env, line) => {
  await using server = await scriptedGateway();
  const { exitCode, stderr } = await promstack(server, env, line);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('looking for a container engine: none answers');
  expect(stderr).toContain('; or use --url with the URL of the Pushgateway\n');
  expect(server.received).toEqual([]);
});

test('groups must need no engine when the port is on this machine', async () => {
  await using server = await scriptedGateway(nothing);
  expect(await promstack(server, here, 'groups')).toEqual({ exitCode: 0, stderr: `${server.url} has no groups\n` });
});

test.each(['groups', 'gc --older-than 1h'])('%s --url must need no engine', async (line) => {
  await using server = await scriptedGateway(nothing);
  expect(await promstack(server, elsewhere, `${line} --url ${server.url}`)).toMatchObject({ exitCode: 0 });
});

/** Runs a command in a folder whose stack.yml has the port of the server. */
async function promstack(server: ScriptedGateway, env: Readonly<Record<string, string>>, line: string) {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), `name: own\npushgateway: {port: ${new URL(server.url).port}}\n`);
  const { exitCode, stderr } = await runInProcess(folder.path, line.split(' '), { env });
  return { exitCode, stderr };
}
