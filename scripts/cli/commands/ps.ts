import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import type { ContainerSummary } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import { notFound, servicesAmong } from '../../state/find-stack.ts';
import { exitCodes } from '../context.ts';
import { timeSchema } from '../json/schema.ts';
import { containerStateSchema } from '../json/status.ts';
import { printContainers } from '../print/containers.ts';
import { whichContainers } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Lists the containers of the stack as `docker compose ps` does: name, image, service, age, state with the health ' +
    'that the engine sees, and published ports. `promstack status` also asks the servers, and compares with stack.yml.',
  examples: [
    { line: 'ps', what: 'the running containers' },
    { line: 'ps --all', what: 'stopped ones, too' },
    { line: 'ps -q prometheus', what: 'the id of one container, for `docker inspect` and the like' },
  ],
  syntax: (blank) =>
    blank
      .argument('[service...]', 'services to list (default: all)')
      .option('-a, --all', 'also stopped containers')
      .option('-q, --quiet', 'print only the ids'),
  json: () =>
    z.strictObject({
      containers: z.array(
        z.strictObject({
          service: z.string(),
          name: z.string(),
          id: z.string(),
          image: z.string(),
          createdAt: timeSchema(),
          state: containerStateSchema(),
          status: z.string().describe("the engine's own description"),
          health: z.enum(['starting', 'healthy', 'unhealthy']).optional().describe('absent without a health check'),
          ports: z.array(z.strictObject({ address: z.string(), hostPort: z.int(), containerPort: z.int() })),
        }),
      ),
    }),
  run: async (context, { all, quiet }, [names]) => {
    const { stack, origin } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const { stdout, clock, report, stackName } = context;
    const present = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
    if (present.size === 0 && (stackName !== undefined || names.length > 0))
      throw await notFound(engine, stack, origin);
    const chosen = whichContainers(stack, present, names);
    const shown = new Map([...chosen].filter(([, { state }]) => all === true || !isStopped(state)));
    context.result({ containers: [...shown].map(([service, container]) => toJsonContainer(service, container)) });
    if (quiet === true) {
      stdout.write([...shown.values()].map(({ id }) => `${id}\n`).join(''));
      return exitCodes.fine;
    }
    stdout.write(printContainers(shown, { colours: stdout.colours, columns: stdout.columns(), now: clock.now() }));
    const hidden = chosen.size - shown.size;
    if (hidden > 0) report({ kind: 'note', text: `${counted(hidden, 'container')} stopped: \`promstack ps --all\`` });
    if (present.size === 0) report({ kind: 'note', text: `${stack} has no containers: \`promstack up\` creates them` });
    return exitCodes.fine;
  },
});

const isStopped = (state: ContainerSummary['state']): boolean =>
  state === 'created' || state === 'exited' || state === 'dead';

function toJsonContainer(service: string, container: ContainerSummary) {
  const { name, id, image, createdAt, state, status, hostPorts } = container;
  return {
    service,
    name,
    id,
    image,
    createdAt: new Date(createdAt * 1_000).toISOString(),
    state,
    status,
    health: healthOf(status),
    ports: hostPorts.map(({ address, port, containerPort }) => ({ address, hostPort: port, containerPort })),
  };
}

/** Engines say it only in their description: `Up 2 minutes (healthy)`. */
function healthOf(status: string): 'starting' | 'healthy' | 'unhealthy' | undefined {
  const [, health] = /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(status) ?? [];
  return health as ReturnType<typeof healthOf>;
}
