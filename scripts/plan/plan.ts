import { counted } from '../../stack/values/words.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { isConfigWriter, specOf } from '../state/names.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';
import { unreachable } from '../util/unreachable.ts';
import type { NewConnections } from './connections.ts';

/** One call to the engine or to a server. `after` lists the steps that must have succeeded before. */
export type Step<A extends Action = EngineAction> = A & {
  readonly id: number;
  readonly after: readonly number[];
  readonly because: string;
};

/** The kinds of steps; each has one executor. */
export type Action = EngineAction | SwarmAction;

/** Those on a container engine. */
export type EngineAction =
  | Removal
  | { readonly do: 'createNetwork'; readonly name: string }
  | { readonly do: 'createVolume'; readonly name: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly do: 'createConfigWriter' }
  /** Issues what is due of the internal CA, and makes it if there is none. */
  | { readonly do: 'provideCertificates'; readonly services: readonly string[] }
  /** Writes the new releases; once all files are written, switches the link of each service. */
  | { readonly do: 'switchReleases'; readonly releases: readonly ServiceRelease[] }
  | ({ readonly do: 'createContainer'; readonly service: string } & NewConnections)
  | { readonly do: 'startContainer'; readonly service: string }
  | { readonly do: 'waitReady'; readonly service: string }
  | { readonly do: 'reload'; readonly service: string }
  | { readonly do: 'confirm'; readonly service: string; readonly revision: string }
  | { readonly do: 'record'; readonly revision: string };

/** Those on a swarm. */
export type SwarmAction =
  | { readonly do: 'createSwarmNetwork'; readonly name: string }
  /** Stores the new configs and secrets; those that exist already have the same content. */
  | { readonly do: 'storeFiles'; readonly names: readonly string[] }
  /** Writes into the history that a change to the revision has begun. */
  | { readonly do: 'beginRevision'; readonly revision: string }
  | { readonly do: 'createService'; readonly service: string }
  /** Its tasks are replaced one at a time. */
  | { readonly do: 'updateService'; readonly service: string }
  | { readonly do: 'removeService'; readonly service: string }
  | { readonly do: 'waitTasks'; readonly service: string }
  /** Asks each task of the service which files it runs. */
  | { readonly do: 'confirmTasks'; readonly service: string; readonly revision: string | undefined }
  | { readonly do: 'endRevision'; readonly revision: string }
  /** Removes configs and secrets that no service and no revision of the history needs. */
  | { readonly do: 'removeFiles' };

/** The kinds of steps that stop or remove something. */
export type Removal =
  | { readonly do: 'stopContainer'; readonly name: string; readonly container: string; readonly seconds: number }
  | { readonly do: 'removeContainer'; readonly name: string; readonly container: string }
  | { readonly do: 'removeNetwork'; readonly name: string; readonly network: string }
  | { readonly do: 'removeVolume'; readonly name: string };

/** A service and the release of files it gets. */
export interface ServiceRelease {
  readonly service: string;
  readonly folder: ReleaseFolder;
  /** Whether the files have to be written; those of an earlier release exist. */
  readonly isNew: boolean;
}

/** The releases that a plan switches to. */
export function switchedReleases({ steps }: Plan): readonly ServiceRelease[] {
  return steps.flatMap((step) => (step.do === 'switchReleases' ? step.releases : []));
}

/** The effect of a plan on one service, for the user. */
export interface Change {
  readonly service: string;
  /** `write`: its files are replaced, and the running server reads them by itself. */
  readonly action: 'none' | 'create' | 'start' | 'write' | 'reload' | 'recreate' | 'remove';
  readonly because: readonly string[];
  /** Data that it loses. */
  readonly risks?: readonly string[];
}

/** Everything that has to be done, and why; without steps when nothing has to be done. */
export interface Plan<A extends Action = EngineAction> {
  readonly stack: string;
  readonly revision: string;
  readonly changes: readonly Change[];
  readonly steps: readonly Step<A>[];
}

/** A short description of a step: `create the volume demo-prometheus-data`. */
export function describe(step: Action): string {
  switch (step.do) {
    case 'createNetwork':
      return `create the network ${step.name}`;
    case 'removeNetwork':
      return `remove the network ${step.name}`;
    case 'createVolume':
      return `create the volume ${step.name}`;
    case 'removeVolume':
      return `delete the volume ${step.name} and its data`;
    case 'createConfigWriter':
      return 'create the config volume writer';
    case 'provideCertificates':
      return `provide the certificates of ${step.services.join(', ')}`;
    case 'switchReleases':
      return `switch to the files of ${list(step.releases)}`;
    case 'stopContainer':
      return `stop ${step.name}`;
    case 'removeContainer':
      return `remove ${step.name}`;
    case 'createContainer':
      return `create ${step.service}`;
    case 'startContainer':
      return `start ${step.service}`;
    case 'waitReady':
      return `wait until ${step.service} is ready`;
    case 'reload':
      return `reload ${step.service}`;
    case 'confirm':
      return `confirm that ${step.service} runs revision ${step.revision}`;
    case 'record':
      return `record revision ${step.revision}`;
    case 'createSwarmNetwork':
      return `create the network ${step.name} of the swarm`;
    case 'storeFiles':
      return `store ${counted(step.names.length, 'file')} on the swarm`;
    case 'beginRevision':
      return `begin revision ${step.revision} in the history`;
    case 'createService':
      return `create the service ${step.service}`;
    case 'updateService':
      return `update the service ${step.service}`;
    case 'removeService':
      return `remove the service ${step.service}`;
    case 'waitTasks':
      return `wait until each task of ${step.service} runs`;
    case 'confirmTasks':
      return step.revision === undefined
        ? `confirm that each task of ${step.service} answers`
        : `confirm that each task of ${step.service} runs revision ${step.revision}`;
    case 'endRevision':
      return `record revision ${step.revision} as confirmed`;
    case 'removeFiles':
      return 'remove files that nothing needs';
    default:
      return unreachable(step);
  }
}

/** Whether a step concerns only how promstack works, which `--verbose` shows. */
export function isInternal(step: Action): boolean {
  return (
    step.do === 'createConfigWriter' ||
    step.do === 'removeFiles' ||
    (step.do === 'removeContainer' && isConfigWriter(step.name))
  );
}

/** Whether a plan changes anything that a user can see. */
export function hasVisibleSteps({ steps }: Plan<Action>): boolean {
  return steps.some((step) => !isInternal(step));
}

/** The steps as text, one per line: `[1, 2] -> #3 create prometheus, because no container yet`. */
export function printSteps(steps: readonly Step<Action>[]): string {
  return steps
    .map((step) => `[${step.after.join(', ')}] -> #${step.id} ${describe(step)}, because ${step.because}\n`)
    .join('');
}

function list(releases: readonly ServiceRelease[]): string {
  return releases.map((release) => release.service).join(', ');
}

/** Collects steps; ids count from 1. */
export class Steps<A extends Action = EngineAction> {
  readonly all: Step<A>[] = [];

  /** Adds a step and returns its id, for steps that depend on it. */
  add(action: A, after: readonly number[], because: string): number {
    const id = this.all.length + 1;
    this.all.push({ ...action, id, after: [...new Set(after)].sort((a, b) => a - b), because });
    return id;
  }
}

/** The stop timeout of a container, from the spec it was created from. */
export function stopSeconds(container: ContainerSummary): number {
  return specOf(container)?.stopTimeoutSeconds ?? 10;
}
