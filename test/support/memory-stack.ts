import { applyPlan } from '../../scripts/apply/change.ts';
import { previousState } from '../../scripts/apply/previous.ts';
import type { ContainerSummary, Engine, NetworkSummary, VolumeSummary } from '../../scripts/engine/engine.ts';
import { serviceLabel } from '../../scripts/engine/labels.ts';
import { type Desired, toDesired } from '../../scripts/plan/desired.ts';
import { observe } from '../../scripts/plan/observe.ts';
import { reconcile } from '../../scripts/plan/reconcile.ts';
import type { ConfigFiles } from '../../scripts/state/config-files.ts';
import type { ServiceClient } from '../../scripts/state/service-client.ts';
import type { Event } from '../../scripts/util/event.ts';
import { md5 } from '../../scripts/util/hash.ts';
import { stackSchema } from '../../stack/config.ts';
import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import { findService } from '../../stack/services.ts';
import { MemoryFiles } from './config-files.ts';
import { fakeEngine } from './engine.ts';
import { flyingClock } from './flying-clock.ts';
import { network } from './states.ts';

/** A stack of Prometheus, Alertmanager or both, whose files have a revision. */
export function stackOf(revision: string, keys: object = {}): Desired {
  const config = stackSchema.parse({ name: 'demo', ...keys });
  const services = [findService('prometheus'), findService('alertmanager')].flatMap((service) => {
    if (service?.isEnabled(config) !== true) return [];
    const files = [
      { service: service.name, path: `${service.name}.yml`, content: `# ${revision}\n`, mode: 0o444, origin: 'a test' },
    ];
    return [{ service, container: service.container(config), files, revision }];
  });
  return toDesired({ config, folder: '/stack', revision, services, tests: [] }, (ref) => ({ ref, id: `id of ${ref}` }));
}

/** An engine and servers in memory, for changes of `stackOf`; they fail where a test says so. */
export class MemoryStack {
  /** All calls, in order; a failed one ends in `!`. */
  readonly calls: string[] = [];
  readonly events: Event[] = [];
  /** Called before each call, which fails with what this throws. */
  onCall: (call: string) => void = () => undefined;
  readonly #files = new MemoryFiles();
  readonly #containers = new Map<string, ContainerSummary>();
  readonly #volumes = new Map<string, VolumeSummary>();
  readonly #networks = new Map<string, NetworkSummary>();
  /** The revision that each running server has loaded. */
  readonly #loaded = new Map<string, string>();
  #ids = 0;

  /** Runs the change like `up` under its lock. */
  async change(desired: Desired, signal: AbortSignal = new AbortController().signal): Promise<void> {
    const [engine, files, client] = [this.#engine(), this.#configFiles(), this.#client()];
    const observed = await observe(engine, desired, client, { files });
    const plan = reconcile(desired, observed);
    const previous = await previousState(engine, files, observed, desired);
    this.calls.length = 0;
    await applyPlan(plan, {
      ...{
        engine,
        files,
        client,
        desired,
        observed,
        previous,
        signal,
        command: 'up',
        env: { HOME: '' },
        clock: flyingClock(),
      },
      report: (event) => this.events.push(event),
    });
  }

  /** What each server runs: `prometheus old, alertmanager exited`. */
  get running(): string {
    const servers = [...this.#containers.values()]
      .filter(({ labels }) => labels[serviceLabel] !== undefined)
      .map(({ labels, state }) => {
        const service = labels[serviceLabel] ?? '';
        return `${service} ${state === 'running' ? this.#loaded.get(service) : state}`;
      })
      .join(', ');
    return servers === '' ? 'nothing' : servers;
  }

  #do(call: string): void {
    this.calls.push(call);
    try {
      this.onCall(call);
    } catch (error) {
      this.calls[this.calls.length - 1] = `${call}!`;
      throw error;
    }
  }

  #serviceOf(id: string): string {
    const container = this.#containers.get(id);
    if (container === undefined) throw new Error(`there is no container ${id}`);
    return container.labels[serviceLabel] ?? 'config writer';
  }

  #setState(id: string, state: ContainerSummary['state']): void {
    const container = this.#containers.get(id);
    if (container !== undefined) this.#containers.set(id, { ...container, state });
  }

  async #linked(service: string): Promise<string> {
    return ((await this.#files.readLink(service, 'current')) ?? 'nothing').split('/').at(-1) ?? '';
  }

  #engine(): Engine {
    const add = (name: string, image: string, labels: Readonly<Record<string, string>>): string => {
      const id = `c${++this.#ids}`;
      const summary = {
        id,
        name,
        image,
        imageId: `id of ${image}`,
        status: '',
        createdAt: 0,
        hostPorts: [],
        networks: [],
      };
      this.#containers.set(id, { ...summary, state: 'created', labels });
      return id;
    };
    return fakeEngine({
      listContainers: async () => [...this.#containers.values()],
      listVolumes: async () => [...this.#volumes.values()],
      listNetworks: async () => [...this.#networks.values()],
      findContainer: async (id) => this.#containers.get(id),
      inspectContainer: async () => undefined,
      nextExit: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      async *logs() {},
      createNetwork: async (name, labels) => {
        this.#do('create network');
        this.#networks.set(name, { ...network(name), id: name, labels });
        return name;
      },
      createVolume: async (name, labels) => {
        this.#do('create volume');
        this.#volumes.set(name, { name, labels });
        return { name, labels };
      },
      createHelper: async ({ name, image, labels }) => {
        this.#do('create config writer');
        return add(name, image, labels);
      },
      createContainer: async ({ name, spec, labels }) => {
        this.#do(`create ${spec.service}`);
        return add(name, spec.image, labels);
      },
      // On which containers have no health checks.
      kind: 'podman',
      startContainer: async (id) => {
        const service = this.#serviceOf(id);
        this.#do(`start ${service}`);
        this.#setState(id, 'running');
        this.#loaded.set(service, await this.#linked(service));
      },
      stopContainer: async (id) => {
        this.#do(`stop ${this.#serviceOf(id)}`);
        this.#setState(id, 'exited');
      },
      removeContainer: async (id) => {
        this.#do(`remove ${this.#serviceOf(id)}`);
        this.#containers.delete(id);
      },
    });
  }

  #configFiles(): ConfigFiles {
    return {
      locate: () => undefined,
      read: (service, path) => this.#files.read(service, path),
      readAside: (service, path) => this.#files.readAside(service, path),
      readLink: (service, path) => this.#files.readLink(service, path),
      write: async (entries, cleared) => {
        const links = entries.flatMap((entry) =>
          entry.kind === 'link' && entry.path.endsWith('/current')
            ? [`${entry.path.split('/')[0]} to ${entry.to.split('/').at(-1)}`]
            : [],
        );
        const isRecord = entries.some(({ path }) => path.includes('/state/'));
        this.#do(links.length > 0 ? `switch ${links.join(', ')}` : isRecord ? 'record' : 'write files');
        await this.#files.write(entries, cleared);
      },
    };
  }

  #client(): ServiceClient {
    return {
      locate: () => undefined,
      url: () => undefined,
      close: () => undefined,
      request: async (service, request) => {
        const container = [...this.#containers.values()].find(({ labels }) => labels[serviceLabel] === service);
        if (container?.state !== 'running') throw new Error('connection refused');
        return { headers: {}, ...(await this.#answer(service, request)) };
      },
    };
  }

  async #answer(service: string, { method, path }: HttpRequest): Promise<HttpResponse> {
    const [linked, loaded] = [await this.#linked(service), this.#loaded.get(service) ?? ''];
    if (path === '/-/ready') {
      this.onCall(`${service} is ready with ${loaded}`);
      return { status: 200, body: '' };
    }
    if (method === 'POST' && path === '/-/reload') {
      this.#do(`reload ${service} to ${linked}`);
      this.#loaded.set(service, linked);
      return { status: 200, body: '' };
    }
    this.onCall(`${service} answers with ${loaded}`);
    if (path === '/metrics') return { status: 200, body: `alertmanager_config_hash ${hashOf(`# ${loaded}\n`)}\n` };
    if (path === '/api/v1/status/runtimeinfo') return json({ data: { reloadConfigSuccess: true } });
    if (path.startsWith('/api/v1/rules')) {
      const rules = [{ name: 'promstack_revision_info', labels: { revision: loaded } }];
      return json({ data: { groups: [{ file: '', rules }] } });
    }
    throw new Error(`${service} has no response to ${method} ${path}`);
  }
}

const json = (value: unknown): HttpResponse => ({ status: 200, body: JSON.stringify(value) });

/** Alertmanager's config hash: six bytes of the MD5, the last one first. */
const hashOf = (text: string): number =>
  md5(text)
    .slice(0, 6)
    .reduceRight((sum, byte) => sum * 256 + byte, 0);
