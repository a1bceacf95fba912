import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';

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
