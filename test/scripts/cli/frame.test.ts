import { expect, test } from 'vitest';
import type { Context, ExitCode } from '../../../scripts/cli/context.ts';
import { endingSignals } from '../../../scripts/cli/process-io.ts';
import { run } from '../../../scripts/cli/run.ts';
import { EngineError } from '../../../scripts/engine/engine.ts';
import { InputError, StackError } from '../../../scripts/util/stack-error.ts';
import { version } from '../../../scripts/util/version.ts';
import { entryOf } from '../../support/entries.ts';
import { TestProcess } from '../../support/test-process.ts';

/** Runs `promstack do …` where `do` is the given function. */
function running(
  act: (context: Context) => Promise<ExitCode>,
  told: { argv?: readonly string[]; isTerminal?: boolean; env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const world = new TestProcess({ ...told, argv: ['do', ...(told.argv ?? [])] });
  return { world, code: run(world, [entryOf('do', { run: act })]) };
}

const aborted = ({ signal }: Context) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

test('results must go to stdout and everything else to stderr', async () => {
  const { world, code } = running(async ({ stdout, report }) => {
    report({ kind: 'note', text: 'on the way' });
    stdout.write('the result\n');
    return 3;
  });
  expect(await code).toBe(3);
  expect(world.stdout.text).toBe('the result\n');
  expect(world.stderr.text).toBe('on the way\n');
  expect(world.listeners).toBe(0);
});

const refusal = new StackError({
  doing: 'starting prometheus',
  why: 'port 9090 is taken by the container web',
  tryThis: 'another prometheus.port, or stop web',
  cause: new Error('the engine said no'),
});

test('a world that refuses must be told in three parts, with exit code 1', async () => {
  const { world, code } = running(async () => Promise.reject(refusal));
  expect(await code).toBe(1);
  expect(world.stderr.text).toBe(
    '✖ starting prometheus: port 9090 is taken by the container web\n  try: another prometheus.port, or stop web\n',
  );
  expect(world.stdout.text).toBe('');
});

test('the causes of a refusal must be told only when they are asked for', async () => {
  for (const told of [{ argv: ['--verbose'] }, { env: { PROMSTACK_DEBUG: '1' } }]) {
    const { world, code } = running(async () => Promise.reject(refusal), told);
    await code;
    expect(world.stderr.text).toContain('  because: Error: the engine said no');
  }
});

test('a reason that a reporter has told must not be told again', async () => {
  const { world, code } = running(async ({ report }) => {
    report({ kind: 'started', id: '1', what: 'start prometheus' });
    report({ kind: 'failed', id: '1', what: 'start prometheus', why: refusal.why });
    throw refusal;
  });
  await code;
  expect(world.stderr.text).toBe(
    [
      '✖ start prometheus: port 9090 is taken by the container web',
      '✖ starting prometheus: failed (see above)',
      '  try: another prometheus.port, or stop web',
      '',
    ].join('\n'),
  );
});

test('an engine that refuses must be told as what it is, even where nobody has said more', async () => {
  const { world, code } = running(async () => {
    throw new EngineError({ code: 'refused', doing: 'listing containers', message: 'no space left on device' });
  });
  expect(await code).toBe(1);
  expect(world.stderr.text).toBe('✖ listing containers: no space left on device\n');
});

test('wrong input must be told with every problem and exit code 2', async () => {
  const { world, code } = running(async () => {
    throw new InputError([
      { severity: 'error', code: 'a', message: 'unknown receiver "chta"', hint: 'did you mean "chat"?' },
      { severity: 'warning', code: 'b', message: 'no route reaches "chat"' },
    ]);
  });
  expect(await code).toBe(2);
  expect(world.stderr.text).toBe(
    [
      '✖ unknown receiver "chta"',
      '  did you mean "chat"?',
      '▲ no route reaches "chat"',
      '1 problem, 1 warning. Nothing was changed.',
      '',
    ].join('\n'),
  );
});

test('a mistake of ours must be told as one, with what its report needs', async () => {
  const { world, code } = running(async () => {
    throw new TypeError('x is not a function');
  });
  expect(await code).toBe(1);
  expect(world.stderr.text).toContain('✖ internal error: this is a bug in promstack, not in your stack\n');
  expect(world.stderr.text).toContain('TypeError: x is not a function\n    at ');
  expect(world.stderr.text).toContain(`promstack ${version()}, Node ${process.version}`);
});

test('an error that nobody caught must end the command as a mistake of ours', async () => {
  const { world, code } = running((context) => aborted(context));
  await until(() => world.listeners === 4);
  world.crash(new Error('lost in a callback'));
  expect(await code).toBe(1);
  expect(world.stderr.text).toContain('Error: lost in a callback');
});

test.each(endingSignals)('%s must stop the work cleanly, with exit code 130 and no words', async (signal) => {
  let isCleanedUp = false;
  const { world, code } = running(async (context) => {
    try {
      return await aborted(context);
    } finally {
      isCleanedUp = true;
    }
  });
  await until(() => world.listeners === 4);
  world.signal(signal);
  expect(await code).toBe(130);
  expect(isCleanedUp).toBe(true);
  expect(world.stderr.text).toBe('');
  expect(world.exitedWith).toBeUndefined();
});

test('what a stopped command has to say of how it left the stack must be said', async () => {
  const { world, code } = running(async (context) => {
    await aborted(context).catch(() => undefined);
    throw new StackError({ doing: 'reloading prometheus', why: 'interrupted; everything was put back' });
  });
  await until(() => world.listeners === 4);
  world.signal('SIGINT');
  expect(await code).toBe(130);
  expect(world.stderr.text).toBe('✖ reloading prometheus: interrupted; everything was put back\n');
});

test('a second Ctrl-C must end the process at once', async () => {
  const { world } = running(() => new Promise<never>(() => {}));
  await until(() => world.listeners === 4);
  world.signal('SIGINT');
  expect(world.exitedWith).toBeUndefined();
  world.signal('SIGINT');
  expect(world.exitedWith).toBe(130);
});

test('a reader that has enough must end the command without a word', async () => {
  const { world, code } = running(async (context) => {
    context.stdout.write('first\n');
    world.stdout.breakOff();
    context.stdout.write('second\n');
    return aborted(context);
  });
  expect(await code).toBe(0);
  expect(world.stdout.text).toBe('first\n');
  expect(world.stderr.text).toBe('');
});

test.each([[[]], [['--help']]])('a result that could not be written must be an error, with %j too', async (argv) => {
  const { world, code } = running(
    async ({ stdout }) => {
      stdout.write('the result\n');
      return 0;
    },
    { argv },
  );
  world.stdout.breakOff('ENOSPC');
  expect(await code).toBe(1);
  expect(world.stderr.text).toBe(
    '✖ writing the result to stdout: write ENOSPC\n  try: run the command again with output to a disk with free space\n',
  );
});

test('a command that goes on must end when its output cannot be written any more', async () => {
  const { world, code } = running(async (context) => {
    world.stdout.breakOff('ENOSPC');
    context.stdout.write('second\n');
    return aborted(context);
  });
  expect(await code).toBe(1);
  expect(world.stderr.text).toContain('writing the result to stdout: write ENOSPC');
});

test('--json must give every line of stderr as JSON, errors too', async () => {
  const { world, code } = running(
    async ({ report, json, stdout }) => {
      report({ kind: 'note', text: 'on the way' });
      stdout.write(`${JSON.stringify({ json })}\n`);
      throw refusal;
    },
    { argv: ['--json'] },
  );
  expect(await code).toBe(1);
  expect(JSON.parse(world.stdout.text)).toEqual({ json: true });
  const lines = world.stderr.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toEqual([
    { time: expect.any(String), kind: 'note', text: 'on the way' },
    { kind: 'error', doing: refusal.doing, why: refusal.why, try: refusal.tryThis },
  ]);
});

test('--quiet must leave only results and errors', async () => {
  const { world, code } = running(
    async ({ report, stdout }) => {
      report({ kind: 'started', id: '1', what: 'start prometheus' });
      report({ kind: 'failed', id: '1', what: 'start prometheus', why: refusal.why });
      stdout.write('the result\n');
      throw refusal;
    },
    { argv: ['--quiet'] },
  );
  await code;
  expect(world.stdout.text).toBe('the result\n');
  expect(world.stderr.text).toContain('port 9090 is taken by the container web');
});

test.each([
  ['y\n', true],
  ['YES\n', true],
  ['\n', false],
  ['yesterday\n', false],
])('the answer %o to a question must count as %s', async (answer, expected) => {
  let answered: boolean | undefined;
  const { world, code } = running(
    async ({ confirm }) => {
      answered = await confirm('Delete all data of demo?', '--yes');
      return 0;
    },
    { isTerminal: true, env: { NO_COLOR: '1' } },
  );
  world.stdin.write(answer);
  await code;
  expect(answered).toBe(expected);
  expect(world.stderr.text).toBe('Delete all data of demo? [y/N] ');
});

test('no answer must be no, and Ctrl-C at a question must stop the command', async () => {
  const { world: ended, code: endedCode } = running(
    async ({ confirm }) => ((await confirm('Sure?', '--yes')) ? 1 : 0),
    {
      isTerminal: true,
    },
  );
  ended.stdin.end();
  expect(await endedCode).toBe(0);
  const { world, code } = running(async ({ confirm }) => ((await confirm('Sure?', '--yes')) ? 1 : 0), {
    isTerminal: true,
  });
  await until(() => world.stderr.text.includes('Sure?'));
  world.signal('SIGINT');
  expect(await code).toBe(130);
});

test('a question where nobody can answer must be refused with the flag that answers it', async () => {
  const { world, code } = running(async ({ confirm }) =>
    (await confirm('Delete all data of demo?', '--yes')) ? 1 : 0,
  );
  expect(await code).toBe(2);
  expect(world.stderr.text).toBe('✖ no terminal to confirm: Delete all data of demo?\n  add --yes to confirm\n');
});

test.each([
  ['on a terminal', { isTerminal: true }, true],
  ['into a pipe', { isTerminal: false }, false],
  ['with NO_COLOR', { isTerminal: true, env: { NO_COLOR: '1' } }, false],
  ['with an empty NO_COLOR', { isTerminal: true, env: { NO_COLOR: '' } }, true],
  ['with FORCE_COLOR', { isTerminal: false, env: { FORCE_COLOR: '1' } }, true],
  ['with FORCE_COLOR=0', { isTerminal: true, env: { FORCE_COLOR: '0' } }, false],
  ['with NO_COLOR and FORCE_COLOR', { isTerminal: true, env: { NO_COLOR: '1', FORCE_COLOR: '1' } }, false],
  ['with --no-color and FORCE_COLOR', { isTerminal: true, env: { FORCE_COLOR: '1' }, argv: ['--no-color'] }, false],
  ['on a dumb terminal', { isTerminal: true, env: { TERM: 'dumb' } }, false],
])('colours %s must be %s', async (_, told, expected) => {
  const { world, code } = running(async ({ stdout }) => {
    stdout.write(stdout.colours.red('x'));
    return 0;
  }, told);
  await code;
  expect(world.stdout.text).toBe(expected ? '\u001b[31mx\u001b[39m' : 'x');
});

/** Waits for the frame to have got so far; it has nothing else to wait for. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
