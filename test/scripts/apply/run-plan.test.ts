import { describe, expect, it } from 'vitest';
import { type Executors, runPlan, type StepContext } from '../../../scripts/apply/run-plan.ts';
import { type Removal, type Step, Steps } from '../../../scripts/plan/plan.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { flyingClock } from '../../support/flying-clock.ts';

describe('running a plan', () => {
  it('must begin a step only when those it waits for are done', async () => {
    const order: string[] = [];
    const work = async ({ name }: { name: string }): Promise<void> => {
      order.push(`begin ${name}`);
      await Promise.resolve();
      order.push(`end ${name}`);
    };
    const outcome = await run(
      plan((steps) => {
        const one = steps.add(volume('one'), [], 'a test');
        const two = steps.add(volume('two'), [], 'a test');
        steps.add(volume('three'), [one, two], 'a test');
      }),
      work,
    );
    expect(order.slice(0, 2)).toEqual(['begin one', 'begin two']);
    expect(order.slice(4)).toEqual(['begin three', 'end three']);
    expect(outcome.done).toHaveLength(3);
  });

  it('must let none begin after a failure, wait for those under way, and end their waits', async () => {
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
      { kind: 'failed', id: 'step-1', what: 'delete the volume bad and what it holds', why: 'it is in use' },
      {
        kind: 'skipped',
        id: 'step-2',
        what: 'delete the volume waiting and what it holds',
        because: 'another step failed',
      },
    ]);
  });

  it('must begin nothing once it is interrupted', async () => {
    const controller = new AbortController();
    const outcome = await run(
      plan((steps) => {
        const one = steps.add(volume('one'), [], 'a test');
        steps.add(volume('two'), [one], 'a test');
      }),
      async () => controller.abort(new Error('enough')),
      { signal: controller.signal },
    );
    expect(namesOf(outcome.done)).toEqual(['one']);
    expect(namesOf(outcome.skipped)).toEqual(['two']);
    expect(outcome.failed).toEqual([]);
  });

  it('must end waits that outlive their step when the plan is done', async () => {
    let kept: AbortSignal | undefined;
    await run(
      plan((steps) => steps.add(volume('one'), [], 'a test')),
      async (_, { signal }) => {
        kept = signal;
      },
    );
    expect(kept?.aborted).toBe(true);
  });

  it('must tell of each step that is done before those after it begin', async () => {
    const seen: string[] = [];
    await run(
      plan((steps) => steps.add(volume('two'), [steps.add(volume('one'), [], 'a test')], 'a test')),
      async ({ name }) => void seen.push(`begin ${name}`),
      { afterStep: (step) => void seen.push(`after ${'name' in step ? step.name : ''}`) },
    );
    expect(seen).toEqual(['begin one', 'after one', 'begin two', 'after two']);
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
  work: (step: { name: string }, hands: StepContext) => Promise<void>,
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
