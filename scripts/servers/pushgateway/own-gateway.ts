import { pushgateway } from '../../../stack/pushgateway/service.ts';
import type { Engine } from '../../engine/engine.ts';
import { locateServices } from '../../state/locate.ts';
import { requestInside } from '../../state/request-inside.ts';
import { openServiceClient } from '../../state/service-client.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { ConnectionError, openTransport, type Transport, textFormat } from './transport.ts';

/**
 * The Pushgateway that runs as part of a stack, found by its container and so never another one; on an engine of another
 * machine it is spoken to inside that container. A StackError when it does not run.
 */
export async function openOwnGateway(
  engine: Engine,
  stack: string,
  { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => number },
): Promise<Gateway> {
  const { name, port, title } = pushgateway;
  const reach = openServiceClient(engine);
  const container = (await locateServices(engine, stack, reach)).get(name);
  const base = reach.url(name, port);
  reach.close();
  if (container?.state !== 'running' || base === undefined) {
    throw new StackError({
      doing: `looking for the ${title} of ${stack}`,
      why: container === undefined ? `${title} has no container` : `the container of ${title} is ${container.state}`,
      tryThis: '`promstack up`, or name another Pushgateway with --url',
    });
  }
  const transport = engine.location.isLocal
    ? openTransport({ url: { base }, timeoutMs })
    : openInside(engine, { container: container.id, port, base, timeoutMs });
  return openGateway(transport, now);
}

/** Which Pushgateway, and how long it may take. */
interface InsideOptions {
  readonly container: string;
  /** The port inside the container. */
  readonly port: number;
  /** What it is called in messages: the address it would have if its ports could be reached from here. */
  readonly base: string;
  readonly timeoutMs: number;
}

/** The way through the engine into the container, for engines of other machines. */
function openInside(engine: Pick<Engine, 'exec'>, { container, port, base, timeoutMs }: InsideOptions): Transport {
  return {
    base,
    send: async ({ method, path, body, signal }) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      const request = { method, port, path, ...(body === undefined ? {} : { body, headers: textFormat }) };
      try {
        return await requestInside(engine, container, request, { timeoutMs, signal: either });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Error)) throw error;
        if (deadline.aborted)
          throw new ConnectionError('timeout', `there was no answer within ${timeoutMs / 1000} s`, error);
        throw new ConnectionError('connection', error.message, error);
      }
    },
    // It holds nothing open: the engine is whoever opened it's to close.
    [Symbol.asyncDispose]: async () => undefined,
  };
}
