import type { StackConfig } from './config.ts';
import type { Problem } from './diagnostic.ts';
import type { Service } from './service.ts';
import { enabledServices, services } from './services.ts';
import { timezoneProblems } from './values/timezone.ts';

/** What is wrong with a config whose every key is well formed: across services, then each service's own. */
export function stackProblems(config: StackConfig): readonly Problem[] {
  return [
    ...timezoneProblems(config.timezone, ['timezone']),
    ...emptyStackProblems(config),
    ...portProblems(config),
    ...enabledServices(config).flatMap((service) => service.problems?.(config) ?? []),
  ];
}

function emptyStackProblems(config: StackConfig): readonly Problem[] {
  if (enabledServices(config).length > 0) return [];
  return [
    {
      code: 'nothing-to-run',
      path: [],
      message: 'every service is switched off, so there is nothing to run',
      hint: `enable one of ${services.map(({ name }) => name).join(', ')}`,
    },
  ];
}

function portProblems(config: StackConfig): readonly Problem[] {
  const owners = new Map<number, Service>();
  return enabledServices(config).flatMap((service): readonly Problem[] => {
    const port = service.hostPort(config);
    if (port === undefined) return [];
    const owner = owners.get(port);
    if (owner === undefined) {
      owners.set(port, service);
      return [];
    }
    return [
      {
        code: 'port-twice',
        path: [service.name, 'port'],
        message: `port ${port} is asked for twice, by ${owner.name} and by ${service.name}`,
        hint: `give ${service.name} another port`,
        related: [{ path: [owner.name, 'port'], message: `${owner.name} asks for it here` }],
      },
    ];
  });
}
