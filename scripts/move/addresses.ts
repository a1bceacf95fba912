import { isScalar, type Node } from 'yaml';
import type { StackDraft } from './stack-draft.ts';
import { eachScalar } from './yaml-tree.ts';

/** A service of the stack that configs name. */
interface Taken {
  readonly address: string;
  /** The path below which it answered before; in a stack all servers answer at their root. */
  readonly prefix: string;
}

/** Where the containers that configs name by host and port are once the stack runs. */
export class Addresses {
  readonly #draft: StackDraft;
  readonly #taken = new Map<string, Taken>();
  #isOnHost = false;
  readonly #left = new Map<string, readonly string[]>();

  constructor(draft: StackDraft) {
    this.#draft = draft;
  }

  /** A service of the stack, and the address that it has there. */
  addTaken(hosts: readonly string[], port: number, address: string, prefix = ''): void {
    for (const host of hosts) this.#taken.set(`${host}:${port}`, { address, prefix });
  }

  /** A service that stays with compose, and its networks on the engine. */
  addLeft(hosts: readonly string[], networks: readonly string[]): void {
    for (const host of hosts) this.#left.set(host, networks);
  }

  /** From now on localhost is the host of the containers: the servers ran there, and not in containers of their own. */
  takeLocalhost(): void {
    this.#isOnHost = true;
  }

  /** The address in the stack, where it is another one: of a service that it has taken, or of this host. */
  taken(address: string): string | undefined {
    const taken = this.#taken.get(address)?.address;
    const [, port] = /^(?:localhost|127\.0\.0\.1)(:\d+)$/.exec(address) ?? [];
    return taken ?? (this.#isOnHost && port !== undefined ? `host.docker.internal${port}` : undefined);
  }

  /** A path of a server of the stack without the prefix that it had; undefined for others, and for a path that it did not serve. */
  servedPath(address: string, path: string): string | undefined {
    const { prefix } = this.#taken.get(address) ?? {};
    if (prefix === undefined) return undefined;
    const isBelow = path === prefix || /^[/?#]/.test(path.slice(prefix.length));
    return path.startsWith(prefix) && isBelow ? path.slice(prefix.length) : path;
  }

  /** The address as `service` reaches it; for one that stays with compose, the service joins its network. */
  from(service: string, address: string): string {
    const taken = this.taken(address);
    if (taken !== undefined) return taken;
    const [host = ''] = address.split(':');
    const [network] = (this.#left.get(host) ?? []).filter((name) => !['host', 'none', 'bridge'].includes(name));
    if (network !== undefined) this.join(service, network);
    return address;
  }

  /** A service joins a network that the stack does not create. */
  join(service: string, network: string): void {
    if (network === this.#draft.name) return;
    this.#draft.networks.set(network, (this.#draft.networks.get(network) ?? new Set()).add(service));
  }

  /** A URL or an address with the host, the port and the path as `service` reaches them. Servers of the stack have no TLS. */
  inUrl(service: string, url: string): string {
    return url.replace(
      /^((?:\w+:\/\/)?(?:[^\s/@]*@)?)([\w.-]+(?::\d+)?)($|[/?#].*$)/s,
      (_, before: string, host: string, path: string) => {
        const port = /:\d+$/.test(host)
          ? ''
          : before.startsWith('https:')
            ? ':443'
            : before.startsWith('http:')
              ? ':80'
              : '';
        const written = `${host}${port}`;
        const address = this.from(service, written);
        const served = this.servedPath(written, path);
        const start = served === undefined ? before : before.replace(/^https:/, 'http:');
        return `${start}${address === written ? host : address}${served ?? path}`;
      },
    );
  }

  /** The same for every scalar below a node that is a URL or an address. */
  inNode(service: string, node: Node | undefined): void {
    eachScalar(node, (scalar, keys) => {
      if (!isScalar(scalar) || typeof scalar.value !== 'string') return;
      const isAddress = /(?:^|_)(?:url|targets|replacement|endpoint|address|server)$/.test(keys.at(-1) ?? '');
      if (isAddress && scalar.tag === undefined) scalar.value = this.inUrl(service, scalar.value);
    });
  }
}
