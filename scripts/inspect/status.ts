import type { Reading } from '../../stack/model.ts';
import type { ContainerState } from '../engine/engine.ts';

/** How a stack is: what runs, whether it is what stack.yml says, and what each service tells of itself. */
export interface StackStatus {
  readonly stack: string;
  /** The last revision that was confirmed to run; undefined when the engine has no record of one. */
  readonly revision: string | undefined;
  readonly services: readonly ServiceStatus[];
  /** What is not right, and what a person may want to look at; the former come first. */
  readonly problems: readonly StatusProblem[];
  /** Whether none of them is `wrong`. */
  readonly isRight: boolean;
}

/** How one service is. */
export interface ServiceStatus {
  readonly service: string;
  readonly container: string | undefined;
  readonly state: ContainerState | 'absent';
  /** The engine's own short sentence: `Up 3 minutes`. */
  readonly uptime: string | undefined;
  /** Whether it answers that it can do its work. */
  readonly isReady: boolean;
  readonly image: string;
  /** The revision of its files that is in force; undefined when it reads none. */
  readonly revision: string | undefined;
  readonly url: string | undefined;
  readonly vitals: readonly ({ readonly label: string } & Pick<Reading, 'text' | 'values' | 'tone'>)[];
}

/** Something not right, or something to look at. */
export interface StatusProblem {
  readonly tone: 'wrong' | 'notice';
  readonly service: string;
  readonly message: string;
  readonly tryThis?: string;
}
