import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { emptyFolder, noEngine, promstack } from '../support/promstack.ts';
import { binary } from '../support/stack-folder.ts';

const manifest = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };

test.each([[['--version']], [['-V']], [['-q', '--version']]])('%j must print the version', async (args) => {
  const { stdout, stderr, exitCode } = await promstack('/', args);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

test('help must be on stdout, misuse on stderr with exit code 2', async () => {
  const help = await promstack('/', ['--help']);
  expect({ exitCode: help.exitCode, stderr: help.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(help.stdout).toMatch(/^Usage: promstack \[options\] <command>\n/);
  const misuse = await promstack('/', ['rendr']);
  expect({ exitCode: misuse.exitCode, stdout: misuse.stdout, stderr: misuse.stderr }).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: "✖ unknown command 'rendr'\n  did you mean render? see promstack --help\n",
  });
});

test('a missing stack file must be reported with what to do, and exit code 2', async () => {
  await using folder = await emptyFolder();
  const { exitCode, stdout, stderr } = await promstack(folder.path, ['render']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(
    /^✖ there is no stack\.yml or promstack\.yml in .* or any folder above it\n {2}"promstack init" writes one/,
  );
});

test('npm run must work on the stack of the folder that it is called in', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), 'name: of-the-caller\n');
  const args = ['run', '-s', '--prefix', packageRoot(), 'promstack', '--', 'render', '--out', 'rendered'];
  await execa('npm', args, { cwd: folder.path });
  expect(await readdir(join(folder.path, 'rendered'))).toContain('prometheus');
});

test('the stack file must be found from a subfolder, and by -f before and after the command', async () => {
  await using folder = await emptyFolder();
  const elsewhere = join(folder.path, 'elsewhere', 'mine.yml');
  await mkdir(join(folder.path, 'a', 'b'), { recursive: true });
  await mkdir(join(folder.path, 'elsewhere'));
  await writeFile(join(folder.path, 'stack.yml'), 'prometheus: { scrape_interval: 11s }\n');
  await writeFile(elsewhere, 'prometheus: { scrape_interval: 22s }\n');
  const rendered = async (...args: string[]) => {
    const { stdout } = await promstack(join(folder.path, 'a', 'b'), [...args, 'prometheus/prometheus.yml']);
    return /^ {2}scrape_interval: (\S+)$/m.exec(stdout)?.[1];
  };
  expect(await rendered('render')).toBe('11s');
  expect(await rendered('-f', elsewhere, 'render')).toBe('22s');
  expect(await rendered('render', '-f', elsewhere)).toBe('22s');
  expect(await rendered('render', '--file=../../elsewhere/mine.yml')).toBe('22s');
});

test('a missing engine must be exit code 1, with the addresses tried', async () => {
  await using folder = await emptyFolder();
  await promstack(folder.path, ['init', '-q']);
  const { exitCode, stdout, stderr } = await promstack(folder.path, ['status'], noEngine);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(/^✖ .*: .*tcp:\/\/127\.0\.0\.1:1/s);
  expect(stderr).toMatch(/^ {2}try: /m);
});

test('colours must be printed with FORCE_COLOR, and never into a pipe by default', async () => {
  expect((await promstack('/', ['--help'])).stdout).not.toContain('\u001b');
  expect((await promstack('/', ['--help'], { FORCE_COLOR: '1' })).stdout).toContain('\u001b[1mUsage:');
  expect((await promstack('/', ['rendr'], { FORCE_COLOR: '1' })).stderr).toContain('\u001b[31m✖');
  expect((await promstack('/', ['rendr', '--no-color'], { FORCE_COLOR: '1' })).stderr).not.toContain('\u001b');
  expect((await promstack('/', ['rendr'], { FORCE_COLOR: '1', NO_COLOR: '1' })).stderr).not.toContain('\u001b');
});

test('a reader that goes away must not be an error', async () => {
  const { stdout, stderr } = await execa('bash', [
    '-c',
    `"$0" "${binary}" schema | true; echo "\${PIPESTATUS[0]}"`,
    process.execPath,
  ]);
  expect({ stdout, stderr }).toEqual({ stdout: '0', stderr: '' });
});

test("a result longer than a pipe's buffer must be complete", async () => {
  await using folder = await emptyFolder();
  const jobs = Array.from(
    { length: 3_000 },
    (_, at) => `    - job_name: job-${at}\n      static_configs: [{ targets: ["host-${at}:9100"] }]\n`,
  );
  await writeFile(join(folder.path, 'stack.yml'), `prometheus:\n  scrape_configs:\n${jobs.join('')}`);
  const { stdout, stderr } = await execa('bash', ['-c', `"$0" "${binary}" render --json | cat`, process.execPath], {
    cwd: folder.path,
  });
  expect(stderr).toBe('');
  const { files } = JSON.parse(stdout) as { files: { path: string; content: string }[] };
  expect(files.find((file) => file.path === 'prometheus.yml')?.content).toContain('job-2999');
});

test('Ctrl-C must end a command that waits, with exit code 130', async () => {
  await using folder = await emptyFolder();
  await using engine = await silentEngine(join(folder.path, 'engine.sock'));
  const running = promstack(folder.path, ['version'], { DOCKER_HOST: `unix://${engine.path}` });
  await engine.wasAsked;
  running.kill('SIGINT');
  const { exitCode, stdout, stderr } = await running;
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 130, stdout: '', stderr: '✖ interrupted\n' });
});

test('--json must print one JSON object for every outcome of a command', async () => {
  await using folder = await emptyFolder();
  const ask = async (...args: string[]) => {
    const { exitCode, stdout } = await promstack(folder.path, [...args, '--json'], noEngine);
    return { exitCode, ...(JSON.parse(stdout) as object) };
  };
  expect(await ask('render')).toMatchObject({ exitCode: 2, ok: false, diagnostics: [{ severity: 'error' }] });
  expect(await ask('rendr')).toMatchObject({ exitCode: 2, ok: false, diagnostics: [{ code: 'usage' }] });
  expect(await ask('init', '--name', 'demo')).toMatchObject({
    exitCode: 0,
    ok: true,
    files: ['stack.yml', 'stack.schema.json'].map((name) => join(folder.path, name)),
  });
  expect(await ask('render')).toMatchObject({ exitCode: 0, stack: 'demo', files: expect.any(Array) });
  expect(await ask('status')).toMatchObject({ exitCode: 1, error: { kind: 'external' } });
  expect(await ask('images', 'save', '-')).toMatchObject({ exitCode: 2, command: 'images save' });
  expect(await ask('version')).toMatchObject({ exitCode: 0, version: manifest.version });
  expect(await ask('completion', 'bash')).toMatchObject({ exitCode: 0, script: expect.stringContaining('promstack') });
  expect(await ask('schema')).toMatchObject({ exitCode: 0, schema: { type: 'object' } });
  expect(await ask('schema', '--output', 'images', 'save')).toMatchObject({
    exitCode: 0,
    schema: { title: 'promstack images save --json' },
  });
  expect(await ask('schema', '--output', 'stauts')).toMatchObject({
    exitCode: 2,
    diagnostics: [{ hint: 'did you mean status?' }],
  });
});

/** A socket that accepts connections and never responds. */
async function silentEngine(path: string): Promise<{ path: string; wasAsked: Promise<void> } & AsyncDisposable> {
  const server = createServer();
  const wasAsked = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => resolve());
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, wasAsked, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}
