import { expect, it } from 'vitest';
import { commands } from '../../../../scripts/cli/commands/index.ts';
import { folderWith } from '../../../support/config.ts';
import { runInProcess } from '../../../support/test-process.ts';

/** A command line for each command that does not work on a swarm, as far as it needs words. */
const words: Readonly<Record<string, readonly string[]>> = {
  alert: ['alert', 'log'],
  backup: ['backup', 'to.tar'],
  compose: ['compose', '--project-name=shop', 'up', 'monitoring'],
  export: ['export', 'compose', '--out', 'out'],
  port: ['port', 'prometheus'],
  rename: ['rename', 'other'],
  restore: ['restore', 'from.tar'],
  stop: ['stop', 'prometheus'],
};

/** The command as its errors name it, with its subcommand. */
const called = (name: string): string =>
  ['alert', 'export'].includes(name) ? (words[name] ?? []).slice(0, 2).join(' ') : name;

const stack = 'name: shop\ntarget: swarm\ngrafana: {enabled: false}\npushgateway: {ttl: 1h}\n';
const nowhere = { DOCKER_HOST: 'tcp://127.0.0.1:1' };

it.each(commands.map((command) => [command.name, command] as const))(
  '%s must either work for a stack on a swarm, or say what to do instead',
  (_, { onSwarm }) => {
    if (onSwarm === 'works') expect(onSwarm).toBe('works');
    else expect(onSwarm.instead).toMatch(/^\S.*[^.\s]$/);
  },
);

it.each(commands.filter(({ onSwarm }) => onSwarm !== 'works').map(({ name, onSwarm }) => [name, onSwarm] as const))(
  '%s must refuse a stack on a swarm in one sentence, before it does anything',
  async (name, onSwarm) => {
    await using folder = await folderWith({ 'stack.yml': stack, 'metrics.prom': 'a 1\n' });
    const { exitCode, stdout, stderr } = await runInProcess(folder.path, words[name] ?? [name], { env: nowhere });
    expect(exitCode).toBe(1);
    const sentence = `running promstack ${called(name)}: it does not work for a stack with the target swarm; nothing was changed`;
    if (name === 'compose') return expect(stdout).toContain(sentence);
    expect(stdout).toBe('');
    const shown = stderr.replaceAll(/▲.*\n(?: .*\n)*/g, '');
    expect(
      shown.startsWith(`✖ ${sentence}
`),
    ).toBe(true);
    expect(shown).toContain(`  try: ${onSwarm === 'works' ? '' : onSwarm.instead}`);
  },
);

it.each(['up', 'plan', 'reload', 'status', 'verify', 'history', 'rollback', 'logs', 'down', 'groups', 'silence list'])(
  '%s must say that the engine is in no swarm, where it looks for one',
  async (name) => {
    await using folder = await folderWith({ 'stack.yml': stack });
    const { exitCode, stderr } = await runInProcess(folder.path, name.split(' '), { env: nowhere });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('looking for a container engine: none answers');
  },
);

it('must take the target from --target, in place of that of stack.yml', async () => {
  await using folder = await folderWith({ 'stack.yml': stack.replace('target: swarm\n', '') });
  const refused = await runInProcess(folder.path, ['ps', '--target', 'swarm'], { env: nowhere });
  expect(refused.stderr).toContain('running promstack ps: it does not work for a stack with the target swarm');
  const rendered = await runInProcess(folder.path, ['--target', 'swarm', 'render'], { env: nowhere });
  expect(rendered.stdout).toContain('tasks.shop-alertmanager');
  const unknown = await runInProcess(folder.path, ['up', '--target', 'kubernetes'], { env: nowhere });
  expect(unknown).toMatchObject({ exitCode: 2 });
});
