import { describe, expect, test } from 'vitest';
import { folderWith } from '../../../support/config.ts';
import { fakeDaemon, json } from '../../../support/fake-daemon.ts';
import { noEngine } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

const call = (...words: readonly string[]) => ['compose', '--project-name=shop', ...words];

/** What compose reads: every line must be a message of a type that it knows. */
function messages(stdout: string): readonly string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { type, message, ...rest } = JSON.parse(line) as Record<string, string>;
      expect(type).toMatch(/^(?:info|error|setenv|debug)$/);
      expect(rest).toEqual({});
      return `${type}: ${message}`;
    });
}

describe('what compose passes must be understood, or refused in a message to it', () => {
  test.each([
    [
      ['up', '--fille=a.yml', '--size=1', 'monitoring'],
      ['unknown option "fille"', 'unknown option "size"'],
    ],
    [['down', '--fille=a.yml', 'monitoring'], ['unknown option "fille"']],
    [['up', '--name=a', '--name=b', 'monitoring'], ['the option `name` of the provider promstack takes one name']],
    [['up'], ['promstack compose needs --project-name=NAME, up or down, and a service']],
    [['stop', 'monitoring'], ['promstack compose needs']],
    [['up', 'a', 'b'], ['promstack compose needs']],
    [['up', '--file', 'a.yml', 'monitoring'], ['promstack compose needs']],
    [[], ['promstack compose needs']],
  ])('%j', async (words, reasons) => {
    await using folder = await folderWith({});
    const { exitCode, stdout, stderr } = await runInProcess(folder.path, call(...words), { env: noEngine });
    expect([exitCode, stderr]).toEqual([2, '']);
    const [message = '', ...more] = messages(stdout);
    expect(more).toEqual([]);
    expect(message).toMatch(/^error: /);
    for (const reason of reasons) expect(message).toContain(reason);
    if (message.includes('unknown')) expect(message).toContain('known options: file, env_file, name, networks');
  });

  test('no engine', async () => {
    await using folder = await folderWith({ 'stack.yml': 'name: shop\n' });
    const { exitCode, stdout } = await runInProcess(folder.path, call('up', 'monitoring'), { env: noEngine });
    expect(exitCode).toBe(1);
    expect(messages(stdout)).toEqual([
      expect.stringMatching(/^error: looking for a container engine: none answers\n.*\n {2}try: /),
    ]);
  });

  test.each([
    ['stack.yml', 'app'],
    ['stack.yml', 'app/src/deep'],
    ['../conf/prod.yml', 'app'],
  ])('mistakes in %s, found from %s', async (file, cwd) => {
    const wrong = 'name: shop\nprometheus:\n  prt: 3\n';
    await using folder = await folderWith({
      'app/stack.yml': wrong,
      'conf/prod.yml': wrong,
      'app/src/deep/main.js': '',
    });
    await using daemon = await fakeDaemon({
      'GET /_ping': json(200, 'OK'),
      'GET /version': json(200, { Version: '28.5.2', ApiVersion: '1.51', Arch: 'amd64', Os: 'linux' }),
      'GET /networks': json(200, []),
      'GET /containers/json': json(200, []),
    });
    const env = { DOCKER_HOST: daemon.endpoint.address };
    const { exitCode, stdout } = await runInProcess(
      `${folder.path}/${cwd}`,
      call('up', `--file=${file}`, 'monitoring'),
      { env },
    );
    expect(exitCode).toBe(2);
    const [message = ''] = messages(stdout);
    expect(message).toMatch(/^error: \S*(?:stack|prod)\.yml:3:3 unknown key "prt" in prometheus\n {3}3 │ {3}prt: 3\n/);
  });
});

test('the metadata must declare no options, so that compose passes those that are misspelt', async () => {
  const { exitCode, stdout } = await runInProcess('/', ['compose', 'metadata']);
  expect([exitCode, stdout]).toEqual([0, '{}\n']);
});
