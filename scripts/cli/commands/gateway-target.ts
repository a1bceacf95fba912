import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../../stack/values/units.ts';
import { openPushgateway, openStackPushgateway, type PushgatewayClient } from '../../servers/pushgateway/client.ts';
import { type Group, groupProblem, toGroup } from '../../servers/pushgateway/group.ts';
import { openTransport, parseGatewayUrl, stackGatewayUrl } from '../../servers/pushgateway/transport.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { configOrThrow, connectEngine, takeOrThrow } from './stages.ts';

/** What one request may take unless the person says otherwise. */
const defaultTimeoutMs = 10_000;

/** Which Pushgateway, and what for. */
export interface GatewayTarget {
  /** `--url`. */
  readonly url?: string | undefined;
  /** `--timeout`. */
  readonly timeout?: string | undefined;
  /** Groups may be deleted there. */
  readonly deletes?: boolean;
}

/** The Pushgateway a command talks to: the one of `--url`, whatever engines there are, else the stack's own. */
export async function openTarget(
  context: Context,
  { url, timeout, deletes = false }: GatewayTarget,
): Promise<PushgatewayClient> {
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : readDuration('--timeout', timeout);
  const now = () => context.clock.now();
  const openAt = (address: string): PushgatewayClient =>
    openPushgateway(openTransport({ url: takeOrThrow(context, parseGatewayUrl(address)), timeoutMs }), now);
  if (url !== undefined) return openAt(url);
  const config = await configOrThrow(context);
  if (!config.pushgateway.enabled) {
    throw new InputError([misuse('this stack has no Pushgateway', '--url http://HOST:9091 names one')]);
  }
  const { isEngineHere } = await import('../../engine/connect.ts');
  // While a stack is down its port may be another one's: nothing is deleted on the strength of a port.
  if (!deletes && (await isEngineHere(context.env))) return openAt(stackGatewayUrl(config));
  return askEngine(context, config.name, { timeoutMs, now });
}

/** The stack's Pushgateway as its engine knows it; the engine is closed with it. */
async function askEngine(
  context: Context,
  stack: string,
  how: { readonly timeoutMs: number; readonly now: () => number },
): Promise<PushgatewayClient> {
  const engine = await connectEngine(context).catch((error: unknown) => {
    throw withAdvice(error);
  });
  const close = () => engine[Symbol.asyncDispose]();
  try {
    const gateway = await openStackPushgateway(engine, stack, how);
    return {
      ...gateway,
      [Symbol.asyncDispose]: async () => {
        await gateway[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whoever may not speak to the engine may know the address of the Pushgateway. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof StackError)) return error;
  const { doing, why, tryThis } = error;
  return new StackError({ doing, why, tryThis: `${tryThis}; or name the Pushgateway with --url`, cause: error });
}

/** Milliseconds of a duration on the command line; an InputError when it is none. */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InputError([misuse(`${option} ${text} is no duration`, 'a duration such as 30s, 10m or 1h30m')]);
}

/** A name and value given as one word; for repeated options, which gather in the list. */
export function collectPair(word: string, list: readonly LabelPair[] = []): readonly LabelPair[] {
  const at = word.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes the form name=value.');
  return [...list, [word.slice(0, at), word.slice(at + 1)]];
}

/** A name and its value. */
export type LabelPair = readonly [name: string, value: string];

/** The group of `--job` and `--label`; an InputError when there can be none. */
export function readGroup(job: string, labels: readonly LabelPair[] = []): Group {
  const why = groupProblem(job, labels);
  if (why !== undefined) throw new InputError([misuse(why, '--job NAME --label name=value')]);
  return toGroup(job, labels);
}
