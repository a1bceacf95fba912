import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import type { LintContext } from './context.ts';

/** Something that no server refuses and that hardly anybody means, looked for across the whole stack. */
export interface Lint {
  /** Stable kebab-case name; `# promstack: ignore CODE` keeps it quiet. */
  readonly code: string;
  /** What it finds, as a noun phrase: `a receiver that no route reaches`. */
  readonly what: string;
  find(context: LintContext): readonly Finding[];
}

/** One thing found: always a warning. Its path is inside `file`, or inside stack.yml where there is none. */
export interface Finding extends Omit<Problem, 'code' | 'severity' | 'dependsOn'> {
  readonly file?: RenderedFile;
  /** A key of stack.yml where a comment keeps all findings of the lint quiet too. */
  readonly alsoQuietAt?: KeyPath;
}
