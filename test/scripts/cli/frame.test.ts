import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Context, ExitCode } from '../../../scripts/cli/context.ts';
import { endingSignals } from '../../../scripts/cli/process-io.ts';
import { run } from '../../../scripts/cli/run.ts';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import { addSecret } from '../../../scripts/util/redaction.ts';
import { InputError, InterruptedError, StackError } from '../../../scripts/util/stack-error.ts';
import { version } from '../../../scripts/util/version.ts';
import { entryOf } from '../../support/entries.ts';
import { TestProcess } from '../../support/test-process.ts';

/** Runs `promstack do …` where `do` is the given function. */
function running(
  act: (context: Context) => Promise<ExitCode>,
  options: { argv?: readonly string[]; isTerminal?: boolean; env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const io = new TestProcess({ ...options, argv: ['do', ...(options.argv ?? [])] });
  return { io, code: run(io, [entryOf('do', { run: act })]) };
}

const aborted = ({ signal }: Context) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

test('results must go to stdout and everything else to stderr', async () => {
  const { io, code } = running(async ({ stdout, report }) => {
    report({ kind: 'note', text: 'in progress' });
    stdout.write('the result\n');
    return 3;
  });
  expect(await code).toBe(3);
  expect(io.stdout.text).toBe('the result\n');
  expect(io.stderr.text).toBe('in progress\n');
  expect(io.listeners).toBe(0);
});

const failure = new StackError({
  doing: 'starting prometheus',
  why: 'port 9090 is taken by the container web',
  tryThis: 'another prometheus.port, or stop web',
  cause: new Error('the engine returned 500'),
});

test('an external failure must be printed in three parts, with exit code 1', async () => {
  const { io, code } = running(async () => Promise.reject(failure));
  expect(await code).toBe(1);
  expect(io.stderr.text).toBe(
    '✖ starting prometheus: port 9090 is taken by the container web\n  try: another prometheus.port, or stop web\n',
  );
  expect(io.stdout.text).toBe('');
});

test('the causes of an external failure must be printed with --verbose', async () => {
  for (const options of [{ argv: ['--verbose'] }, { env: { PROMSTACK_DEBUG: '1' } }]) {
    const { io, code } = running(async () => Promise.reject(failure), options);
    await code;
    expect(io.stderr.text).toContain('  because: Error: the engine returned 500');
  }
});

test('internal steps must be printed only with --verbose, and as JSON without the mark', async () => {
  for (const [argv, expected] of [
    [[], ''],
    [['--verbose'], '✔ create the config volume writer (0 ms)\n'],
    [
      ['--json'],
      expect.stringMatching(/^\{"time":"[^"]+","kind":"done","id":"1","what":"[^"]+","durationSeconds":0.001\}\n$/),
    ],
  ] as const) {
    const { io, code } = running(
      async ({ report }) => {
        report({ kind: 'done', id: '1', what: 'create the config volume writer', tookMs: 1, isInternal: true });
        return 0;
      },
      { argv },
    );
    await code;
    expect(io.stderr.text).toEqual(expected);
  }
});

test('a reason that the reporter has shown must not be repeated', async () => {
  const { io, code } = running(async ({ report }) => {
    report({ kind: 'started', id: '1', what: 'start prometheus' });
    report({ kind: 'failed', id: '1', what: 'start prometheus', why: failure.why });
    throw failure;
  });
  await code;
  expect(io.stderr.text).toBe(
    [
      '✖ start prometheus: port 9090 is taken by the container web',
      '✖ starting prometheus: failed (see above)',
      '  try: another prometheus.port, or stop web',
      '',
    ].join('\n'),
  );
});

test('an unhandled error of the engine must be printed as an external failure', async () => {
  const { io, code } = running(async () => {
    throw new EngineError({ code: 'refused', doing: 'listing containers', message: 'no space left on device' });
  });
  expect(await code).toBe(1);
  expect(io.stderr.text).toBe('✖ listing containers: no space left on device\n');
});

test('wrong input must be printed with every problem, with exit code 2', async () => {
  const { io, code } = running(async () => {
    throw new InputError([
      { severity: 'error', code: 'a', message: 'unknown receiver "chta"', hint: 'did you mean "chat"?' },
      { severity: 'warning', code: 'b', message: 'no route reaches "chat"' },
    ]);
  });
  expect(await code).toBe(2);
  expect(io.stderr.text).toBe(
    [
      '✖ unknown receiver "chta"',
      '  did you mean "chat"?',
      '▲ no route reaches "chat"',
      '1 problem, 1 warning. Nothing was changed.',
      '',
    ].join('\n'),
  );
});

test('a bug must be printed as one, with what a bug report needs', async () => {
  const { io, code } = running(async () => {
    throw new TypeError('x is not a function');
  });
  expect(await code).toBe(1);
  expect(io.stderr.text).toContain('✖ internal error: this is a bug in promstack, not in your stack\n');
  expect(io.stderr.text).toContain('TypeError: x is not a function\n    at ');
  expect(io.stderr.text).toContain(`promstack ${version()}, Node ${process.version}`);
});

test('an uncaught error must end the command as a bug', async () => {
  const { io, code } = running((context) => aborted(context));
  await until(() => io.listeners === 4);
  io.crash(new Error('lost in a callback'));
  expect(await code).toBe(1);
  expect(io.stderr.text).toContain('Error: lost in a callback');
});

test.each(endingSignals)('%s must stop the command cleanly, with exit code 130 and a message', async (signal) => {
  let isCleanedUp = false;
  const { io, code } = running(async (context) => {
    try {
      return await aborted(context);
    } finally {
      isCleanedUp = true;
    }
  });
  await until(() => io.listeners === 4);
  io.signal(signal);
  expect(await code).toBe(130);
  expect(isCleanedUp).toBe(true);
  expect(io.stderr.text).toBe('✖ interrupted\n');
  expect(io.exitedWith).toBeUndefined();
});

test('an interrupted command must print how it left the stack', async () => {
  const { io, code } = running(async (context) => {
    await aborted(context).catch(() => undefined);
    throw new StackError({ doing: 'reloading prometheus', why: 'interrupted; everything was rolled back' });
  });
  await until(() => io.listeners === 4);
  io.signal('SIGINT');
  expect(await code).toBe(130);
  expect(io.stderr.text).toBe('✖ reloading prometheus: interrupted; everything was rolled back\n');
});

test.each([[[]], [['-q']], [['-v']]])(
  'an interrupted change must print what it left, with the arguments %j',
  async (argv) => {
    const left = 'created so far: the network demo';
    const interrupt = async (context: Context): Promise<never> => {
      const cause: unknown = await aborted(context).catch((reason: unknown) => reason);
      throw new InterruptedError({ left, tryThis: 'promstack down removes it', cause });
    };
    for (const json of [false, true]) {
      const { io, code } = running(interrupt, { argv: json ? [...argv, '--json'] : argv });
      await until(() => io.listeners === 4);
      io.signal('SIGINT');
      expect(await code).toBe(130);
      const why = `interrupted: ${left}`;
      if (!json) expect(io.stderr.text).toBe(`✖ ${why}\n  try: promstack down removes it\n`);
      else
        expect(JSON.parse(io.stdout.text).error).toMatchObject({
          kind: 'interrupted',
          why,
          try: 'promstack down removes it',
        });
    }
  },
);

test('a second Ctrl-C must end the process immediately', async () => {
  const { io } = running(() => new Promise<never>(() => {}));
  await until(() => io.listeners === 4);
  io.signal('SIGINT');
  expect(io.exitedWith).toBeUndefined();
  io.signal('SIGINT');
  expect(io.exitedWith).toBe(130);
  expect(io.stderr.text).toContain('interrupted again: exited without waiting');
});

test('a closed stdout must end the command without a message', async () => {
  const { io, code } = running(async (context) => {
    context.stdout.write('first\n');
    io.stdout.breakOff();
    context.stdout.write('second\n');
    return aborted(context);
  });
  expect(await code).toBe(0);
  expect(io.stdout.text).toBe('first\n');
  expect(io.stderr.text).toBe('');
});

test.each([[[]], [['--help']]])(
  'a result that could not be written must be an error, with the arguments %j',
  async (argv) => {
    const { io, code } = running(
      async ({ stdout }) => {
        stdout.write('the result\n');
        return 0;
      },
      { argv },
    );
    io.stdout.breakOff('ENOSPC');
    expect(await code).toBe(1);
    expect(io.stderr.text).toBe(
      '✖ writing the result to stdout: write ENOSPC\n  try: run the command again with output to a disk with free space\n',
    );
  },
);

test('a running command must end when its output can no longer be written', async () => {
  const { io, code } = running(async (context) => {
    io.stdout.breakOff('ENOSPC');
    context.stdout.write('second\n');
    return aborted(context);
  });
  expect(await code).toBe(1);
  expect(io.stderr.text).toContain('writing the result to stdout: write ENOSPC');
});

describe('--json', () => {
  const warning = { severity: 'warning', code: 'b', message: 'no route reaches "chat"' } as const;
  const mistake = {
    severity: 'error',
    code: 'a',
    message: 'unknown receiver "chta"',
    hint: 'did you mean "chat"?',
    where: { file: 'stack.yml', line: 3, column: 5, offset: 40, length: 6 },
  } as const;
  const shown = {
    severity: 'error',
    code: 'a',
    message: 'unknown receiver "chta"',
    hint: 'did you mean "chat"?',
    file: 'stack.yml',
    line: 3,
    column: 5,
    length: 6,
  };
  const base = { format: 1, command: 'do', diagnostics: [] };

  /** Runs a command with `--json`; the lines of both outputs. */
  async function inJson(act: (context: JsonContext) => Promise<ExitCode>) {
    const io = new TestProcess({ argv: ['do', '--json'] });
    const json = () => z.strictObject({ url: z.string() });
    const jsonLine = () => z.strictObject({ kind: z.literal('step') });
    const exitCode = await run(io, [entryOf('do', { json, jsonLine, run: act })]);
    const [stdout, stderr] = [io.stdout, io.stderr].map(({ text }) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
    );
    return { exitCode, stdout, stderr };
  }
  type JsonContext = Context<{ url: string }, { kind: 'step' }>;

  test.each<[ExitCode, boolean]>([
    [0, true],
    [3, true],
    [1, false],
    [2, false],
    [4, false],
  ])('must print the result last, with exit code %i as ok %s, and discard all text', async (exitCode, ok) => {
    const printed = await inJson(async ({ line, result, report, stdout, stderr, nameStack }) => {
      nameStack('shop');
      line({ kind: 'step' });
      result({ url: 'http://localhost' });
      line({ kind: 'step' });
      stdout.write('the result\n');
      stderr.write('aside\n');
      report({ kind: 'note', text: 'in progress' });
      report({ kind: 'diagnostic', diagnostic: warning });
      return exitCode;
    });
    expect(printed).toEqual({
      exitCode,
      stdout: [
        { kind: 'step' },
        { kind: 'step' },
        { ...base, stack: 'shop', ok, url: 'http://localhost', diagnostics: [warning] },
      ],
      stderr: [{ time: expect.any(String), kind: 'note', text: 'in progress' }],
    });
  });

  test.each<[what: string, error: Error, exitCode: ExitCode, result: object]>([
    [
      'an external failure',
      failure,
      1,
      { error: { kind: 'external', doing: failure.doing, why: failure.why, try: failure.tryThis } },
    ],
    ['wrong input', new InputError([mistake]), 2, { diagnostics: [warning, shown] }],
    [
      'a bug',
      new TypeError('x is not a function'),
      1,
      {
        error: {
          kind: 'internal',
          doing: 'running promstack',
          why: 'x is not a function',
          try: 'report a bug with this output and the command you ran',
          trace: expect.stringContaining('TypeError: x is not a function\n    at '),
        },
      },
    ],
  ])('must print %s on stdout alone', async (_, error, exitCode, result) => {
    const printed = await inJson(async ({ report }) => {
      report({ kind: 'diagnostic', diagnostic: warning });
      throw error;
    });
    expect(printed).toEqual({
      exitCode,
      stdout: [{ ...base, ok: false, diagnostics: [warning], ...result }],
      stderr: [],
    });
  });

  test.each([
    [['do', '--jsn', '--json'], 'do'],
    [['--json', 'dp'], undefined],
    [['--json'], undefined],
  ])('must print the mistake in the command line %j as JSON', async (argv, command) => {
    const io = new TestProcess({ argv });
    const exitCode = await run(io, [entryOf('do', { run: async () => 0 })]);
    expect({ exitCode, stderr: io.stderr.text }).toEqual({ exitCode: 2, stderr: '' });
    expect(JSON.parse(io.stdout.text)).toEqual({
      format: 1,
      command,
      ok: false,
      diagnostics: [expect.objectContaining({ severity: 'error', code: 'usage' })],
    });
  });

  test('must name the stack of -p in what to try', async () => {
    const json = () => z.strictObject({ problems: z.array(z.strictObject({ message: z.string(), try: z.string() })) });
    const io = new TestProcess({ argv: ['logs', '--json', '-p', 'shop'] });
    await run(io, [
      entryOf('logs', {
        json,
        run: async ({ result }) => {
          result({ problems: [{ message: 'promstack logs sink', try: 'promstack logs sink' }] });
          throw new StackError({ doing: 'a', why: 'b', tryThis: 'promstack up; promstack status' });
        },
      }),
    ]);
    expect(JSON.parse(io.stdout.text)).toMatchObject({
      problems: [{ message: 'promstack logs sink', try: 'promstack -p shop logs sink' }],
      error: { try: 'promstack up; promstack -p shop status' },
    });
  });

  test.each([
    ['when it ends', 1],
    ['when it is ended by the second one', 2],
  ])('must print the result of an interrupted command %s', async (_, signals) => {
    const { io, code } = running(
      async (context) => {
        if (signals === 1) return aborted(context);
        return new Promise<never>(() => {});
      },
      { argv: ['--json'] },
    );
    await until(() => io.listeners === 4);
    for (let at = 0; at < signals; at += 1) io.signal('SIGINT');
    if (signals === 1) expect(await code).toBe(130);
    expect(JSON.parse(io.stdout.text)).toEqual({
      ...base,
      ok: false,
      error: { kind: 'interrupted', doing: 'running promstack', why: 'interrupted' },
    });
  });

  test('must mask secrets in strings alone, so that it stays JSON with the same keys', async () => {
    const printed = await inJson(async ({ result, report }) => {
      for (const secret of ['12345', 'format', 'tell"\\nobody', 'time']) addSecret(secret);
      report({ kind: 'done', id: '1', what: 'push 12345', tookMs: 12_345_000 });
      result({ url: 'http://host/12345?tell"\\nobody' });
      return 0;
    });
    expect(printed).toEqual({
      exitCode: 0,
      stdout: [{ ...base, ok: true, url: 'http://host/[secret]?[secret]' }],
      stderr: [{ time: expect.any(String), kind: 'done', id: '1', what: 'push [secret]', durationSeconds: 12_345 }],
    });
  });

  test('must print on stderr that the result could not be written', async () => {
    const { io, code } = running(async () => 0, { argv: ['--json'] });
    io.stdout.breakOff('ENOSPC');
    expect(await code).toBe(1);
    expect(JSON.parse(io.stderr.text)).toMatchObject({ ok: false, error: { why: 'write ENOSPC' } });
  });
});

test('--quiet must print only results and errors', async () => {
  const { io, code } = running(
    async ({ report, stdout }) => {
      report({ kind: 'started', id: '1', what: 'start prometheus' });
      report({ kind: 'failed', id: '1', what: 'start prometheus', why: failure.why });
      stdout.write('the result\n');
      throw failure;
    },
    { argv: ['--quiet'] },
  );
  await code;
  expect(io.stdout.text).toBe('the result\n');
  expect(io.stderr.text).toContain('port 9090 is taken by the container web');
});

test.each([
  ['y\n', true],
  ['YES\n', true],
  ['\n', false],
  ['yesterday\n', false],
])('the answer %o to a question must be taken as %s', async (answer, expected) => {
  let answered: boolean | undefined;
  const { io, code } = running(
    async ({ confirm }) => {
      answered = await confirm('Delete all data of demo?', '--yes');
      return 0;
    },
    { isTerminal: true, env: { NO_COLOR: '1' } },
  );
  io.stdin.write(answer);
  await code;
  expect(answered).toBe(expected);
  expect(io.stderr.text).toBe('Delete all data of demo? [y/N] ');
});

test('the end of input must be taken as no, and Ctrl-C at a question must stop the command', async () => {
  const { io: ended, code: endedCode } = running(async ({ confirm }) => ((await confirm('Sure?', '--yes')) ? 1 : 0), {
    isTerminal: true,
  });
  ended.stdin.end();
  expect(await endedCode).toBe(0);
  const { io, code } = running(async ({ confirm }) => ((await confirm('Sure?', '--yes')) ? 1 : 0), {
    isTerminal: true,
  });
  await until(() => io.stderr.text.includes('Sure?'));
  io.signal('SIGINT');
  expect(await code).toBe(130);
});

test('a question without a terminal must be refused, with the flag that confirms it', async () => {
  const { io, code } = running(async ({ confirm }) => ((await confirm('Delete all data of demo?', '--yes')) ? 1 : 0));
  expect(await code).toBe(2);
  expect(io.stderr.text).toBe('✖ no terminal to confirm: Delete all data of demo?\n  add --yes to confirm\n');
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
])('colours %s must be %s', async (_, options, expected) => {
  const { io, code } = running(async ({ stdout }) => {
    stdout.write(stdout.colours.red('x'));
    return 0;
  }, options);
  await code;
  expect(io.stdout.text).toBe(expected ? '\u001b[31mx\u001b[39m' : 'x');
});

/** Waits until the command has reached a state. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
