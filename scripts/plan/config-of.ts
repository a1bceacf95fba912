import { type StackConfig, stackSchema } from '../../stack/config.ts';
import type { ContainerSpec } from '../../stack/model.ts';
import { type Service, sectionPath } from '../../stack/service.ts';
import { findService, serviceOf, services } from '../../stack/services.ts';
import { withValue } from '../render/render.ts';

/** What each service of a stack was made from; undefined when that is not known. */
export type Specs = ReadonlyMap<string, ContainerSpec | undefined>;

/**
 * The config that the specs of a stack's services show. `removed` lists services that it should have but whose container is
 * gone, `further` keys that no spec shows.
 */
export function configOf(
  stack: string,
  specs: Specs,
  removed: readonly string[] = [],
  further: Readonly<Record<string, unknown>> = {},
): StackConfig {
  const defaults: Readonly<Record<string, unknown>> = stackSchema.parse({ name: stack });
  const keysOf = (name: string, port: number): readonly [string, unknown][] => {
    const keys = {
      enabled: specs.has(name) || removed.includes(name),
      image: specs.get(name)?.image,
      port: specs.get(name)?.ports.find(({ container }) => container === port)?.host,
      mode: specs.get(name)?.args.some((flag) => flag.startsWith('--storage.agent.path')) ? 'agent' : undefined,
    };
    return Object.entries(keys).filter(([, value]) => value !== undefined);
  };
  const sections = services
    .filter(({ path }) => path === undefined)
    .map(({ name, port }) => {
      // Some services have no key for an image or a port.
      const section = keysOf(name, port).filter(([key]) => key in Object(defaults[name]));
      return [name, Object.fromEntries(section)];
    });
  const bind = [...specs.values()].flatMap((spec) => spec?.ports ?? [])[0]?.bind;
  let config: Readonly<Record<string, unknown>> = { name: stack, bind, ...further, ...Object.fromEntries(sections) };
  for (const service of nestedAmong(specs, removed)) {
    const spec = specs.get(service.name);
    const custom = spec?.ready && { port: spec.ready.port, scrape: { metrics_path: spec.ready.path } };
    const keys = { ...Object.fromEntries(keysOf(service.name, service.port)), ...custom };
    config = withValue(config, sectionPath(service), keys);
  }
  return stackSchema.parse(config);
}

/** The services whose section is inside another, such as exporters, in a stack's containers, and those that it should have. */
function nestedAmong(specs: Specs, removed: readonly string[]): readonly Service[] {
  const present = [...specs.values()].map((spec) => spec && serviceOf(spec));
  const all = [...present, ...removed.map(findService)].filter((service) => service !== undefined);
  return all.filter(({ path }) => path !== undefined);
}
