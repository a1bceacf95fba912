import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { buildStandInImage, type StandInImage } from './grafana-image/build.ts';
import { imageToRun } from './grafana-real-image.ts';
import { type GrafanaStack, grafanaStack } from './grafana-stack.ts';

/** The Grafanas that the same checks run on. */
export const grafanas = ['the stand-in', 'a real image'] as const;

/** Defines a check on one Grafana. */
export type Check = (name: string, body: (stack: GrafanaStack) => Promise<void>, timeoutMs?: number) => void;

/**
 * Shares one stack with a Grafana between the checks of a `describe`: the stand-in's image, or a real one; where that is
 * not available, each check is skipped with the reason. `prepare` runs once before the first.
 */
export function grafanaChecks(
  which: (typeof grafanas)[number],
  prepare: (stack: GrafanaStack) => Promise<void> = async () => {},
): Check {
  let image: StandInImage | undefined;
  let stack: GrafanaStack | undefined;
  let whyNot = '';

  beforeAll(async () => {
    if (which === 'a real image') {
      const real = await imageToRun();
      if ('whyNot' in real) whyNot = real.whyNot;
      else stack = await grafanaStack(real.reference);
    } else {
      await using engine = await connect({ env: process.env });
      image = await buildStandInImage(engine);
      stack = await grafanaStack(image.reference);
    }
    if (stack !== undefined) await prepare(stack);
  }, 600_000);

  afterAll(async () => {
    try {
      await stack?.[Symbol.asyncDispose]();
    } finally {
      await image?.[Symbol.asyncDispose]();
    }
  });

  // The stand-in logs each request that it cannot answer.
  afterEach(async () => {
    expect((await stack?.log())?.filter((line) => line.includes('the stand-in')) ?? []).toEqual([]);
  });

  return (name, body, timeoutMs = 240_000) =>
    test(
      name,
      async (context) => {
        if (stack === undefined) return context.skip(whyNot);
        await body(stack);
      },
      timeoutMs,
    );
}
