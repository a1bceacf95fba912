import * as z from 'zod';
import { EngineError } from '../../engine/engine-error.ts';
import { findPending, type PendingService } from '../../inspect/pending.ts';
import type { Rendering } from '../../render/rendering.ts';
import { durationText } from '../../util/duration-text.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { readDuration, whichServices } from './arguments.ts';
import { defineCommand } from './command.ts';
import { checkTarget, connectEngine } from './find-stack.ts';
import { renderToLook } from './stages.ts';

/** The pause between two looks. */
const pauseMs = 1_000;

export const command = defineCommand({
  details:
    'Waits until every service runs what stack.yml says and its server is ready, as after `up`: for a stack that ' +
    'something else starts or changes. With -p the last confirmed revision counts instead of stack.yml. Unlike ' +
    '`docker compose wait`, it does not wait for containers to stop.\n\n' +
    'Exits 0 when the stack is ready, 1 at the timeout, with what is missing, and 2 when stack.yml is invalid.',
  examples: [
    { line: 'wait', what: 'until `up` would have nothing to do' },
    { line: 'wait --timeout 60s prometheus', what: 'until one service is ready, for at most a minute' },
  ],
  syntax: (blank) =>
    blank
      .argument('[service...]', 'services to wait for (default: all)')
      .option('--timeout <duration>', 'how long to wait, such as 60s', '5m'),
  json: () =>
    z.strictObject({
      revision: z.string().optional(),
      pending: z
        .array(z.strictObject({ service: z.string().optional(), reason: z.string() }))
        .describe('what is missing at the timeout'),
    }),
  run: async (context, { timeout }, [names]) => {
    const timeoutMs = readDuration('--timeout', timeout);
    await checkTarget(context);
    await using engine = await connectEngine(context);
    const { clock, signal, report, stdout } = context;
    const [id, what] = ['wait', 'wait until the stack is ready'] as const;
    const startedAt = clock.now();
    report({ kind: 'started', id, what });
    for (let isFirst = true; ; isFirst = false) {
      const look = await orPending(signal, async () => {
        const reporting = isFirst ? context : { ...context, report: () => undefined };
        const rendering = await renderToLook(reporting, Promise.resolve(engine), { compare: true });
        whichServices(rendering.config, names);
        return { rendering, pending: await findPending({ engine, rendering, names, signal }) };
      });
      const { rendering, pending } = look;
      context.result({
        revision: rendering?.revision,
        pending: pending.map(({ service, why }) => ({ service, reason: why })),
      });
      const tookMs = clock.now() - startedAt;
      if (rendering !== undefined && pending.length === 0) {
        report({ kind: 'done', id, what, tookMs });
        stdout.write(printReady(rendering, names));
        return exitCodes.fine;
      }
      const lines = pending.map(({ service, why }) => (service === undefined ? why : `${service}: ${why}`));
      if (tookMs >= timeoutMs) {
        report({ kind: 'failed', id, what, why: 'timed out' });
        throw tooLate(context, rendering, lines, tookMs);
      }
      report({ kind: 'progress', id, what, detail: lines[0] ?? '' });
      await clock.sleep(Math.min(pauseMs, timeoutMs - tookMs), signal);
    }
  },
});

interface Look {
  readonly rendering?: Rendering | undefined;
  readonly pending: readonly PendingService[];
}

/** An engine that does not answer, or has no such stack, may be ready later. */
async function orPending(signal: AbortSignal, look: () => Promise<Look>): Promise<Look> {
  try {
    return await look();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StackError) return { pending: [{ why: `${error.doing}: ${error.why}` }] };
    if (error instanceof EngineError) return { pending: [{ why: `${error.doing}: ${error.message}` }] };
    throw error;
  }
}

function tooLate(
  { stackName }: Pick<Context, 'stackName'>,
  rendering: Rendering | undefined,
  lines: readonly string[],
  tookMs: number,
): StackError {
  const stack = rendering?.config.name ?? stackName;
  return new StackError({
    doing: `waiting for the stack${stack === undefined ? '' : ` ${stack}`}`,
    why: `it is not ready after ${durationText(tookMs)}${lines.map((line) => `\n    ${line}`).join('')}`,
    tryThis: 'promstack status, or wait longer with --timeout',
  });
}

function printReady({ config, services, revision }: Rendering, names: readonly string[]): string {
  const ready = services
    .map(({ service }) => service.name)
    .filter((name) => names.length === 0 || names.includes(name));
  return `${config.name}: ready, with revision ${revision}: ${ready.join(', ')}\n`;
}
