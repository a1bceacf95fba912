import type { KeyPath } from '../../stack/diagnostic.ts';
import { sectionPath } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import { type ChangeOptions, changeStack } from '../apply/change.ts';
import type { Run } from '../apply/run.ts';
import { withValue } from '../render/render.ts';
import type { Rendering } from '../render/rendering.ts';
import { freePort, isPortTaken } from '../util/ports.ts';
import type { Reloaded } from './running-stack.ts';
import type { StackSource } from './stack-source.ts';

/** Renders and changes a stack whose services each publish a free port, which they keep as long as they run. */
export interface Ports {
  render(): Promise<Rendering>;
  /** Changes the stack to its config, which may be rendered already. */
  change(run: Run, options: Pick<ChangeOptions, 'command' | 'hasChanged'>, rendered?: Rendering): Promise<Reloaded>;
}

/** How often to use other ports when a process has taken one before the engine did. */
const attempts = 3;

/** `fixed` are keys that override those of the source, such as the name. */
export function openPorts(
  source: StackSource,
  fixed: { readonly name: string; readonly grafana?: { readonly enabled: false } },
): Ports {
  const ports = new Map<string, { readonly section: KeyPath; readonly port: number }>();
  let running: ReadonlySet<string> = new Set();

  const render = async (): Promise<Rendering> => {
    const written = await source.config();
    // Rendering it names its mistakes.
    if (written === undefined) return source.render(fixed);
    const config = { ...written, grafana: { ...written.grafana, ...fixed.grafana } };
    const publishing = enabledServices(config).filter((service) => service.hostPort(config) !== undefined);
    const names = new Set(publishing.map(({ name }) => name));
    for (const name of ports.keys()) if (!names.has(name)) ports.delete(name);
    const added = publishing.filter(({ name }) => !ports.has(name));
    await Promise.all(
      added.map(async (service) => {
        ports.set(service.name, { section: sectionPath(service), port: await freePort(config.bind) });
      }),
    );
    const overrides = [...ports.values()].reduce<Readonly<Record<string, unknown>>>(
      (all, { section, port }) => withValue(all, [...section, 'port'], port),
      fixed,
    );
    return source.render(overrides);
  };

  return {
    render,
    change: async (run, options, rendered) => {
      for (let attempt = 1; ; attempt++) {
        const rendering = attempt === 1 && rendered !== undefined ? rendered : await render();
        const added = [...ports].filter(([name]) => !running.has(name));
        try {
          const { plan } = await changeStack({ ...run, ...options, rendering });
          running = new Set(ports.keys());
          return { rendering, plan };
        } catch (error) {
          const areTaken = await Promise.all(added.map(([, { port }]) => isPortTaken(rendering.config.bind, port)));
          if (attempt === attempts || run.signal.aborted || !areTaken.includes(true)) throw error;
          for (const [name] of added) ports.delete(name);
        }
      }
    },
  };
}
