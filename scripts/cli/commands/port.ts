import * as z from 'zod';
import { showPath } from '../../../stack/diagnostic.ts';
import { sectionPath } from '../../../stack/service.ts';
import { serviceOf } from '../../../stack/services.ts';
import type { ContainerSummary } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import { notFound, servicesAmong } from '../../state/find-stack.ts';
import { specOf } from '../../state/names.ts';
import { notRunning } from '../../state/not-running.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { addressText } from '../print/containers.ts';
import { whichContainers } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Prints the address and the port of the host at which a service is published, as the engine reports them: on a ' +
    'remote engine, 127.0.0.1 is an address of its machine. `promstack open --print SERVICE` prints a URL for browsers.',
  examples: [
    { line: 'port prometheus', what: 'such as 127.0.0.1:9090' },
    { line: 'port grafana 3000', what: 'by the port in the container, as with docker compose' },
  ],
  syntax: (blank) =>
    blank
      .argument('<service>', 'service to find')
      .argument('[private-port]', "port in the container (default: the service's own)"),
  json: () => z.strictObject({ service: z.string(), address: z.string(), hostPort: z.int(), containerPort: z.int() }),
  run: async (context, _options, [name, text]) => {
    const written = text === undefined ? undefined : readPort(text);
    const { stack, origin } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const present = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
    if (present.size === 0) throw await notFound(engine, stack, origin);
    for (const [service, container] of whichContainers(stack, present, [name])) {
      const spec = specOf(container);
      const owner = spec && serviceOf(spec);
      const wanted = written ?? owner?.port;
      const published = container.hostPorts.find(({ containerPort }) => containerPort === wanted);
      if (published === undefined)
        throw notPublished(service, container, { wanted, key: owner && showPath(sectionPath(owner)) });
      const { address, port, containerPort } = published;
      context.result({ service, address, hostPort: port, containerPort });
      context.stdout.write(`${addressText(published)}\n`);
    }
    return exitCodes.fine;
  },
});

function readPort(text: string): number {
  const port = /^(\d+)(?:\/tcp)?$/.exec(text)?.[1];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return Number(port);
  throw new InputError([misuse(`${text} is not a TCP port`, 'use a number from 1 to 65535, such as 9090')]);
}

function notPublished(
  service: string,
  container: ContainerSummary,
  { wanted, key = service }: { readonly wanted: number | undefined; readonly key: string | undefined },
): StackError {
  const doing = `finding the port of ${service}`;
  if (container.state !== 'running') return new StackError({ doing, ...notRunning(service, container) });
  const published = container.hostPorts.map(({ containerPort }) => containerPort).join(', ');
  return new StackError({
    doing,
    why: `it does not publish port ${wanted} of its container`,
    tryThis: published === '' ? `set ${key}.port in stack.yml` : `promstack port ${service} ${published}`,
  });
}
