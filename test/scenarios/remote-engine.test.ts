import { expect, it } from 'vitest';
import { remoteEngine } from '../support/remote-engine.ts';
import { scriptedGateway } from '../support/scripted-gateway.ts';
import { getText } from '../support/servers.ts';
import { type StackFolder, stackFolder, toRun } from '../support/stack-folder.ts';

it("a remote engine's Pushgateway must be reached through the engine, and a local one must not be used", async () => {
  await using stack = await stackFolder();
  const up = await stack.run('up', '--without', 'prometheus', 'alertmanager', 'sink');
  expect(up.exitCode, up.stderr).toBe(0);
  await using remote = await remoteEngine();
  await using here = await scriptedGateway();
  await stack.configure({ pushgateway: { port: Number(new URL(here.url).port) } });

  expect(await run(stack, remote, 'push --job gone --var rows=1')).toMatchObject({ exitCode: 0 });
  expect(await run(stack, remote, 'push --job kept --var rows=2 --replace')).toMatchObject({ exitCode: 0 });
  expect(await run(stack, remote, 'push --job kept --var 9=2')).toMatchObject({ exitCode: 2 });
  expect(await run(stack, remote, 'groups rm --job gone')).toMatchObject({ exitCode: 0 });
  const groups = await run(stack, remote, 'groups --json');
  expect(JSON.parse(groups.stdout)).toMatchObject({ groups: [{ job: 'kept' }] });
  expect(await getText(stack.url('pushgateway', '/metrics'))).toContain('rows{instance="",job="kept"} 2');
  expect(await run(stack, remote, 'gc --older-than 1s --job kept other')).toMatchObject({ exitCode: 0 });
  expect(here.received).toEqual([]);
});

it('a whole stack on a remote engine must be verified and reloaded inside its containers', async () => {
  await using stack = await stackFolder();
  expect(await stack.run('up')).toMatchObject({ exitCode: 0 });
  await using remote = await remoteEngine();
  const verified = await run(stack, remote, 'verify --json');
  expect(verified, verified.stdout).toMatchObject({ exitCode: 0 });
  expect(JSON.parse((await run(stack, remote, 'status --json')).stdout)).toMatchObject({ ok: true });
  const added = await run(stack, remote, 'silence add alertname=A --comment why');
  expect(added).toMatchObject({ exitCode: 0 });
  expect(await run(stack, remote, `silence expire ${added.stdout.trim()}`)).toMatchObject({ exitCode: 0 });
  await stack.configure({ prometheus: { scrape_interval: '17s' } });
  expect(await run(stack, remote, 'reload')).toMatchObject({ exitCode: 0 });
}, 120_000);

async function run(stack: StackFolder, remote: { readonly address: string }, line: string) {
  return toRun(await stack.start(line.split(' '), { DOCKER_HOST: remote.address }));
}
