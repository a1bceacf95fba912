import type { StackConfig } from '../../stack/config.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { openConfigFiles } from '../state/config-files.ts';
import { locateServices } from '../state/locate.ts';
import { currentFolder, readRelease } from '../state/release-files.ts';
import { givenSecrets, openSecretStore } from '../state/secret-store.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { driverOf, lastLines } from './drivers.ts';
import type { LookContext, ServerProblem } from './service-driver.ts';

/** How long a look may wait for a server. */
const timeoutMs = 5_000;

interface LookOptions {
  readonly engine: Engine;
  readonly config: StackConfig;
  readonly client: ServiceClient;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** The passwords that a server has rejected within this command; added to. */
  readonly rejected?: Set<string> | undefined;
}

function lookContext(service: Service, container: string, options: LookOptions): LookContext {
  const { engine, config, client, clock, signal, rejected = new Set() } = options;
  const { user } = service.container(config);
  return {
    kept: openSecretStore(engine, { stack: config.name, service: service.name, user, container }),
    given: givenSecrets(service, config),
    request: (request) => client.request(service.name, request, { timeoutMs, signal }),
    lastLines: (since) => lastLines(engine, container, since),
    running: async () => {
      const files = openConfigFiles(engine, config.name);
      files.locate(service.name, container);
      const folder = await currentFolder(files, service.name);
      return folder === undefined ? [] : ((await readRelease(files, service.name, folder))?.files ?? []);
    },
    clock,
    rejected,
  };
}

/** Finds what was changed by hand inside the running servers, as their drivers do. */
export function openEdits(
  options: LookOptions,
): (service: Service, container: string, files: readonly RenderedFile[]) => Promise<readonly string[]> {
  return async (service, container, files) => {
    return (await driverOf(service.name).edits?.(lookContext(service, container, options), files)) ?? [];
  };
}

/** What would keep a command from changing the running servers, as their drivers find out; changes nothing. */
export async function serverProblems(options: {
  readonly engine: Engine;
  readonly config: StackConfig;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** The files that a service is to load. */
  readonly filesOf?: ((service: string) => readonly RenderedFile[] | undefined) | undefined;
  /** Only these services. */
  readonly only?: readonly string[] | undefined;
  /** The passwords that a server has rejected within this command; added to. */
  readonly rejected?: Set<string> | undefined;
}): Promise<readonly (ServerProblem & { readonly service: string })[]> {
  const { engine, config, filesOf, only } = options;
  const services = enabledServices(config).flatMap((service) => {
    const { problems } = driverOf(service.name);
    return problems === undefined || only?.includes(service.name) === false ? [] : [{ service, problems }];
  });
  if (services.length === 0) return [];
  const client = openServiceClient(engine);
  try {
    const containers = await locateServices(engine, config.name, client);
    const found = await Promise.all(
      services.map(async ({ service, problems }) => {
        const { name } = service;
        const container = containers.get(name);
        if (container?.state !== 'running') return [];
        const context = { ...lookContext(service, container.id, { ...options, client }), files: filesOf?.(name) };
        const listed = await problems(context);
        return listed.map((problem) => ({ ...problem, service: name }));
      }),
    );
    return found.flat();
  } finally {
    client.close();
  }
}
