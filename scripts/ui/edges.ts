import type { EdgeHistory, NodeId, PageEdge } from './page-state.ts';

/** An edge, without its rate. */
interface EdgeKind extends Pick<PageEdge, 'from' | 'to' | 'unit'> {
  /** What a rate a second is multiplied by. */
  readonly factor?: number | undefined;
}

const kinds = [
  { from: 'sources', to: 'pushgateway', unit: 'pushes/s' },
  { from: 'pushgateway', to: 'prometheus', unit: 'samples/s' },
  { from: 'targets', to: 'prometheus', unit: 'samples/s' },
  { from: 'prometheus', to: 'rules', unit: 'evaluations/s' },
  { from: 'rules', to: 'alertmanager', unit: 'alerts/s' },
  { from: 'alertmanager', to: 'receivers', unit: 'notifications/min', factor: 60 },
] as const satisfies readonly EdgeKind[];

type EdgeOf<Kind> = Kind extends { readonly from: infer From extends string; readonly to: infer To extends string }
  ? `${From}>${To}`
  : never;

export type EdgeId = EdgeOf<(typeof kinds)[number]>;

/** Seconds of rates that are kept for a page that is opened later. */
const kept = 300;

/** A counter of a server, which begins at 0 again when that restarts. */
interface Count {
  readonly value: number;
  readonly failed?: number | undefined;
}

/** The rates of the edges, from counters or as servers compute them, and their past. */
export class Edges {
  readonly #counts = new Map<EdgeId, Count & { readonly at: number }>();
  readonly #rates = new Map<EdgeId, { readonly rate: number | undefined; readonly failedRate?: number | undefined }>();
  readonly #history = new Map<EdgeId, { readonly at: number[]; readonly rate: (number | null)[] }>();

  /** Takes a counter that was read at a time in milliseconds. */
  count(id: EdgeId, count: Count, at: number): void {
    const before = this.#counts.get(id);
    this.#counts.set(id, { ...count, at });
    if (before === undefined || at <= before.at || count.value < before.value) {
      this.#rates.delete(id);
      return;
    }
    const { factor = 1 } = kindOf(id);
    const perSecond = (difference: number): number => (factor * 1_000 * difference) / (at - before.at);
    const failed = (count.failed ?? 0) - (before.failed ?? 0);
    this.#rates.set(id, {
      rate: perSecond(count.value - before.value),
      ...(count.failed === undefined ? {} : { failedRate: perSecond(Math.max(0, failed)) }),
    });
  }

  /** Takes a rate a second. */
  set(id: EdgeId, rate: number | undefined): void {
    this.#rates.set(id, { rate });
  }

  /** The server of these edges does not answer. */
  forget(ids: readonly EdgeId[] = kinds.map(idOf)): void {
    for (const id of ids) {
      this.#counts.delete(id);
      this.#rates.delete(id);
    }
  }

  /** The edges between these nodes. */
  items(nodes: ReadonlySet<NodeId>): readonly PageEdge[] {
    return kinds.flatMap((kind): readonly PageEdge[] => {
      const { from, to, unit } = kind;
      if (!nodes.has(from) || !nodes.has(to)) return [];
      return [{ id: idOf(kind), from, to, unit, ...this.#rates.get(idOf(kind)) }];
    });
  }

  /** Adds the present rates to the past. */
  record(at: number): void {
    for (const id of kinds.map(idOf)) {
      const past = this.#history.get(id) ?? { at: [], rate: [] };
      this.#history.set(id, past);
      past.at.push(at);
      past.rate.push(this.#rates.get(id)?.rate ?? null);
      if (past.at.length > kept) {
        past.at.shift();
        past.rate.shift();
      }
    }
  }

  get history(): Readonly<Record<string, EdgeHistory>> {
    return Object.fromEntries(this.#history);
  }
}

const idOf = ({ from, to }: (typeof kinds)[number]): EdgeId => `${from}>${to}` as EdgeId;

function kindOf(id: EdgeId): EdgeKind {
  return kinds.find((kind) => idOf(kind) === id) ?? kinds[0];
}
