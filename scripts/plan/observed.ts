import type { ContainerSpec } from '../../stack/model.ts';
import type { ContainerDetails, ContainerSummary, NetworkSummary } from '../engine/engine.ts';
import type { HistoryEntry } from '../state/history.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';

/** One snapshot of the engine, taken before anything is decided: the reconciler makes no further calls. */
export interface Observed {
  readonly stack: string;
  /** The stack's service containers, by service; a second one of the same service is a stray. */
  readonly services: ReadonlyMap<string, ObservedService>;
  /** Service containers of the stack that are doubles, or helpers an interrupted run left behind. */
  readonly strays: readonly ContainerSummary[];
  /** What was confirmed and what was taken back, oldest first; empty when there is none or it cannot be read. */
  readonly history: readonly HistoryEntry[];
  /** The revision that the stack's history names as the last confirmed one; undefined when there is none or it cannot be read. */
  readonly recorded: string | undefined;
  readonly configWriter: ContainerSummary | undefined;
  readonly network: NetworkSummary | undefined;
  /** Names of volumes with the stack's label. */
  readonly volumes: ReadonlySet<string>;
  /** Containers, volumes and networks that bear a name this stack needs without its label. */
  readonly foreign: readonly NameConflict[];
  /** Containers that hold host ports while they run, this stack's own too. */
  readonly portHolders: readonly ContainerSummary[];
}

/** A service's container as it is. */
export interface ObservedService {
  readonly container: ContainerSummary;
  readonly specHash: string | undefined;
  /** The spec it was made from; undefined when the label cannot be read. */
  readonly spec: ContainerSpec | undefined;
  /** What of the container may have been changed by hand; absent when it was not looked into. */
  readonly details?: ContainerDetails | undefined;
  /** The folder below `releases/` that the link in its config volume points at. */
  readonly folder: ReleaseFolder | undefined;
  /** The revision in that folder. */
  readonly linked: string | undefined;
  /** Hash of the files of that release as they lie there (see `hashFiles`): another one after an edit by hand. */
  readonly filesHash: string | undefined;
  /** Why the running server does not run the linked release; undefined when it does, or could not be asked. */
  readonly unproven: string | undefined;
}

/** Something that bears a name this stack needs, and is not this stack's. */
export interface NameConflict {
  readonly kind: 'container' | 'volume' | 'network';
  readonly name: string;
  /** Whose it is, as far as its labels tell. */
  readonly owner: string;
}
