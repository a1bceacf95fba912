/** A place in one of the person's files; lines and columns count from 1, offsets from 0. */
export interface SourceRange {
  /** The path as a person would type it, relative to where they stand. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  /** How many characters to underline; at least 1. */
  readonly length: number;
}

/** Something wrong with what a person wrote, said so that they can mend it. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable kebab-case name of the kind of problem, such as `unknown-key`. */
  readonly code: string;
  /** One sentence about their stack, without the place. */
  readonly message: string;
  /** What to do, when it can be guessed. */
  readonly hint?: string;
  readonly where?: SourceRange;
}

/** A path of keys and indexes into a YAML document, such as `['prometheus', 'scrape_configs', 0]`. */
export type KeyPath = readonly (string | number)[];

/** A problem found on the value of the config, before its place in the file is known. */
export interface Problem {
  readonly code: string;
  readonly path: KeyPath;
  readonly message: string;
  readonly hint?: string;
  readonly severity?: 'error' | 'warning';
  /** Underline the key instead of the value. */
  readonly atKey?: boolean;
}
