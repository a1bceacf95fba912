import { pushgateway } from '../../../stack/pushgateway/service.ts';
import type { Engine } from '../../engine/engine.ts';
import { locateServices } from '../../state/locate.ts';
import { openReach } from '../../state/service-client.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { openTransport } from './transport.ts';
import { openInside } from './transport-inside.ts';

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
  const reach = openReach(engine);
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
  const transport = engine.place.isLocal
    ? openTransport({ url: { base }, timeoutMs })
    : openInside(engine, { container: container.id, port, base, timeoutMs });
  return openGateway(transport, now);
}
