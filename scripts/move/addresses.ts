import { isScalar, type Node } from 'yaml';
import type { StackDraft } from './stack-draft.ts';
import { eachScalar } from './yaml-tree.ts';

/** Where the containers that configs name by host and port are once the stack runs. */
export class Addresses {
  readonly #draft: StackDraft;
  readonly #taken = new Map<string, string>();
  #isOnHost = false;
  readonly #left = new Map<string, readonly string[]>();

  constructor(draft: StackDraft) {
    this.#draft = draft;
  }

  /** A service of the stack, and the address that it has there. */
  addTaken(hosts: readonly string[], port: number, address: string): void {
    for (const host of hosts) this.#taken.set(`${host}:${port}`, address);
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
    const taken = this.#taken.get(address);
    const [, port] = /^(?:localhost|127\.0\.0\.1)(:\d+)$/.exec(address) ?? [];
    return taken ?? (this.#isOnHost && port !== undefined ? `host.docker.internal${port}` : undefined);
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

  /** A URL or an address with the host and port as `service` reaches them. */
  inUrl(service: string, url: string): string {
    return url.replace(
      /^((?:\w+:\/\/)?(?:[^\s/@]*@)?)([\w.-]+(?::\d+)?)(?=$|[/?#])/,
      (_, before: string, host: string) => {
        const port = /:\d+$/.test(host)
          ? ''
          : before.startsWith('https:')
            ? ':443'
            : before.startsWith('http:')
              ? ':80'
              : '';
        const address = this.from(service, `${host}${port}`);
        return `${before}${address === `${host}${port}` ? host : address}`;
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
