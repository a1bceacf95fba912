import { describe, expect, it } from 'vitest';
import { type Executors, runPlan, type StepContext } from '../../../scripts/apply/run-plan.ts';
import { type Removal, type Step, Steps } from '../../../scripts/plan/plan.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { flyingClock } from '../../support/flying-clock.ts';

describe('running a plan', () => {
  it('must start a step only when those it depends on are done', async () => {
    const order: string[] = [];
    const work = async ({ name }: { name: string }): Promise<void> => {
      order.push(`begin ${name}`);
      await Promise.resolve();
      order.push(`end ${name}`);
    };
    const outcome = await run(
      plan((steps) => {
        const first = steps.add(volume('first'), [], 'a test');
        const second = steps.add(volume('second'), [], 'a test');
        steps.add(volume('third'), [first, second], 'a test');
      }),
      work,
    );
    expect(order.slice(0, 2)).toEqual(['begin first', 'begin second']);
    expect(order.slice(4)).toEqual(['begin third', 'end third']);
    expect(outcome.done).toHaveLength(3);
  });

  it('must report a failure in short where it has a short reason', async () => {
    const events: Event[] = [];
    const refuse = async (): Promise<void> => {
      throw new StackError({ doing: 'starting bad', why: 'it exited: its disk is full', brief: 'it exited' });
    };
    await run(
      plan((steps) => void steps.add(volume('bad'), [], 'a test')),
      refuse,
      { report: (event) => events.push(event) },
    );
    expect(events).toContainEqual(expect.objectContaining({ kind: 'failed', why: 'it exited' }));
  });

  it('must start no step after a failure, and abort and await the running ones', async () => {
    const events: Event[] = [];
    const outcome = await run(
      plan((steps) => {
        const bad = steps.add(volume('bad'), [], 'a test');
        steps.add(volume('waiting'), [], 'a test');
        steps.add(volume('later'), [bad], 'a test');
      }),
      async ({ name }, { signal }) => {
        if (name === 'bad') throw new StackError({ doing: 'deleting bad', why: 'it is in use\n  by many' });
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      { report: (event) => events.push(event) },
    );
    expect(namesOf(outcome.failed.map(({ step }) => step))).toEqual(['bad']);
    expect(namesOf(outcome.skipped).toSorted()).toEqual(['later', 'waiting']);
    expect(events.filter(({ kind }) => kind === 'failed' || kind === 'skipped')).toEqual([
      { kind: 'failed', id: 'step-1', what: 'delete the volume bad and its data', why: 'it is in use' },
      {
        kind: 'skipped',
        id: 'step-2',
        what: 'delete the volume waiting and its data',
        because: 'another step failed',
      },
    ]);
  });

  it('must start no step after an interrupt', async () => {
    const controller = new AbortController();
    const outcome = await run(
      plan((steps) => {
        const first = steps.add(volume('first'), [], 'a test');
        steps.add(volume('second'), [first], 'a test');
      }),
      async () => controller.abort(new Error('enough')),
      { signal: controller.signal },
    );
    expect(namesOf(outcome.done)).toEqual(['first']);
    expect(namesOf(outcome.skipped)).toEqual(['second']);
    expect(outcome.failed).toEqual([]);
  });

  it('must abort waits that outlive their step when the plan is done', async () => {
    let stepSignal: AbortSignal | undefined;
    await run(
      plan((steps) => steps.add(volume('one'), [], 'a test')),
      async (_, { signal }) => {
        stepSignal = signal;
      },
    );
    expect(stepSignal?.aborted).toBe(true);
  });

  it('must report each finished step before its dependents start', async () => {
    const seen: string[] = [];
    await run(
      plan((steps) => steps.add(volume('second'), [steps.add(volume('first'), [], 'a test')], 'a test')),
      async ({ name }) => void seen.push(`begin ${name}`),
      { afterStep: (step) => void seen.push(`after ${'name' in step ? step.name : ''}`) },
    );
    expect(seen).toEqual(['begin first', 'after first', 'begin second', 'after second']);
  });
});

const volume = (name: string): Removal => ({ do: 'removeVolume', name });

function plan(fill: (steps: Steps<Removal>) => void): readonly Step<Removal>[] {
  const steps = new Steps<Removal>();
  fill(steps);
  return steps.all;
}

function run(
  steps: readonly Step<Removal>[],
  work: (step: { name: string }, context: StepContext) => Promise<void>,
  options: { report?: (event: Event) => void; signal?: AbortSignal; afterStep?: (step: Step<Removal>) => void } = {},
) {
  const never = async (): Promise<void> => {
    throw new Error('these plans only delete volumes');
  };
  const executors: Executors<Removal> = {
    stopContainer: never,
    removeContainer: never,
    removeNetwork: never,
    removeVolume: work,
  };
  const { report = () => {}, signal = new AbortController().signal, afterStep } = options;
  return runPlan(steps, executors, { report, clock: flyingClock(), signal, afterStep });
}

const namesOf = (steps: readonly Step<Removal>[]): readonly string[] => steps.map(({ name }) => name);
