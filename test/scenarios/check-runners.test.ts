import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerRunner } from '../../scripts/check/container-runner.ts';
import { execRunner } from '../../scripts/check/exec-runner.ts';
import type { CheckJob, CheckRun, OpenRunner } from '../../scripts/check/runner.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import type { CheckCommand } from '../../stack/model.ts';
import { commandOf, fileOf } from '../support/check-commands.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let test: TestEngine;
let engine: Engine;
let stack: string;
/** An image with only busybox, so without a shell. */
let bare: string;

const signal = AbortSignal.timeout(120_000);
const nobody = '65534:65534';

beforeAll(async () => {
  test = await testEngine();
  ({ engine } = test);
  stack = test.name('stack');
  bare = `${test.name('bare')}:1`;
  await importBare();
});

afterAll(async () => {
  for (const { id } of await engine.listContainers(test.labels)) await engine.removeContainer(id);
  await engine.removeImage(bare);
  await test[Symbol.asyncDispose]();
});

async function importBare(): Promise<void> {
  const from = await test.createHelper('busybox');
  const [busybox] = (await engine.getFiles(from, '/bin/busybox')) ?? [];
  if (busybox?.kind !== 'file') throw new Error('the small image has no busybox');
  const tar = pack();
  tar.entry({ name: 'etc', type: 'directory', mode: 0o755 });
  tar.entry({ name: 'bin', type: 'directory', mode: 0o755 });
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, busybox.content);
  tar.finalize();
  await engine.importImage(Readable.from(tar), bare, []);
}

const refuse: OpenRunner = async () => {
  throw new Error('another runner was asked');
};
const inContainer = (): OpenRunner => containerRunner(engine, stack, async (ref) => ({ ref, id: ref }), refuse);

function jobOf(image: string, commands: readonly CheckCommand[]): CheckJob {
  const files = [fileOf('a.yml', 'one\n'), fileOf('deep/er/b.yml', 'two\n', { mode: 0o400 })];
  return { service: 'prometheus', image, user: nobody, files, commands };
}

async function runAll(open: OpenRunner, job: CheckJob): Promise<readonly CheckRun[]> {
  await using runner = await open(job);
  return await Promise.all(job.commands.map((command) => runner.run(command, signal)));
}

const outcomes = (runs: readonly CheckRun[]) =>
  runs.map((run) => (run.kind === 'ran' ? `${run.exitCode} ${run.output.trim()}` : run.why));

describe('checks in a container', () => {
  it("must read the files at the server's paths, as its user, with separate results", async () => {
    const commands = [
      commandOf(['cat', 'CONFIG/a.yml', 'CONFIG/deep/er/b.yml']),
      commandOf(['sh', '-c', 'echo "it\'s $0"; ls CONFIG/none; exit 3', '$HOME']),
      commandOf(['id', '-u']),
      commandOf(['cat', 'CONFIG/tests/t.yml'], { reads: [fileOf('tests/t.yml', 'three')] }),
      commandOf(['echo', 'CONFIG']),
    ];
    expect(outcomes(await runAll(inContainer(), jobOf(test.image, commands)))).toEqual([
      '0 one\ntwo',
      "3 it's $HOME\nls: CONFIG/none: No such file or directory",
      '0 65534',
      '0 three',
      '0 CONFIG',
    ]);
  });

  it('must share one container, and remove it', async () => {
    let created = 0;
    const counting: Engine = new Proxy(engine, {
      get: (target, name) => {
        if (name === 'createHelper') created++;
        return Reflect.get(target, name) as unknown;
      },
    });
    const open = containerRunner(counting, stack, async (ref) => ({ ref, id: ref }), refuse);
    await runAll(open, jobOf(test.image, [commandOf(['true']), commandOf(['false']), commandOf(['true'])]));
    expect(created).toBe(1);
    expect(await engine.listContainers({ [stackLabel]: stack })).toEqual([]);
  });

  it('must work in an image without a shell', async () => {
    const commands = [
      commandOf(['busybox', 'cat', 'CONFIG/deep/er/b.yml']),
      commandOf(['busybox', 'ls', 'CONFIG/none']),
    ];
    expect(outcomes(await runAll(inContainer(), jobOf(bare, commands)))).toEqual([
      '0 two',
      '1 ls: CONFIG/none: No such file or directory',
    ]);
    expect(await engine.listContainers({ [stackLabel]: stack })).toEqual([]);
  });

  it('must run a server until it has started, and tell one that exits from one that runs', async () => {
    const server = (...argv: readonly string[]) => commandOf(['busybox', ...argv], { untilPrinted: /^started$/m });
    const script = (text: string) => server('sh', '-c', text);
    const runs = await runAll(
      inContainer(),
      jobOf(test.image, [
        script('echo started >&2; exec sleep 600'),
        script('echo stopped'),
        script('echo started; echo panic; exit 2'),
        script('echo started; echo panic: no >&2; sleep 2; exit 2'),
        server('no-such-program'),
        commandOf(['echo', 'a check']),
      ]),
    );
    expect(outcomes(runs)).toEqual([
      '0 started',
      '1 stopped',
      '2 started\npanic',
      '2 panic: no\nstarted',
      expect.stringMatching(/^127 no-such-program: applet not found/),
      '0 a check',
    ]);
    expect(outcomes(await runAll(inContainer(), jobOf(bare, [server('cat', 'CONFIG/a.yml')])))).toEqual(['1 one']);
    expect(await engine.listContainers({ [stackLabel]: stack })).toEqual([]);
  });

  it('must use the fallback when the image is not present', async () => {
    const other = [{ kind: 'notRun', why: 'the other was asked' }] as const;
    const otherwise: OpenRunner = async () => ({
      where: 'elsewhere',
      run: async () => other[0],
      [Symbol.asyncDispose]: async () => {},
    });
    const open = containerRunner(engine, stack, async () => undefined, otherwise);
    expect(await runAll(open, jobOf('none:1', [commandOf(['true'])]))).toEqual(other);
  });

  it('must report errors of the engine', async () => {
    await expect(runAll(inContainer(), jobOf('promstack-no-such-image:1', [commandOf(['true'])]))).rejects.toThrow(
      /^checking the files of prometheus: creating container \S+: .*no such image/i,
    );
  });

  it('must stop when they are interrupted, and remove their container', async () => {
    const interrupted = new AbortController();
    const command = commandOf(['sleep', '300']);
    await using runner = await inContainer()(jobOf(test.image, [command]));
    const run = runner.run(command, interrupted.signal);
    const refused = expect(run).rejects.toThrow();
    await eventually(async () => {
      expect((await engine.listContainers({ [stackLabel]: stack })).map(({ state }) => state)).toEqual(['running']);
    });
    interrupted.abort();
    await refused;
    expect(await engine.listContainers({ [stackLabel]: stack })).toEqual([]);
  });
});

describe('checks in a running container', () => {
  const directory = '/tmp/promstack-check';

  /** A running container of an image with a job's files. */
  async function staged(part: string, image: string, argv: readonly string[]): Promise<OpenRunner> {
    const container = await test.createHelper(part, { image, entrypoint: argv.slice(0, 1), args: argv.slice(1) });
    await engine.putFiles(container, '/', [
      { kind: 'directory', path: 'tmp', mode: 0o777, uid: 0, gid: 0 },
      { kind: 'directory', path: 'tmp/promstack-check', mode: 0o755, uid: 0, gid: 0 },
      { kind: 'file', path: 'tmp/promstack-check/a.yml', content: Buffer.from('one\n'), mode: 0o444, uid: 0, gid: 0 },
    ]);
    await engine.startContainer(container);
    return execRunner(engine, async () => ({ container, directory }), refuse);
  }

  it('must keep the order of the output', async () => {
    const open = await staged('with-shell', test.image, ['sleep', '300']);
    const commands = [
      commandOf(['cat', 'CONFIG/a.yml']),
      commandOf(['sh', '-c', 'echo 1; echo 2 >&2; echo 3; ls CONFIG/none; exit 4']),
    ];
    expect(outcomes(await runAll(open, jobOf(test.image, commands)))).toEqual([
      '0 one',
      '4 1\n2\n3\nls: CONFIG/none: No such file or directory',
    ]);
  });

  it('must work in an image without a shell', async () => {
    const open = await staged('without-shell', bare, ['busybox', 'sleep', '300']);
    const commands = [commandOf(['busybox', 'cat', 'CONFIG/a.yml']), commandOf(['busybox', 'ls', 'CONFIG/none'])];
    expect(outcomes(await runAll(open, jobOf(bare, commands)))).toEqual([
      '0 one',
      '1 ls: CONFIG/none: No such file or directory',
    ]);
  });

  it('must leave the start of a server to the fallback', async () => {
    const open = await staged('with-server', test.image, ['sleep', '300']);
    const server = commandOf(['echo', 'started'], { untilPrinted: /started/ });
    await expect(runAll(open, jobOf(test.image, [server]))).rejects.toThrow('another runner was asked');
  });

  it('must use the fallback when no container is running', async () => {
    const open = execRunner(engine, async () => undefined, refuse);
    await expect(open(jobOf(test.image, []))).rejects.toThrow('another runner was asked');
  });
});
