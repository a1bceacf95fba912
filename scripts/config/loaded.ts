import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';

/** stack.yml as read: the valid config, where it came from, and the user's files it names. */
export interface LoadedStack {
  readonly config: StackConfig;
  /** Absolute path of stack.yml. */
  readonly path: string;
  /** The folder of stack.yml; every path in it is relative to this. */
  readonly folder: string;
  /** The place in stack.yml of a key's value, or of the key; that of the nearest parent when it is not written there. */
  locate(path: KeyPath, atKey?: boolean): SourceRange | undefined;
  /** Rule files, notification templates and the like, byte for byte. */
  readonly userFiles: readonly LoadedUserFile[];
  /** Absent in a stack that was not loaded from a file, as in a test. */
  readonly written?: SourceText | undefined;
}

/** What the user wrote beside the config: the text, for comments that silence warnings, and tests. */
export interface SourceText {
  /** The text of stack.yml. */
  readonly text: string;
  /** The user's working directory, which paths in messages are relative to. */
  readonly cwd: string;
  readonly tests: readonly OwnTest[];
}

/** A user's file that a service reads. */
export interface LoadedUserFile {
  readonly service: string;
  /** Its path in the service's config directory. */
  readonly path: string;
  /** Its path as the user would type it. */
  readonly origin: string;
  readonly content: string;
}

/** A file of the user's tests. */
export interface OwnTest {
  /** Absolute. */
  readonly path: string;
  /** Its path as the user would type it. */
  readonly origin: string;
  readonly content: string;
}
