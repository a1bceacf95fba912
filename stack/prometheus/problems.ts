import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';

/** What is wrong with the Prometheus part of the config that its shape alone does not show. */
export function problems(_config: StackConfig): readonly Problem[] {
  return [];
}

/** What is wrong with the parsed YAML of a rule file. */
export function ruleFileProblems(_content: unknown): readonly Problem[] {
  return [];
}
