/** A range in one of the user's files; lines and columns count from 1, offsets from 0. */
export interface SourceRange {
  /** The path as the user would type it, relative to the working directory. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  /** How many characters to underline; at least 1. */
  readonly length: number;
  /** Whether the file holds secrets, so that its lines are not printed. */
  readonly isHidden?: boolean | undefined;
}

/** `warning`: probably a mistake. `note`: promstack does something that the file does not say; `check --strict` accepts it. */
type Severity = 'error' | 'warning' | 'note';

/** A mistake in what the user wrote, with the information needed to fix it. */
export interface Diagnostic {
  readonly severity: Severity;
  /** Stable kebab-case name of the kind of problem, such as `unknown-key`. */
  readonly code: string;
  /** One sentence, without the location. */
  readonly message: string;
  /** What to do, when it can be guessed. */
  readonly hint?: string | undefined;
  readonly where?: SourceRange | undefined;
  /** Other locations that belong to the problem, such as the first of two that conflict. */
  readonly related?: readonly { readonly where: SourceRange; readonly message: string }[] | undefined;
}

/** Keys and indexes that lead to a value of a YAML document, such as `['prometheus', 'scrape_configs', 0]`. */
export type KeyPath = readonly (string | number)[];

/** A problem with a value of the config, before its location in the file is known. */
export interface Problem {
  readonly code: string;
  readonly path: KeyPath;
  readonly message: string;
  readonly hint?: string | undefined;
  /** `error` when absent. */
  readonly severity?: Severity | undefined;
  /** Underline the key instead of the value. */
  readonly atKey?: boolean | undefined;
  /** Underline only a part of a string: characters from its start, after YAML's quotes are removed. */
  readonly within?: { readonly from: number; readonly length: number } | undefined;
  /** Other keys the problem follows from: it is not reported when one of them has a problem itself. */
  readonly dependsOn?: readonly KeyPath[] | undefined;
  /** Other locations to show, on which the problem depends too. */
  readonly related?: readonly { readonly path: KeyPath; readonly message: string }[] | undefined;
}

/** A path as users write it: `prometheus.scrape_configs[0].job_name`. */
export function showPath(path: KeyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
