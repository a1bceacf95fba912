import { describe, expect, it } from 'vitest';
import { alertRule, expectFine, expectSettled, type Running, refusedReceiver, running } from '../support/revisions.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

/** The steps of a reload of both servers, and those of an `up` that makes one container anew. */
const reloadSteps = ['switchReleases', 'waitReady', 'reload:prometheus', 'reload:alertmanager', 'confirm', 'record'];
const recreateSteps = [
  'switchReleases',
  'stopContainer',
  'removeContainer',
  'createContainer',
  'startContainer',
  'waitReady',
  'confirm',
  'record',
];
const firstSteps = [
  'createNetwork',
  'createVolume',
  'createConfigWriter',
  'switchReleases',
  'createContainer',
  'startContainer',
  'waitReady',
  'confirm',
  'record',
];

const deadlineMs = 240_000;

describe('promstack killed in the middle of a change', () => {
  it(
    'must leave every server on one whole revision after each step of a reload, and the next reload must converge',
    async () => {
      await using stack = await stackFolder(at(0));
      await stack.write('rules/a.yml', alertRule('Test0'));
      expectFine(await stack.run('up'));
      let before = await running(stack);
      for (const [index, step] of reloadSteps.entries()) {
        const number = index + 1;
        await edit(stack, number);
        await killAfter(stack, 'reload', step);
        const between = await running(stack);

        const next = await stack.run('reload');
        expectFine(next);
        // After the last step there is nothing left to do, for which no lock is taken.
        if (step !== 'record') expect(next.stderr, step).toContain('which is not running any more');
        const after = await running(stack);
        expect(after.alerts, step).toEqual([`Test${number}`]);
        expectWhole(between, [before, after], step);
        await expectSettled(stack);
        before = after;
      }
    },
    deadlineMs,
  );

  it(
    'must go back to what was confirmed last, and not to what a killed run had put in place',
    async () => {
      await using stack = await stackFolder(at(0));
      await stack.write('rules/a.yml', alertRule('Test0'));
      expectFine(await stack.run('up'));
      const good = await running(stack);
      await stack.configure({ ...at(0), ...refusedReceiver });
      await killAfter(stack, 'reload', 'switchReleases');
      await stack.write('rules/a.yml', alertRule('Test1'));
      const { exitCode, stderr } = await stack.run('reload');
      expect(exitCode).toBe(1);
      expect(stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
      expect(await running(stack)).toEqual(good);
      await stack.write('rules/a.yml', alertRule('Test0'));
      await stack.configure(at(0));
      await expectSettled(stack);
    },
    deadlineMs,
  );

  it(
    'must converge after each step of an up that makes a container anew',
    async () => {
      await using stack = await stackFolder(at(0));
      await stack.write('rules/a.yml', alertRule('Test0'));
      expectFine(await stack.run('up'));
      for (const [index, step] of recreateSteps.entries()) {
        await edit(stack, index + 1, { prometheus: { retention: { time: `${index + 2}d` } } });
        await killAfter(stack, 'up', step);
        expectFine(await stack.run('up'));
        expect((await running(stack)).alerts, step).toEqual([`Test${index + 1}`]);
        await expectSettled(stack);
      }
    },
    deadlineMs,
  );

  it(
    'must converge after each step of a first up',
    async () => {
      for (const step of firstSteps) {
        await using stack = await stackFolder(at(0));
        await stack.write('rules/a.yml', alertRule('Test0'));
        await killAfter(stack, 'up', step);
        expectFine(await stack.run('up'));
        expect((await running(stack)).alerts, step).toEqual(['Test0']);
        await expectSettled(stack);
      }
    },
    deadlineMs,
  );

  it(
    'must converge after each step of a rollback',
    async () => {
      await using stack = await stackFolder(at(0));
      await stack.write('rules/a.yml', alertRule('Test0'));
      expectFine(await stack.run('up'));
      await edit(stack, 1);
      expectFine(await stack.run('reload'));
      for (const step of ['switchReleases', 'reload', 'confirm', 'record']) {
        await killAfter(stack, 'rollback', step);
        expectFine(await stack.run('reload'));
        expect((await running(stack)).alerts, step).toEqual(['Test1']);
        await expectSettled(stack);
      }
    },
    deadlineMs,
  );
});

/** A stack.yml that differs by a number in the files of both servers. */
function at(number: number): { readonly prometheus: object; readonly alertmanager: object } {
  return {
    prometheus: { rules: ['rules/*.yml'] },
    alertmanager: { route: { receiver: 'sink', group_wait: `${number + 1}s` } },
  };
}

async function edit(stack: StackFolder, number: number, more: { readonly prometheus?: object } = {}): Promise<void> {
  await stack.write('rules/a.yml', alertRule(`Test${number}`));
  const keys = at(number);
  await stack.configure({ ...keys, prometheus: { ...keys.prometheus, ...more.prometheus } });
}

async function killAfter(stack: StackFolder, command: string, step: string): Promise<void> {
  const ended = await stack.start([command], { PROMSTACK_STOP_AFTER: step });
  expect(ended.signal, `${command} was to be killed after ${step}:\n${String(ended.stderr)}`).toBe('SIGKILL');
}

/** Each server by itself runs what it ran before or what it runs afterwards, and nothing else. */
function expectWhole(between: Running, [before, after]: readonly [Running, Running], step: string): void {
  const prometheus = ({ prometheus: revision, jobs, alerts }: Running): string =>
    JSON.stringify([revision, jobs, alerts]);
  expect([prometheus(before), prometheus(after)], step).toContain(prometheus(between));
  expect([before.alertmanager, after.alertmanager], step).toContain(between.alertmanager);
}
