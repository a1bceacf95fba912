import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hintByName } from '../../../scripts/cli/globals.ts';
import { emptyFolder, noEngine } from '../../support/promstack.ts';
import { runInProcess } from '../../support/test-process.ts';

test.each([
  [
    'password',
    ['password'],
    'grafana: { enabled: false }\n',
    '✖ this stack has no Grafana\n  `promstack up --with grafana`, or enable it in stack.yml\n',
  ],
  [
    'alert test',
    ['alert', 'test', '-l', 'a=1', '-l', 'a=2'],
    '',
    '✖ the label a is given twice\n  use each label once\n',
  ],
  [
    'verify',
    ['verify', '--receiver', 'sink', '--all-receivers'],
    '',
    '✖ --all-receivers is for every receiver\n  leave out --receiver\n',
  ],
])('%s must reject invalid arguments before connecting to the engine', async (_, args, stack, said) => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), stack);
  const { exitCode, stderr } = await runInProcess(folder.path, args, { env: noEngine });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: said });
});

test.each([
  [['up', '-p', 'shop'], 'promstack up does not take -p, the name of a stack on the engine', 'up'],
  [['-p', 'shop', 'plan'], 'promstack plan does not take -p, the name of a stack on the engine', 'plan'],
  [['--name', 'shop', 'demo', '--down'], 'promstack demo does not take -p, the name of a stack on the engine', 'demo'],
  [
    ['images', 'pull', '-p', 'shop'],
    'promstack images pull does not take -p, the name of a stack on the engine',
    'images pull',
  ],
  [['status', '-p', 'shop', '-f', 'a.yml'], '-f a.yml and -p shop both name a stack: use one of them', 'status'],
  [
    ['-p', 'shop', '-f', 'a.yml', 'silence', 'list'],
    '-f a.yml and -p shop both name a stack: use one of them',
    'silence list',
  ],
])('%j must be refused', async (args, message, command) => {
  const { exitCode, stderr } = await runInProcess('/nowhere', args, { env: noEngine });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `✖ ${message}\n  see promstack ${command} --help\n` });
});

test.each([
  [['check', 'my/stack.yaml'], 'my/stack.yaml', '-f my/stack.yaml', 'check'],
  [['up', 'stack.yml', '-q'], 'stack.yml', '-f stack.yml', 'up'],
  [['alert', 'test', 'severity=critical', 'b=c'], 'severity=critical', '--label severity=critical', 'alert test'],
  [['status', 'grafana'], 'grafana', undefined, 'status'],
])('%j must be refused with the option that takes the argument', async (args, argument, option, command) => {
  const { exitCode, stderr } = await runInProcess('/nowhere', args, { env: noEngine });
  const guess = option === undefined ? '' : `did you mean ${option}? `;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: `✖ promstack ${command} takes no arguments: "${argument}" is too many\n  ${guess}see promstack ${command} --help\n`,
  });
});

test.each([
  ['prometheus.yml', 'prometheus/prometheus.yml'],
  ['promstack-revision.yml', 'prometheus/rules/promstack-revision.yml'],
  ['rules/alertmanager.yml', 'prometheus/rules/alertmanager.yml'],
  ['alertmanager.yml', 'alertmanager/alertmanager.yml'],
])('render %s must name the files of that name with their folders', async (name, paths) => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), 'name: a\n');
  const { exitCode, stderr } = await runInProcess(folder.path, ['render', name], { env: noEngine });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: `✖ this stack has no file ${name}\n  did you mean ${paths}?\n`,
  });
});

test.each([['push', '--job', 'a', '--var', 'x=1', '--retries', '0'], ['groups']])(
  '%s must say that nothing answers at the address of --url, not that the stack is down',
  async (...args) => {
    const { exitCode, stderr } = await runInProcess('/nowhere', [...args, '--url', 'http://127.0.0.1:1'], {
      env: noEngine,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'http://127.0.0.1:1: connection refused\n  try: no Pushgateway answers at http://127.0.0.1:1: correct --url, or start the server there\n',
    );
  },
);

test('logs must reject a stack file with a name, although its -f means --follow', async () => {
  const { exitCode, stderr } = await runInProcess('/nowhere', ['logs', '-p', 'shop', '-f', 'a.yml'], { env: noEngine });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: '✖ -f a.yml and -p shop both name a stack: use one of them\n',
  });
});

test('a hint must name the stack like the user did, in commands that take a name', () => {
  const hint = 'promstack up, or promstack logs sink for why';
  expect(hintByName(hint, 'shop')).toBe('promstack up, or promstack -p shop logs sink for why');
  expect(hintByName(hint, undefined)).toBe(hint);
  expect(hintByName('promstack up', 'promstack-demo')).toBe('promstack demo');
  expect(hintByName('promstack up', 'promstack-demo-talk')).toBe('promstack demo --name talk');
});

test.each([['history'], ['rollback'], ['down'], ['init', '--print']])(
  '%s must refuse a name that no stack can have',
  async (...argv) => {
    const { exitCode, stderr } = await runInProcess('/nowhere', [...argv, '--name', 'Bad Name'], { env: noEngine });
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      '✖ --name Bad Name: expected a name of at most 41 lowercase letters, digits, - and _ that starts with a letter or digit, got the string "Bad Name"\n',
    );
  },
);

test.each([
  [['pull'], "unknown command 'pull'", 'did you mean images pull? see promstack --help'],
  [['exec', 'prometheus', 'sh'], "unknown command 'exec'", 'did you mean docker exec? see promstack --help'],
  [['rm'], "unknown command 'rm'", 'did you mean down? see promstack --help'],
  [['apply', '-f', 'x.yml'], "unknown command 'apply'", 'did you mean up? see promstack --help'],
  [['toString'], "unknown command 'toString'", 'see promstack --help'],
  [['up', '-d'], "unknown option '-d'", 'leave it out: up always ends once the stack is ready'],
  [['-q', 'up', '--detach'], "unknown option '--detach'", 'leave it out: up always ends once the stack is ready'],
  [
    ['up', '--wait'],
    "option '--wait <duration>' argument missing",
    'leave it out: up always waits until the stack is ready; --wait 60s waits for its lock',
  ],
  [['up', '--force-recreate'], "unknown option '--force-recreate'", 'did you mean --recreate?'],
  [['down', '-d'], "unknown option '-d'", 'see promstack down --help'],
  [
    ['up', 'grafana'],
    'promstack up takes no arguments: "grafana" is too many',
    'up is for the whole stack, `promstack start SERVICE` for one service',
  ],
  [
    ['down', 'grafana'],
    'promstack down takes no arguments: "grafana" is too many',
    'down is for the whole stack, `promstack stop SERVICE` for one service',
  ],
])('words of docker compose and kubectl must be refused with what does the same: %j', async (args, message, hint) => {
  const { exitCode, stderr } = await runInProcess('/nowhere', args, { env: noEngine });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `✖ ${message}\n  ${hint}\n` });
});
