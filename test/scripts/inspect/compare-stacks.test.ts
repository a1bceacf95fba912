import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ComparedPlan, compareStacks } from '../../../scripts/inspect/compare-stacks.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';
import { folderWith } from '../../support/config.ts';

const rule = (hold: string): string =>
  `groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: ${hold}, labels: {severity: page}}]}]\n`;

/** A stack without a name, so that it is named after its folder. */
const stackOf = (targets: string, retention = '15d', receivers = ''): string => `
grafana: {enabled: false}
prometheus:
  rules: ['rules/*.yml', '../shared/*.yml']
  retention: {time: ${retention}}
  scrape_configs:
    - {job_name: web, basic_auth: {username: u, password: !env WEB}, static_configs: [{targets: [${targets}]}]}
alertmanager:
  receivers: [{name: team, slack_configs: [{api_url: !env {name: SLACK, inline: true}}]}${receivers}]
  route: {receiver: team${receivers === '' ? '' : ', routes: [{receiver: pager, matchers: ["severity=page"]}]'}}
`;

let repository: Awaited<ReturnType<typeof folderWith>>;
const git = (...args: readonly string[]) => execa('git', args, { cwd: repository.path });
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(repository.path, path)), { recursive: true });
  await writeFile(join(repository.path, path), text);
};
const compare = (before: string, after?: string, env: Readonly<Record<string, string>> = {}, below = 'mon') =>
  compareStacks(before, after, { cwd: join(repository.path, below), env });
const actions = ({ changes }: ComparedPlan): readonly string[] =>
  changes.filter(({ action }) => action !== 'none').map(({ service, action }) => `${service} ${action}`);

beforeAll(async () => {
  repository = await folderWith({
    'mon/stack.yml': stackOf('"a:1"'),
    'mon/rules/a.yml': rule('5m'),
    'shared/b.yml': 'groups: [{name: s, rules: [{alert: Shared, expr: up == 2}]}]\n',
    // An archive of git would leave it out.
    '.gitattributes': 'shared export-ignore\n',
    '.gitignore': '.env\n',
  });
  await git('init', '-q', '-b', 'main');
  await git('config', 'user.email', 'a@example.com');
  await git('config', 'user.name', 'a');
  await git('add', '-A');
  await git('commit', '-qm', 'one');
  await put('mon/stack.yml', stackOf('"a:1", "b:1"', '5d', ', {name: pager, webhook_configs: [{url: "http://x/y"}]}'));
  await put('mon/rules/a.yml', rule('2m'));
  await put('new/stack.yml', 'name: new\ngrafana: {enabled: false}\n');
  await put('mon/.env', 'WEB=planted-1\nSLACK=https://hooks.slack.com/planted-2\n');
});
afterAll(() => repository[Symbol.asyncDispose]());

describe('two stacks compared without an engine', () => {
  it('must show what the files that are not committed mean', async () => {
    const compared = await compare('HEAD');
    expect(actions(compared)).toEqual(['prometheus recreate', 'alertmanager reload']);
    expect(compared.changes.find(({ service }) => service === 'prometheus')).toMatchObject({
      because: [
        'argument --storage.tsdb.retention.time=15d -> --storage.tsdb.retention.time=5d',
        'prometheus.yml and 1 other file differ',
      ],
      risks: ['samples older than 5d are deleted (retention was 15d)'],
    });
    expect(compared.parts).toEqual([
      { kind: 'job', name: 'web', change: 'changed', removed: [], added: ['static_configs.targets: b:1'] },
      expect.objectContaining({ kind: 'receiver', name: 'pager', change: 'added' }),
    ]);
    const { changed, added, ways } = compared.meaning;
    expect(changed.map(({ after, fields }) => [after.name, fields])).toEqual([['Down', ['for 5m -> 2m']]]);
    expect(added).toEqual([]);
    const routes = ways.map(({ alert, before, after }) => [alert.name, before, after]);
    expect(routes).toEqual([
      ['Down', 'team', 'pager'],
      ['Shared', 'team', 'pager or team, depending on the label severity'],
    ]);
    expect(JSON.stringify(compared.files)).not.toContain('planted');
    expect(compared.unknownSecrets).toEqual([]);
    expect([compared.renamed, compared.isNew]).toEqual([undefined, false]);
  });

  it('must be the same by each way to name them', async () => {
    const expected = (await compare('HEAD')).files;
    for (const before of ['main', 'HEAD:mon/stack.yml', 'HEAD:.']) {
      expect((await compare(before, '.')).files, before).toEqual(expected);
    }
    expect(actions(await compare('HEAD', 'HEAD'))).toEqual([]);
    expect(actions(await compare('.', 'stack.yml'))).toEqual([]);
    expect((await compare('stack.yml', 'HEAD')).meaning.changed[0]?.fields).toEqual(['for 2m -> 5m']);
    const link = join(repository.path, '..', 'promstack-link');
    await rm(link, { force: true });
    await symlink(repository.path, link);
    const linked = await compareStacks('HEAD', undefined, { cwd: join(link, 'mon'), env: {} });
    await rm(link);
    expect(linked.files).toEqual(expected);
  });

  it('must take no secret for changed that only one side has', async () => {
    const env = { WEB: 'planted-3', SLACK: 'https://hooks.slack.com/planted-4' };
    const compared = await compare('HEAD:mon', 'HEAD', env);
    expect(compared.files).toEqual([]);
    await rm(join(repository.path, 'mon/.env'));
    const missing = await compare('HEAD:mon', 'HEAD');
    expect(missing.files).toEqual([]);
    expect(missing.unknownSecrets).toEqual(['!env WEB', '!env SLACK']);
  });

  it('must take all of a stack for new that a revision does not have, and say when names differ', async () => {
    const created = await compare('HEAD', undefined, {}, 'new');
    expect(created.isNew).toBe(true);
    expect(actions(created)).toEqual(['pushgateway create', 'prometheus create', 'alertmanager create']);
    expect((await compare('stack.yml', '../new')).renamed).toEqual(['mon', 'new']);
  });

  it('must report a mistake at its line of the revision', async () => {
    await put('mon/stack.yml', 'prometheus: {prt: 3}\n');
    await git('commit', '-qam', 'wrong');
    await put('mon/stack.yml', stackOf('"a:1"'));
    const error = await compare('HEAD').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).diagnostics).toMatchObject([
      { message: 'unknown key "prt" in prometheus', where: { file: 'HEAD:mon/stack.yml', line: 1, column: 14 } },
    ]);
  });

  it.each([
    ['nothing', 'there is no file, folder or git revision nothing: git knows no commit of this name'],
    ['--output=x', 'there is no file, folder or git revision --output=x: git knows no commit of this name'],
    ['', 'there is no stack.yml'],
  ])('must refuse %j', async (operand, message) => {
    const error = await compareStacks(operand, undefined, { cwd: repository.path, env: {} }).catch((reason) => reason);
    const [diagnostic] = (error as InputError).diagnostics;
    expect(String(diagnostic?.message)).toContain(message);
    expect(diagnostic?.hint).toEqual(expect.any(String));
  });

  it('must leave nothing behind, neither in the repository nor beside it', async () => {
    await git('add', '-A');
    const status = async (): Promise<string> => (await git('status', '--porcelain')).stdout;
    const before = await status();
    // As in a hook of git, which runs with an index of its own.
    const index = process.env['GIT_INDEX_FILE'];
    process.env['GIT_INDEX_FILE'] = join(repository.path, '.git', 'index');
    await compare('HEAD~1');
    if (index === undefined) delete process.env['GIT_INDEX_FILE'];
    else process.env['GIT_INDEX_FILE'] = index;
    expect(await status()).toBe(before);
    expect((await git('worktree', 'list')).stdout.split('\n').length).toBe(1);
  });
});
