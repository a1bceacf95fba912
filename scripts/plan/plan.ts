import type { ContainerSummary } from '../engine/engine.ts';
import { specOf } from '../state/names.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';
import { unreachable } from '../util/unreachable.ts';

/** One call to the engine or to a server. `after` names the steps that must have succeeded before. */
export type Step<A extends Action = Action> = A & {
  readonly id: number;
  readonly after: readonly number[];
  readonly because: string;
};

/** What a step does; each kind has one executor. */
export type Action =
  | Removal
  | { readonly do: 'createNetwork'; readonly name: string }
  | { readonly do: 'createVolume'; readonly name: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly do: 'createConfigWriter' }
  /** Writes the new releases, and when all files are in place switches the link of each service. */
  | { readonly do: 'switchReleases'; readonly releases: readonly ServiceRelease[] }
  | { readonly do: 'createContainer'; readonly service: string }
  | { readonly do: 'startContainer'; readonly service: string }
  | { readonly do: 'waitReady'; readonly service: string }
  | { readonly do: 'reload'; readonly service: string }
  | { readonly do: 'confirm'; readonly service: string; readonly revision: string }
  | { readonly do: 'record'; readonly revision: string };

/** The kinds of step that take something away. */
export type Removal =
  | { readonly do: 'stopContainer'; readonly name: string; readonly container: string; readonly seconds: number }
  | { readonly do: 'removeContainer'; readonly name: string; readonly container: string }
  | { readonly do: 'removeNetwork'; readonly name: string; readonly network: string }
  | { readonly do: 'removeVolume'; readonly name: string };

/** A service and the release of files it gets. */
export interface ServiceRelease {
  readonly service: string;
  readonly folder: ReleaseFolder;
  /** Whether the files have to be written; those of an earlier release are in place. */
  readonly isNew: boolean;
}

/** The releases that a plan switches to. */
export function switchedReleases({ steps }: Plan): readonly ServiceRelease[] {
  return steps.flatMap((step) => (step.do === 'switchReleases' ? step.releases : []));
}

/** What happens to one service, for the user: the steps say how. */
export interface Change {
  readonly service: string;
  readonly action: 'none' | 'create' | 'start' | 'reload' | 'recreate' | 'remove';
  readonly because: readonly string[];
  /** What of its data is lost or given up by it. */
  readonly risks?: readonly string[];
}

/** Everything that has to be done, and why; empty of steps when nothing has. */
export interface Plan {
  readonly stack: string;
  readonly revision: string;
  readonly changes: readonly Change[];
  readonly steps: readonly Step[];
}

/** A short sentence for what a step does: `create the volume demo-prometheus-data`. */
export function describe(step: Action): string {
  switch (step.do) {
    case 'createNetwork':
      return `create the network ${step.name}`;
    case 'removeNetwork':
      return `remove the network ${step.name}`;
    case 'createVolume':
      return `create the volume ${step.name}`;
    case 'removeVolume':
      return `delete the volume ${step.name} and what it holds`;
    case 'createConfigWriter':
      return 'create the config volume writer';
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
    default:
      return unreachable(step);
  }
}

/** The plan as text, one line a step: `[1, 2] -> #3 createContainer prometheus, because no container yet`. */
export function printSteps(steps: readonly Step[]): string {
  return steps
    .map((step) => `[${step.after.join(', ')}] -> #${step.id} ${describe(step)}, because ${step.because}\n`)
    .join('');
}

function list(releases: readonly ServiceRelease[]): string {
  return releases.map((release) => release.service).join(', ');
}

/** Collects steps in the order they are decided; ids count from 1. */
export class Steps<A extends Action = Action> {
  readonly all: Step<A>[] = [];

  /** Adds a step and answers its id, for those that wait for it. */
  add(action: A, after: readonly number[], because: string): number {
    const id = this.all.length + 1;
    this.all.push({ ...action, id, after: [...new Set(after)].sort((a, b) => a - b), because });
    return id;
  }
}

/** How long a container may take to end by itself: as the spec it was made from says. */
export function stopSeconds(container: ContainerSummary): number {
  return specOf(container)?.stopTimeoutSeconds ?? 10;
}
