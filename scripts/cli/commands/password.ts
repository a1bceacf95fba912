import { grafana } from '../../../stack/grafana/service.ts';
import { adminUser } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import type { ContainerSummary, Engine } from '../../engine/engine.ts';
import { currentPassword, rotatePassword } from '../../servers/grafana/password.ts';
import { locateServices } from '../../state/locate.ts';
import { names } from '../../state/names.ts';
import { openSecretStore } from '../../state/secret-store.ts';
import { openServiceClient, type ServiceClient } from '../../state/service-client.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { defineCommand } from './command.ts';
import { connectEngine, loadOrThrow } from './stages.ts';

/** `promstack password`: the password of Grafana's admin, as the stack keeps it. */
export const command = defineCommand({
  details:
    `Prints the password of Grafana's user ${adminUser}. One is made at the first up and kept on the engine; ` +
    'grafana.admin_password in stack.yml sets one of your own.',
  examples: [
    { line: 'password', what: 'the password alone, for scripts too' },
    { line: 'password --rotate', what: 'set a new one, also when the one in use is lost' },
  ],
  syntax: (command) => command.option('--rotate', 'set a new password, whatever the one in use is'),
  run: async (context, { rotate }) => {
    const { config } = await loadOrThrow(context);
    if (!config.grafana.enabled) {
      throw new InputError([misuse('this stack has no Grafana', 'enable grafana in stack.yml')]);
    }
    await using engine = await connectEngine(context);
    const reach = openServiceClient(engine);
    try {
      const container = (await locateServices(engine, config.name, reach)).get(grafana.name);
      const kept = openSecretStore(engine, {
        carrier: names.carrier(config.name),
        service: grafana.name,
        user: grafana.container(config).user,
        container: container?.id,
      });
      const given = config.grafana.admin_password;
      const password =
        rotate === true
          ? await rotatePassword({ ...wayIn(context, engine, reach, runningOrThrow(container)), kept }, given)
          : await keptOrThrow(currentPassword({ kept }));
      if (rotate === true && given !== undefined) {
        context.report({ kind: 'note', text: 'stack.yml gives the password, so it was set to that one again' });
      }
      tell(context, password);
      return exitCodes.fine;
    } finally {
      reach.close();
    }
  },
});

function tell({ stdout, json }: Context, password: Secret): void {
  const text = password.reveal();
  stdout.write(json ? `${JSON.stringify({ user: adminUser, password: text })}\n` : `${text}\n`);
}

function wayIn({ signal }: Context, engine: Engine, reach: ServiceClient, { id }: ContainerSummary) {
  return {
    request: (request: Parameters<ServiceClient['request']>[1]) =>
      reach.request(grafana.name, request, { timeoutMs: 30_000, signal }),
    exec: (argv: readonly string[], stdin?: string) =>
      engine.exec(id, argv, { signal, ...(stdin === undefined ? {} : { stdin }) }),
  };
}

function runningOrThrow(container: ContainerSummary | undefined): ContainerSummary {
  if (container?.state === 'running') return container;
  throw new StackError({
    doing: "setting the password of Grafana's admin",
    why: container === undefined ? 'Grafana has no container' : `its container is ${container.state}`,
    tryThis: 'promstack up',
  });
}

async function keptOrThrow(password: Promise<Secret | undefined>): Promise<Secret> {
  const kept = await password;
  if (kept !== undefined) return kept;
  throw new StackError({
    doing: "reading the password of Grafana's admin",
    why: 'the stack keeps none: Grafana was never started',
    tryThis: 'promstack up',
  });
}
