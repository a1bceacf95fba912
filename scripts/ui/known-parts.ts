import { type PageHeader, type PartName, type PartState, partNames } from './page-state.ts';
import type { Poller } from './poller.ts';

/** What the parts of a page depend on besides their polls. */
export interface PartSources {
  readonly poller: Pick<Poller, 'look'>;
  /** Whether the secrets of the stack are known: nothing of it is shown before. */
  readonly hasSecrets: boolean;
  readonly isEngineReachable: boolean;
  /** Why what runs cannot be compared with stack.yml, though everything else can be read. */
  readonly undrifted: string | undefined;
}

/** A look that takes longer means that its part is not current. */
const lateMs = 15_000;

/** How well each part is known; each but `drift` has a poll of its name. */
export function knownParts(sources: PartSources): PageHeader['parts'] {
  const { poller, hasSecrets, isEngineReachable, undrifted } = sources;
  const partOf = (name: Exclude<PartName, 'drift'>): PartState => {
    const { readAt, failure, runningMs = 0 } = poller.look(name);
    const late = runningMs > lateMs ? `no answer for ${Math.round(runningMs / 1_000)} s` : undefined;
    const why = isEngineReachable ? (failure?.why ?? late) : 'the container engine cannot be reached';
    return hasSecrets ? { readAt, why } : { why: why ?? poller.look('containers').failure?.why };
  };
  const parts = partNames.flatMap((name) => (name === 'drift' ? [] : [[name, partOf(name)] as const]));
  const { status, ...others } = Object.fromEntries(parts) as Record<Exclude<PartName, 'drift'>, PartState>;
  return { ...others, status, drift: { ...status, why: status.why ?? undrifted } };
}
