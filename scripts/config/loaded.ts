import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { OwnTest } from './own-tests.ts';

/** stack.yml as read: the valid config, where it came from, and the person's own files it names. */
export interface LoadedStack {
  readonly config: StackConfig;
  /** Absolute path of stack.yml. */
  readonly path: string;
  /** The folder that holds it; every path in stack.yml is relative to it. */
  readonly folder: string;
  /** Where a key (or, by default, its value) stands in stack.yml; the nearest parent's place when it is not written there. */
  locate(path: KeyPath, atKey?: boolean): SourceRange | undefined;
  /** Rule files, notification templates and the like, byte for byte. */
  readonly userFiles: readonly LoadedUserFile[];
  /** Absent in a stack that nobody wrote down, as in a test. */
  readonly written?: SourceText;
}

/** What the person wrote beside the config, for tests of their own and for comments that silence a warning. */
export interface SourceText {
  /** The text of stack.yml. */
  readonly text: string;
  /** Where the person stands: paths in messages are relative to it. */
  readonly cwd: string;
  readonly tests: readonly OwnTest[];
}

/** One of the person's own files that a service reads. */
export interface LoadedUserFile {
  readonly service: string;
  /** Where it lands in the service's config directory. */
  readonly path: string;
  /** Its path as a person would type it. */
  readonly origin: string;
  readonly content: string;
}
