import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { MissingSecret } from './yaml-source.ts';

/** The files from which a stack is managed. */
export interface StackOrigin {
  /** The name of the machine that has the file. */
  readonly host: string;
  /** Absolute, with links resolved. */
  readonly folder: string;
  /** The path of the file from the folder; those of several files are separated by colons. */
  readonly file: string;
  /** Whether the stack's name is from the variable PROMSTACK_NAME, so that one file may have several stacks. */
  readonly isNameGiven?: boolean | undefined;
}

/** A loaded stack.yml: its valid config, its location, and the user files that it names. */
export interface LoadedStack {
  readonly config: StackConfig;
  /** Absolute path of stack.yml, the first of several stack files. */
  readonly path: string;
  /** The folder of stack.yml; every path in the stack files is relative to this. */
  readonly folder: string;
  /** Absolute paths of the further stack files, and of the env files, which need not exist. */
  readonly further?: readonly string[] | undefined;
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

/** The source text of the stack files, for comments that silence warnings, and the user's tests. */
export interface SourceText {
  /** The texts of the stack files, by their paths as the user would type them. */
  readonly texts: ReadonlyMap<string, string>;
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
  /** The key that names it, for a file of any kind; see `RenderedFile`. */
  readonly namedAt?: KeyPath | undefined;
  readonly isBinary?: boolean | undefined;
  /** Whether it may hold a secret, whatever is in it. */
  readonly isSecret?: boolean | undefined;
}

/** A file of the user's tests. */
export interface OwnTest {
  /** Absolute. */
  readonly path: string;
  /** Its path as the user would type it. */
  readonly origin: string;
  readonly content: string;
}

/** The service of a compose project that a stack runs as, since `docker compose up` started it. */
export interface ComposeProject {
  readonly project: string;
  readonly service: string;
  /** The networks that the stack has joined for it. */
  readonly networks: readonly string[];
}

/** What earlier commands have decided about a stack, beside its stack.yml. */
export interface Remembered {
  /** The services that `up --without` has left out, among those that stack.yml enables. */
  readonly leftOut: readonly string[];
  /** The compose project that it is a part of. */
  readonly compose?: ComposeProject | undefined;
}

/** Finds what is remembered of a stack, of which stack.yml enables these services. */
export type FindRemembered = (stack: string, enabled: readonly string[]) => Promise<Remembered>;
