import { expect, it } from 'vitest';
import { crashPoints } from '../../scripts/apply/crash-point.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { alertRule, expectFine, expectSettled, type Running, refusedReceiver, running } from '../support/revisions.ts';
import { shareOf } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

/** A command to kill, in a folder in which its plan has all of these steps, in this order. */
interface Change {
  readonly command: readonly string[];
  readonly steps: readonly string[];
  /** What servers run before the change, or after a rollback; undefined if one may not be running. */
  prepare(stack: StackFolder): Promise<Running | undefined>;
}

const changes: Readonly<Record<string, Change>> = {
  'a first up': {
    command: ['up'],
    steps: [
      ...['createNetwork', 'createVolume', 'createConfigWriter', 'switchReleases', 'createContainer'],
      ...['startContainer', 'waitReady', 'confirm', 'record'],
    ],
    prepare: async (stack) => {
      await edit(stack, 1);
      return undefined;
    },
  },
  'a reload of two servers': {
    command: ['reload'],
    steps: ['switchReleases', 'waitReady', 'reload:prometheus', 'reload:alertmanager', 'confirm', 'record'],
    prepare: async (stack) => {
      const before = await upWith(stack, 0);
      await edit(stack, 1);
      return before;
    },
  },
  'an up that recreates a container': {
    command: ['up'],
    steps: [
      ...['switchReleases', 'stopContainer', 'removeContainer', 'createContainer', 'startContainer', 'waitReady'],
      ...['confirm', 'record'],
    ],
    prepare: async (stack) => {
      await upWith(stack, 0);
      await edit(stack, 1, { retention: { time: '2d' } });
      return undefined;
    },
  },
  'a rollback': {
    command: ['rollback'],
    steps: ['switchReleases', 'reload', 'confirm', 'record'],
    prepare: async (stack) => {
      const before = await upWith(stack, 0);
      await edit(stack, 1);
      expectFine(await stack.run('reload'));
      return before;
    },
  },
  'a down with its volumes': {
    command: ['down', '--volumes', '--yes'],
    steps: ['stopContainer', 'removeContainer', 'removeNetwork', 'removeVolume'],
    prepare: (stack) => upWith(stack, 1),
  },
  'an up that makes a CA': {
    command: ['up'],
    steps: ['provideCertificates'],
    prepare: async (stack) => {
      await stack.write('rules/a.yml', alertRule('Test1'));
      await stack.configure({ ...at(1), access: { services: { pushgateway: { tls: 'internal' } } } });
      return undefined;
    },
  },
};

const cases = Object.entries(changes).flatMap(([name, change]) =>
  change.steps.map((step) => [`${name} that is killed after ${step}`, step, change] as const),
);
const deadlineMs = 120_000;

it('each kind of step must be tested with a kill', () => {
  expect(new Set(cases.map(([, step]) => step.replace(/:.*/, '')))).toEqual(new Set(crashPoints));
});

it.each(shareOf('promstack killed after each kind of step of each change', cases))(
  '%s must leave whole revisions, and the next command must converge',
  async (_, step, { command, prepare }) => {
    await using stack = await stackFolder();
    const before = await prepare(stack);
    await killAfter(stack, command, step);
    if (command[0] === 'down') {
      expectFine(await stack.run(...command));
      await expectGone(stack);
      return;
    }
    const between = before === undefined ? undefined : await running(stack);
    const next = await stack.run(between === undefined ? 'up' : 'reload');
    expectFine(next);
    // After the last step of a change there is nothing left to do, for which no lock is taken.
    if (step !== 'record' || command[0] === 'rollback') expect(next.stderr).toContain('took over the lock');
    const after = await running(stack);
    expect(after.alerts).toEqual(['Test1']);
    if (before !== undefined && between !== undefined) expectWhole(between, [before, after]);
    await expectSettled(stack);
  },
  deadlineMs,
);

it(
  'a change after a killed one must be rolled back to what was confirmed last, not to what the killed one had put in place',
  async () => {
    await using stack = await stackFolder();
    const good = await upWith(stack, 0);
    await stack.configure({ ...at(0), ...refusedReceiver });
    await killAfter(stack, ['reload'], 'switchReleases');
    await stack.write('rules/a.yml', alertRule('Test1'));
    const { exitCode, stderr } = await stack.run('reload');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
    expect(await running(stack)).toEqual(good);
    await edit(stack, 0);
    await expectSettled(stack);
  },
  deadlineMs,
);

/** A stack.yml with a number in the files of both servers. */
function at(number: number): { readonly prometheus: object; readonly alertmanager: object } {
  return {
    prometheus: { rules: ['rules/*.yml'] },
    alertmanager: { route: { receiver: 'sink', group_wait: `${number + 1}s` } },
  };
}

async function edit(stack: StackFolder, number: number, prometheus: object = {}): Promise<void> {
  await stack.write('rules/a.yml', alertRule(`Test${number}`));
  const keys = at(number);
  await stack.configure({ ...keys, prometheus: { ...keys.prometheus, ...prometheus } });
}

async function upWith(stack: StackFolder, number: number): Promise<Running> {
  await edit(stack, number);
  expectFine(await stack.run('up'));
  return running(stack);
}

async function killAfter(stack: StackFolder, command: readonly string[], step: string): Promise<void> {
  const ended = await stack.start(command, { PROMSTACK_STOP_AFTER: step });
  expect(ended.signal, `${command.join(' ')} was to be killed after ${step}:\n${String(ended.stderr)}`).toBe('SIGKILL');
}

/** Each server runs either its previous or its new files. */
function expectWhole(between: Running, [before, after]: readonly [Running, Running]): void {
  const prometheus = ({ prometheus: revision, jobs, alerts }: Running): string =>
    JSON.stringify([revision, jobs, alerts]);
  expect([prometheus(before), prometheus(after)]).toContain(prometheus(between));
  expect([before.alertmanager, after.alertmanager]).toContain(between.alertmanager);
}

async function expectGone(stack: StackFolder): Promise<void> {
  await using engine = await connect({ env: process.env });
  const labels = { [stackLabel]: stack.name };
  const left = await Promise.all([
    engine.listContainers(labels),
    engine.listNetworks(labels),
    engine.listVolumes(labels),
  ]);
  expect(left).toEqual([[], [], []]);
}
