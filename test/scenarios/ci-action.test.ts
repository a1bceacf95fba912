import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { emptyFolder } from '../support/promstack.ts';
import { isFull } from '../support/shares.ts';
import { binary } from '../support/stack-folder.ts';

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: {
    readonly steps: readonly {
      readonly id?: string;
      readonly run: string;
      readonly env?: Readonly<Record<string, string>>;
    }[];
  };
}

const action: Action = parse(await readFile(join(packageRoot(), 'action.yml'), 'utf8'));
let folder: Awaited<ReturnType<typeof emptyFolder>>;

const stack = (targets: string): string => `
name: shop
grafana: {enabled: false}
prometheus: {scrape_configs: [{job_name: web, static_configs: [{targets: [${targets}]}]}]}
alertmanager: {receivers: [{name: team, webhook_configs: [{url: "http://x.example/y"}]}], route: {receiver: team}}
`;
const put = (path: string, text: string): Promise<void> => writeFile(join(folder.path, path), text);

beforeAll(async () => {
  folder = await emptyFolder();
  for (const name of ['bin', 'repo', 'repo/mon']) await mkdir(join(folder.path, name));
  // Tools that accept everything: what they find is tested elsewhere.
  for (const tool of ['promtool', 'amtool']) {
    await put(`bin/${tool}`, '#!/bin/sh\nexit 0\n');
    await chmod(join(folder.path, 'bin', tool), 0o755);
  }
  await put('repo/mon/stack.yml', stack('"web-1:80"'));
  const git = (...args: readonly string[]) => execa('git', args, { cwd: join(folder.path, 'repo') });
  await git('init', '-q', '-b', 'main');
  await git('add', '-A');
  await git('-c', 'user.email=a@example.com', '-c', 'user.name=a', 'commit', '-qm', 'one');
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Runs the steps of the action as GitHub does: each with its environment, until one fails; `compare` runs all the same. */
async function runAction(given: Readonly<Record<string, string>>, path = `${folder.path}/bin:`) {
  const inputs = Object.fromEntries(
    Object.entries(action.inputs).map(([name, input]) => [name, given[name] ?? input.default]),
  );
  const [output, summary] = [join(folder.path, 'output'), join(folder.path, 'summary')];
  await put('output', '');
  await put('summary', '');
  const runs = [];
  for (const { id, run, env = {} } of action.runs.steps) {
    if (id === 'compare' && inputs['against'] === '') continue;
    const own = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        value.replace(/^\$\{\{ inputs\.([\w-]+) \}\}$/, (_, input) => inputs[input] ?? '?'),
      ]),
    );
    const result = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
      cwd: join(folder.path, 'repo'),
      reject: false,
      env: {
        ...own,
        PATH: `${path}${process.env['PATH']}`,
        HOME: folder.path,
        DOCKER_HOST: 'tcp://127.0.0.1:1',
        ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, RUNNER_TEMP: folder.path },
        ...{ GITHUB_ACTION_PATH: packageRoot(), GITHUB_WORKSPACE: join(folder.path, 'repo') },
      },
    });
    runs.push({ id, exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr });
  }
  const outputs = Object.fromEntries(
    (await readFile(output, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  );
  return { runs, outputs, summary: await readFile(summary, 'utf8') };
}

test('every input of the action must reach a step, and every output must be written', () => {
  const used = action.runs.steps.flatMap(({ env = {} }) => Object.values(env)).join(' ');
  for (const name of Object.keys(action.inputs)) expect(used).toContain(`\${{ inputs.${name} }}`);
  for (const [name, { value }] of Object.entries(action.outputs)) {
    const [, id] = /^\$\{\{ steps\.(\w+)\.outputs\.\w+ \}\}$/.exec(value) ?? [];
    expect(action.runs.steps.find((step) => step.id === id)?.run, name).toContain(`${name}=`);
  }
  // An expression inside of a script would run what an input has.
  for (const { run } of action.runs.steps) expect(run).not.toContain('${{');
});

test('a valid stack must pass, with what it changes in the summary', { timeout: 120_000 }, async () => {
  await put('repo/mon/stack.yml', stack('"web-1:80", "web-2:80"'));
  const files = { sarif: 'check.sarif', junit: 'check.xml' };
  const { runs, outputs, summary } = await runAction({
    'working-directory': 'mon',
    against: 'main',
    strict: 'false',
    ...files,
  });
  expect(
    runs.map(({ exitCode }) => exitCode),
    JSON.stringify(runs),
  ).toEqual([0, 0, 0]);
  expect(outputs).toEqual({ valid: 'true', changed: 'true', summary: join(folder.path, 'promstack-summary.md') });
  expect(summary).toContain('### ✅ promstack check\n');
  expect(summary).toContain('### promstack: main -\\> shop\n\n1 service to change');
  expect(summary).toContain('`+ static_configs.targets: web-2:80`');
  expect(summary.endsWith(await readFile(outputs['summary'] ?? '', 'utf8'))).toBe(true);
  expect(JSON.parse(await readFile(join(folder.path, 'repo/mon/check.sarif'), 'utf8')).version).toBe('2.1.0');
  expect(await readFile(join(folder.path, 'repo/mon/check.xml'), 'utf8')).toContain('failures="0"');
});

test('a mistake must fail the action at its line', {
  timeout: 120_000,
}, async () => {
  await put('repo/mon/stack.yml', 'name: shop\nprometheus: {prt: 3}\n');
  const wrong = await runAction({ 'working-directory': 'mon', against: 'main' });
  const [, check, compare] = wrong.runs;
  expect([check?.exitCode, compare?.exitCode]).toEqual([2, 2]);
  expect(check?.stdout).toContain(
    '::error file=mon/stack.yml,line=2,col=14,endColumn=17,title=unknown-key::unknown key "prt"',
  );
  expect(wrong.outputs).toEqual({ valid: 'false' });
  expect(wrong.summary).toContain('| error | `stack.yml:2` | unknown key "prt" in prometheus');
});

test.each([
  [0, 0, {}, { valid: 'true', changed: 'false' }, [0, 0]],
  [0, 3, {}, { valid: 'true', changed: 'true' }, [0, 0]],
  [0, 2, {}, { valid: 'true' }, [0, 2]],
  [1, 0, {}, { valid: 'false', changed: 'false' }, [1, 0]],
  [4, 0, {}, { valid: 'false', changed: 'false' }, [4, 0]],
  [4, 0, { 'allow-unchecked': 'true' }, { valid: 'true', changed: 'false' }, [0, 0]],
])('when check exits %i and plan %i, with %o, the action must say %o', async (check, plan, given, said, exitCodes) => {
  await put('program', `case $1 in check) exit ${check} ;; plan) exit ${plan} ;; esac\n`);
  const { runs, outputs } = await runAction({ ...given, against: 'main', command: `bash ${folder.path}/program` });
  const { summary: _, ...rest } = outputs;
  expect(rest).toEqual(said);
  expect(runs.slice(1).map(({ exitCode }) => exitCode)).toEqual(exitCodes);
});

/** A program that writes its arguments down, one a line between brackets, and prints its second and third one. */
const recorder = (): string => `printf '[%s]\\n' "$@" >> ${folder.path}/arguments; echo "$1 $3"\n`;

test.each([
  ['spaces', 'a folder', 'my stack.yml', 'origin/a branch'],
  ['quotes', `it's "it"`, `"'.yml`, `'"`],
  ['substitutions', '$(touch owned)`touch owned`', '$HOME;touch owned', '$(touch owned)'],
  ['leading dashes', '-x', '-f', '--detach'],
  ['line breaks', 'a\nb', 'a\nb.yml', 'a\nb'],
  ['patterns and workflow commands', '*', '::set-output name=a::b*?[x]', '~::stop-commands::x'],
])('%s in inputs must reach promstack as they are', async (_, directory, file, against) => {
  await mkdir(join(folder.path, 'repo', directory), { recursive: true });
  await put('program', recorder());
  await put('arguments', '');
  const output = `${file.replaceAll('/', '-')}.sarif`;
  const { runs, outputs } = await runAction({
    ...{ 'working-directory': directory, file, against, strict: 'false', sarif: output, junit: '-junit.xml' },
    command: `bash\n  ${folder.path}/program`,
  });
  expect(
    runs.slice(1).map(({ exitCode }) => exitCode),
    JSON.stringify(runs),
  ).toEqual([0, 0]);
  expect(outputs).toMatchObject({ valid: 'true', changed: 'false' });
  const checks = ['github', 'markdown', 'sarif', 'junit'].map((format) => [
    'check',
    '--format',
    format,
    `--file=${file}`,
  ]);
  const plan = ['plan', `--against=${against}`, '--format', 'markdown', '--detailed-exitcode', `--file=${file}`];
  const passed = await readFile(join(folder.path, 'arguments'), 'utf8');
  expect(passed).toBe(
    [...checks, plan]
      .flat()
      .map((argument) => `[${argument}]\n`)
      .join(''),
  );
  expect(await readFile(join(folder.path, 'repo', directory, output), 'utf8')).toBe('check sarif\n');
  expect(await readFile(join(folder.path, 'repo', directory, '-junit.xml'), 'utf8')).toBe('check junit\n');
});

test('a file that cannot be written, and a folder that does not exist, must fail the action', async () => {
  await put('program', recorder());
  const command = `bash ${folder.path}/program`;
  const unwritable = await runAction({ sarif: 'no/such/folder.sarif', command });
  expect(unwritable.runs[1]).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no/such/folder.sarif') });
  expect(unwritable.outputs).toEqual({ valid: 'true' });
  const nowhere = await runAction({ 'working-directory': 'no/such', command, against: 'main' });
  expect(nowhere.runs.slice(1).map(({ exitCode }) => exitCode)).toEqual([1, 1]);
});

test('the hook of pre-commit must check the stack on a commit of its files, with the options that it is given', async ({
  skip,
}) => {
  if (!isFull) skip('only `npm run test:full` runs it');
  const python = await execa('python3', ['-m', 'venv', '--help'], { reject: false });
  if (python.failed) skip('there is no Python with venv');
  const [venv, hooks, repo] = ['venv', 'hooks', 'hooked'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await execa('python3', ['-m', 'venv', venv]);
  const installed = await execa(join(venv, 'bin/pip'), ['install', '--quiet', 'pre-commit'], { reject: false });
  if (installed.failed) skip('pre-commit could not be installed from PyPI');
  await mkdir(hooks);
  await mkdir(join(repo, 'mon'), { recursive: true });
  const bin = join(folder.path, 'bin', 'promstack');
  await put('bin/promstack', `#!/bin/sh\nexec node ${binary} "$@"\n`);
  await chmod(bin, 0o755);
  const env = {
    PATH: `${folder.path}/bin:${venv}/bin:${process.env['PATH']}`,
    ...{ HOME: folder.path, PRE_COMMIT_HOME: join(folder.path, 'cache'), DOCKER_HOST: 'tcp://127.0.0.1:1' },
    ...{
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
  };
  const git = (cwd: string, ...args: readonly string[]) => execa('git', args, { cwd, env, reject: false, all: true });
  // The hooks of this version as a repository of its own: pre-commit installs nothing for `language: system`.
  await copyFile(join(packageRoot(), '.pre-commit-hooks.yaml'), join(hooks, '.pre-commit-hooks.yaml'));
  await git(hooks, 'init', '-q');
  await git(hooks, 'add', '-A');
  await git(hooks, 'commit', '-qm', 'hooks');
  const { stdout: rev } = await git(hooks, 'rev-parse', 'HEAD');
  const hook = { id: 'promstack-check', args: ['-f', 'mon/my stack.yml'] };
  await put('hooked/.pre-commit-config.yaml', stringify({ repos: [{ repo: hooks, rev, hooks: [hook] }] }));
  await put('hooked/mon/my stack.yml', stack('"web-1:80"'));
  await put('hooked/README', 'a\n');
  await git(repo, 'init', '-q');
  expect(await execa('pre-commit', ['install'], { cwd: repo, env })).toMatchObject({ exitCode: 0 });
  await git(repo, 'add', '-A');
  expect(await git(repo, 'commit', '-m', 'a stack')).toMatchObject({
    exitCode: 0,
    all: expect.stringContaining('Passed'),
  });
  await put('hooked/README', 'b\n');
  expect((await git(repo, 'commit', '-am', 'no file of a stack')).all).toContain('Skipped');
  await put('hooked/mon/my stack.yml', 'name: shop\nprometheus: {prt: 3}\n');
  expect(await git(repo, 'commit', '-am', 'a mistake')).toMatchObject({
    exitCode: 1,
    all: expect.stringContaining('mon/my stack.yml:2:14'),
  });
}, 240_000);
