import { accessOf } from '../../../stack/access/access.ts';
import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { openPushgateway, openStackPushgateway, type PushgatewayClient } from '../../servers/pushgateway/client.ts';
import { type Group, groupProblem, toGroup } from '../../servers/pushgateway/group.ts';
import { openTransport, parseGatewayUrl, stackGatewayUrl } from '../../servers/pushgateway/transport.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { type LabelPair, readDuration } from './arguments.ts';
import { configOrThrow, connectEngine, takeOrThrow } from './find-stack.ts';

const defaultTimeoutMs = 10_000;

export interface GatewayTarget {
  /** `--url`. */
  readonly url?: string | undefined;
  /** `--timeout`. */
  readonly timeout?: string | undefined;
  /** Whether the command deletes groups. */
  readonly deletes?: boolean;
}

/** The Pushgateway of `--url`, which needs no engine, or else the stack's. */
export async function openTarget(
  context: Context,
  { url, timeout, deletes = false }: GatewayTarget,
): Promise<PushgatewayClient> {
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : readDuration('--timeout', timeout);
  const now = () => context.clock.now();
  const openAt = (address: string, isGiven: boolean): PushgatewayClient =>
    openPushgateway(openTransport({ url: takeOrThrow(context, parseGatewayUrl(address)), timeoutMs, isGiven }), now);
  if (url !== undefined) return openAt(url, true);
  const config = await configOrThrow(context);
  if (!config.pushgateway.enabled) {
    throw new InputError([misuse('this stack has no Pushgateway', 'use --url http://HOST:9091')]);
  }
  const { isEngineHere } = await import('../../engine/connect.ts');
  // While a stack is down, another Pushgateway may use its port: nothing is deleted by port.
  // What its access asks for is in its container.
  const isGuarded = accessOf(config, 'pushgateway') !== undefined;
  const isOwnPort = context.stackName === undefined && !deletes && !isGuarded && !isSwarm(config);
  if (isOwnPort && (await isEngineHere(context.env))) return openAt(stackGatewayUrl(config), false);
  return openByEngine(context, config.name, { timeoutMs, now, target: config.target });
}

/** The stack's Pushgateway, located by the engine, which is closed with it. */
async function openByEngine(
  context: Context,
  stack: string,
  options: Parameters<typeof openStackPushgateway>[2],
): Promise<PushgatewayClient> {
  const engine = await connectEngine(context).catch((error: unknown) => {
    throw withUrlHint(error);
  });
  const close = () => engine[Symbol.asyncDispose]();
  try {
    const gateway = await openStackPushgateway(engine, stack, options);
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

/** Without access to the engine, the URL of the Pushgateway may still be known. */
function withUrlHint(error: unknown): unknown {
  if (!(error instanceof StackError)) return error;
  const { doing, why, tryThis } = error;
  return new StackError({
    doing,
    why,
    tryThis: `${tryThis}; or use --url with the URL of the Pushgateway`,
    cause: error,
  });
}

/** The group of `--job` and `--label`; throws an InputError when it is invalid. */
export function readGroup(job: string, labels: readonly LabelPair[] = []): Group {
  const why = groupProblem(job, labels);
  if (why !== undefined) throw new InputError([misuse(why, '--job NAME --label name=value')]);
  return toGroup(job, labels);
}
