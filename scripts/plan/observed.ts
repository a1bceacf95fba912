import type { ContainerSpec, RenderedFile } from '../../stack/model.ts';
import type { ContainerDetails, ContainerSummary, NetworkSummary } from '../engine/engine.ts';
import type { History } from '../state/history.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';

/** One snapshot of the engine, taken before anything is decided: the reconciler makes no further calls. */
export interface Observed {
  readonly stack: string;
  /** The stack's service containers, by service; a second one of the same service is a stray. */
  readonly services: ReadonlyMap<string, ObservedService>;
  /** Second containers of a service, and check containers that an interrupted run left behind. */
  readonly strays: readonly ContainerSummary[];
  /** Confirmed revisions and those that were rolled back; without entries when there is none or it cannot be read. */
  readonly history: History;
  readonly configWriter: ContainerSummary | undefined;
  readonly network: NetworkSummary | undefined;
  /** Names of volumes with the stack's label. */
  readonly volumes: ReadonlySet<string>;
  /** Containers, volumes and networks that have a name this stack needs but not its label. */
  readonly conflicts: readonly NameConflict[];
  /** Containers that hold host ports while they run, this stack's own too. */
  readonly portHolders: readonly ContainerSummary[];
}

/** A service's container as it is. */
export interface ObservedService {
  readonly container: ContainerSummary;
  readonly specHash: string | undefined;
  /** The spec it was made from; undefined when the label cannot be read. */
  readonly spec: ContainerSpec | undefined;
  /** Settings that may have been changed by hand; undefined when the container was removed in the meantime. */
  readonly details?: ContainerDetails | undefined;
  /** The folder below `releases/` that the link in its config volume points at. */
  readonly folder: ReleaseFolder | undefined;
  /** The revision in that folder. */
  readonly linked: string | undefined;
  /** The files of that release as they are now. */
  readonly files?: readonly RenderedFile[] | undefined;
  /** The hash of these files (see `hashFiles`): a different one after an edit by hand. */
  readonly filesHash: string | undefined;
  /** Why the running server does not run the linked release; undefined when it does, or could not be asked. */
  readonly unproven: string | undefined;
}

/** Something that has a name this stack needs, and does not belong to this stack. */
export interface NameConflict {
  readonly kind: 'container' | 'volume' | 'network';
  readonly name: string;
  /** Who owns it, from its labels: `it belongs to the compose project shop`. */
  readonly owner: string;
}
