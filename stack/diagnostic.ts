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
  /** Other places that belong to the problem, such as the first of two that clash. */
  readonly related?: readonly { readonly where: SourceRange; readonly message: string }[];
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
  /** Underline only a part of a text value: characters from its start, as the text is after YAML's quotes are gone. */
  readonly within?: { readonly from: number; readonly length: number };
  /** Other keys the problem follows from: it is not told when one of them is itself broken. */
  readonly dependsOn?: readonly KeyPath[];
  /** Other places to show with the problem, which it depends on too. */
  readonly related?: readonly { readonly path: KeyPath; readonly message: string }[];
}

/** A path as a person writes it: `prometheus.scrape_configs[0].job_name`. */
export function showPath(path: KeyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
