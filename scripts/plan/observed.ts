import type { ContainerSpec, RenderedFile } from '../../stack/model.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerDetails, ContainerSummary, NetworkSummary } from '../engine/engine.ts';
import { type History, lastConfirmed } from '../state/history.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';

/** A snapshot of the engine: the reconciler decides by it and makes no further calls. */
export interface Observed {
  readonly stack: string;
  /** The file that the stack was managed from until now; undefined when unknown. */
  readonly origin?: StackOrigin | undefined;
  /** The name under which the file of the desired stack runs, when it is a different one. */
  readonly renamedFrom?: string | undefined;
  /** The stack's service containers, by service; a second one of the same service is a stray. */
  readonly services: ReadonlyMap<string, ObservedService>;
  /** Second containers of a service, and check containers left behind by an interrupted run. */
  readonly strays: readonly ContainerSummary[];
  /** Confirmed and rolled-back revisions; empty when there is none or it cannot be read. */
  readonly history: History;
  readonly configWriter: ContainerSummary | undefined;
  /** The services that need something new of the internal CA, and why; absent without one. */
  readonly dueCertificates?: ReadonlyMap<string, string> | undefined;
  readonly network: NetworkSummary | undefined;
  /** Whether the swarm of the engine has the stack: its network is one of all nodes. */
  readonly isOnSwarm?: boolean | undefined;
  /** Whether the engine creates containers only in networks that exist, as Podman does: others need them for a start. */
  readonly createsInNetworks?: boolean | undefined;
  /** All networks of the engine. */
  readonly networks: readonly NetworkSummary[];
  /** Names of volumes with the stack's label. */
  readonly volumes: ReadonlySet<string>;
  /** The newest version of promstack that has changed the stack; undefined when unknown. */
  readonly newestVersion?: string | undefined;
  /** The file that the stack had when its volumes were created; only while it has no containers. */
  readonly volumesFrom?: StackOrigin | undefined;
  /** Containers, volumes and networks that have a name this stack needs but not its label. */
  readonly conflicts: readonly NameConflict[];
  /** Containers that publish host ports, including this stack's own. */
  readonly portHolders: readonly ContainerSummary[];
}

/** The current state of a service's container. */
export interface ObservedService {
  readonly container: ContainerSummary;
  readonly specHash: string | undefined;
  /** The spec it was created from; undefined when the label cannot be read. */
  readonly spec: ContainerSpec | undefined;
  /** Settings that may have been changed by hand; undefined when the container was removed in the meantime. */
  readonly details?: ContainerDetails | undefined;
  /** The folder below `releases/` that the link in its config volume points at. */
  readonly folder: ReleaseFolder | undefined;
  /** The revision in that folder. */
  readonly linked: string | undefined;
  /** The current files of that release. */
  readonly files?: readonly RenderedFile[] | undefined;
  /** The hash of these files (see `hashFiles`); it differs after an edit by hand. */
  readonly filesHash: string | undefined;
  /** Why the running server does not run the linked release; undefined when it does, or has no proofs. */
  readonly unproven: string | undefined;
  /** What was changed by hand inside the running server; a sentence each. */
  readonly edits?: readonly string[] | undefined;
}

/** The files that the running servers have loaded, by service: where the last confirmed release is still in place. */
export function loadedFiles(observed: Observed): ReadonlyMap<string, readonly RenderedFile[]> {
  const isRunning = (name: string): boolean => observed.services.get(name)?.container.state === 'running';
  return new Map([...confirmedFiles(observed)].filter(([name]) => isRunning(name)));
}

/** The files of the last confirmed releases, by service, where they are still in place, running or not. */
export function confirmedFiles({ services, history }: Observed): ReadonlyMap<string, readonly RenderedFile[]> {
  const recorded = lastConfirmed(history)?.services ?? {};
  return new Map(
    [...services].flatMap(([name, { folder, files, filesHash }]) => {
      const isConfirmed = recorded[name]?.folder === folder && recorded[name]?.hash === filesHash;
      return isConfirmed && files !== undefined ? [[name, files] as const] : [];
    }),
  );
}

/** A resource of another owner with a name that this stack needs. */
export interface NameConflict {
  readonly kind: 'container' | 'volume' | 'network';
  readonly name: string;
  /** Who owns it, from its labels: `it belongs to the compose project shop`. */
  readonly owner: string;
}
