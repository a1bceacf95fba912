import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { MissingSecret } from './yaml-source.ts';

/** The file from which a stack is managed. */
export interface StackOrigin {
  /** The name of the machine that has the file. */
  readonly host: string;
  /** Absolute, with links resolved. */
  readonly folder: string;
  /** The name of the file in the folder. */
  readonly file: string;
}

/** A loaded stack.yml: its valid config, its location, and the user files that it names. */
export interface LoadedStack {
  readonly config: StackConfig;
  /** Absolute path of stack.yml. */
  readonly path: string;
  /** The folder of stack.yml; every path in it is relative to this. */
  readonly folder: string;
  /** Undefined when the file has no place, such as a pipe, or when the stack's name is not from the file. */
  readonly origin?: StackOrigin | undefined;
  /** The position in stack.yml of a key's value, or of the key; for a key that is not in the file, that of its nearest parent. */
  locate(path: KeyPath, atKey?: boolean): SourceRange | undefined;
  /** Rule files, notification templates and the like, byte for byte. */
  readonly userFiles: readonly LoadedUserFile[];
  /** Secrets that could not be read, where they need not be. */
  readonly missingSecrets?: readonly MissingSecret[] | undefined;
  /** Absent when the stack was not loaded from a file. */
  readonly written?: SourceText | undefined;
}

/** The source text of stack.yml, for comments that silence warnings, and the user's tests. */
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
